package e2e

import (
	"log/slog"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store/storetest"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// TestStoreInKeychain runs the store's conformance suite on a real Secret Service. It is not parallel: this process
// itself talks to the keychain, to which the environment leads, and does so over one connection for all its life.
func TestStoreInKeychain(t *testing.T) {
	keychain := StartKeychain(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", keychain.BusAddress)

	for _, mode := range []store.Mode{store.Auto, store.Keyring} {
		t.Run(string(mode), func(t *testing.T) {
			config := store.Config{
				Mode:      mode,
				Directory: t.TempDir(),
				Locks:     t.TempDir(),
				Now:       time.Now,
				Warn:      func(err error) { t.Errorf("the keychain works, but the person is warned: %v", err) },
				Waiting:   func(store.Holder) {},
				Log:       slog.New(slog.DiscardHandler),
			}
			storetest.Run(t, func(tb testing.TB) token.Store {
				opened, err := store.Open(config)
				if err != nil {
					tb.Fatal(err)
				}
				return opened
			})
		})
	}
	if len(keychain.Secrets(t, "kubectl-oidc_login")) == 0 {
		t.Error("the suite has left nothing in this keychain, so it must have run on another")
	}
}
