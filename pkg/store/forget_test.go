package store

import (
	"errors"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Logins with other modes may have left sessions in several places. Each of them could be used, so each is found and
// forgotten.
func TestForgetReachesEveryPlace(t *testing.T) {
	t.Parallel()
	items, kernel := newMapKeychain(500), newMapKeychain(0)
	config := Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: items.items(), KernelKeyring: kernel.items()}
	for mode, refreshToken := range map[Mode]string{Keyring: strings.Repeat("keychain", 200), Disk: "disk"} {
		other := config
		other.Mode = mode
		beginSession(t, openStore(t, other), refreshToken)
	}
	inKernel := config
	inKernel.Keychain = refusingKeychain()
	inKernel.Directory = t.TempDir()
	beginSession(t, openStore(t, inKernel), "kernel")

	store := openStore(t, config)
	held, err := store.Holdings(t.Context(), key)
	if err != nil || len(held.Sessions) != 3 || len(held.IDTokens) != 2 {
		t.Fatalf("%d sessions, %d ID tokens, %v", len(held.Sessions), len(held.IDTokens), err)
	}
	if err := store.Forget(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	held, err = store.Holdings(t.Context(), key)
	if err != nil || len(held.Sessions)+len(held.IDTokens)+len(items.secrets)+len(kernel.secrets) > 0 {
		t.Errorf("left: %+v, %d, %d, %v", held, len(items.secrets), len(kernel.secrets), err)
	}
}

// What could be read and cannot be removed is still there: that is an error in each mode.
func TestForgetFails(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{Auto, Keyring} {
		items := newMapKeychain(0)
		stubborn := items.items()
		stubborn.Delete = func(string, string) error { return errors.New("not allowed") }
		store := openStore(t, Config{Mode: mode, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: items.items()})
		beginSession(t, store, "refresh")
		store = openStore(t, Config{Mode: mode, Directory: store.config.Directory, Locks: store.config.Locks, Keychain: stubborn})
		if err := store.Forget(t.Context(), key); err == nil || !strings.Contains(err.Error(), "not allowed") {
			t.Errorf("%s: got %v", mode, err)
		}
		if _, err := store.IDToken(t.Context(), key); mode == Auto && !errors.Is(err, token.ErrNotFound) {
			t.Errorf("the rest was not forgotten: %v", err)
		}
	}
}
