package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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
	if err := store.Forget(t.Context(), key, held); err != nil {
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
		if err := store.Forget(t.Context(), key, token.Holdings{}); err == nil || !strings.Contains(err.Error(), "not allowed") {
			t.Errorf("%s: got %v", mode, err)
		}
		if _, err := store.IDToken(t.Context(), key); mode == Auto && !errors.Is(err, token.ErrNotFound) {
			t.Errorf("the rest was not forgotten: %v", err)
		}
	}
}

// Who is interrupted while the keychain is waited for has not heard that it holds nothing.
func TestInterruptedHoldings(t *testing.T) {
	t.Parallel()
	store, interrupt := interruptedStore(t)
	if held, err := store.Holdings(interrupt, key); !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v", held, err)
	}
}

// interruptedStore has a session in its keychain, and is interrupted by what first asks that.
func interruptedStore(t *testing.T) (*Store, context.Context) {
	t.Helper()
	config := Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: newMapKeychain(0).items()}
	beginSession(t, openStore(t, config), "refresh")
	ctx, cancel := context.WithCancel(t.Context())
	asking, answers := config.Keychain.Get, make(chan struct{})
	t.Cleanup(func() { close(answers) })
	config.Keychain.Get = func(service, user string) (string, error) {
		if ctx.Err() == nil {
			cancel()
			<-answers
		}
		return asking(service, user)
	}
	return openStore(t, config), ctx
}

// Nobody has revoked what could not be read. So it stays for another logout, and is not used until then.
func TestForgetLeavesWhatCouldNotBeRead(t *testing.T) {
	t.Parallel()
	items := newMapKeychain(0)
	config := Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: items.items()}
	beginSession(t, openStore(t, config), "refresh")
	failures := 1
	config.Keychain.Get = func(service, user string) (string, error) {
		if failures--; failures >= 0 {
			return "", errors.New("busy")
		}
		return items.get(service, user)
	}
	store := openStore(t, config)
	held, err := store.Holdings(t.Context(), key)
	if err != nil || len(held.Sessions) > 0 || !errors.Is(held.Unread, token.ErrUnreadSession) {
		t.Fatalf("%+v, %v", held, err)
	}
	if err := store.Forget(t.Context(), key, held); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Session(t.Context(), key); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("it is still used: %v", err)
	}
	held, err = store.Holdings(t.Context(), key)
	if err != nil || len(held.Sessions) != 1 {
		t.Errorf("it is lost: %+v, %v", held, err)
	}
}

// What fails after it was read is still there.
func TestForgetFailsAfterHoldings(t *testing.T) {
	t.Parallel()
	config := Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: newMapKeychain(0).items()}
	beginSession(t, openStore(t, config), "refresh")
	held, err := openStore(t, config).Holdings(t.Context(), key)
	if err != nil || len(held.Sessions) != 1 {
		t.Fatal(held, err)
	}
	config.Keychain = refusingKeychain()
	if err := openStore(t, config).Forget(t.Context(), key, held); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("got %v", err)
	}
}

// Records of builds that did not write whose they are serve nobody, but their tokens live on at the provider.
func TestHoldingsOfAnOlderBuild(t *testing.T) {
	t.Parallel()
	var warnings []error
	config := Config{Mode: Disk, Directory: t.TempDir(), Locks: t.TempDir()}
	config.Warn = func(err error) { warnings = append(warnings, err) }
	store := openStore(t, config)
	beginSession(t, store, "refresh")
	for _, kind := range []string{"session", "id-token"} {
		path := filepath.Join(config.Directory, key.ID()+"."+kind+".json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		older := strings.Replace(string(text), `"key":"`+key.ID()+`",`, "", 1)
		if err := os.WriteFile(path, []byte(older), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Session(t.Context(), key); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("session: got %v", err)
	}
	if _, err := store.IDToken(t.Context(), key); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("ID token: got %v", err)
	}
	const want = "a stored record is passed over: record is of an older build, which did not write to which login it belongs"
	if len(warnings) != 2 || warnings[0].Error() != want || warnings[1].Error() != want {
		t.Errorf("got %v", warnings)
	}
	held, err := store.Holdings(t.Context(), key)
	if err != nil || len(held.Sessions) != 1 || held.Sessions[0].RefreshToken.Reveal() != "refresh" || len(held.IDTokens) != 1 {
		t.Errorf("got %+v, %v", held, err)
	}
}

// The kernel's keyring can fail for a moment, when other programs use up the person's quota. Then nobody is "not logged in", and
// what has ended meanwhile is not used later, but revoked by the next logout.
func TestKernelKeyringFailsForAMoment(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *Store){
		"logout": func(t *testing.T, store *Store) {
			held, err := store.Holdings(t.Context(), key)
			if err != nil || len(held.Sessions) > 0 || !errors.Is(held.Unread, token.ErrUnreadSession) {
				t.Fatalf("%+v, %v", held, err)
			}
			if err := store.Forget(t.Context(), key, held); err != nil {
				t.Fatal(err)
			}
		},
		"clean": func(t *testing.T, store *Store) {
			if cleaned, err := store.Clean(t.Context()); err != nil || len(cleaned.Silent) != 2 {
				t.Fatalf("%+v, %v", cleaned, err)
			}
		},
		"end": func(t *testing.T, store *Store) {
			if err := store.End(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			works := Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: refusingKeychain()}
			works.KernelKeyring = newMapKeychain(0).items()
			beginSession(t, openStore(t, works), "refresh")
			full := works
			full.KernelKeyring = failingKeychain(errors.New("it is full"))
			if _, err := openStore(t, full).Session(t.Context(), key); !errors.Is(err, token.ErrUnreadSession) {
				t.Errorf("the session may be there, but: %v", err)
			}
			end(t, openStore(t, full))
			if _, err := openStore(t, works).Session(t.Context(), key); !errors.Is(err, token.ErrNotFound) {
				t.Errorf("it is still used: %v", err)
			}
			if held, err := openStore(t, works).Holdings(t.Context(), key); err != nil || len(held.Sessions) != 1 {
				t.Errorf("it is lost: %+v, %v", held, err)
			}
		})
	}
}

// In a container, the kernel lets nobody have keys. Nothing is ever there, so nobody hears of it.
func TestForgetWithoutKernelKeyring(t *testing.T) {
	t.Parallel()
	var warnings []error
	store := openStore(t, Config{
		Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: newMapKeychain(0).items(), KernelKeyring: failingKeychain(syscall.EPERM),
		Warn: func(err error) { warnings = append(warnings, err) },
	})
	beginSession(t, store, "refresh")
	held, err := store.Holdings(t.Context(), key)
	if err != nil || held.Unread != nil || len(held.Sessions) != 1 {
		t.Errorf("%+v, %v", held, err)
	}
	if err := store.Forget(t.Context(), key, held); err != nil {
		t.Error(err)
	}
	if cleaned, err := store.Clean(t.Context()); err != nil || len(cleaned.Silent)+len(warnings) > 0 {
		t.Errorf("%+v, %v, %v", cleaned, err, warnings)
	}
}
