//go:build windows || darwin

package store

import (
	"log/slog"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store/storetest"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// The suite runs on the keychain of the system itself: the Credential Manager, or the login keychain of macOS. What it puts there
// is removed.
func TestSystemKeychainConformance(t *testing.T) {
	for _, mode := range []Mode{Auto, Keyring} {
		t.Run(string(mode), func(t *testing.T) {
			system := systemKeychain()
			set := system.Set
			system.Set = func(service, user, secret string) error {
				t.Cleanup(func() { _ = keyring.Delete(service, user) }) // most are gone by then
				return set(service, user, secret)
			}
			config := Config{
				Mode:      mode,
				Directory: t.TempDir(),
				Locks:     t.TempDir(),
				Keychain:  system,
				Now:       time.Now,
				Warn:      func(err error) { t.Errorf("the keychain works, but the person is warned: %v", err) },
				Waiting:   func(Holder) {},
				Log:       slog.New(slog.DiscardHandler),
			}
			storetest.Run(t, func(tb testing.TB) token.Store {
				opened, err := Open(config)
				if err != nil {
					tb.Fatal(err)
				}
				return opened
			})
		})
	}
}
