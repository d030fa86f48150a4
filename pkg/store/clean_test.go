package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// A session that is split over many items goes with all of them, and so does one of which an item is missing.
func TestCleanRemovesSplitValues(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"whole", "torn"} {
		items := newMapKeychain(500)
		store := openStore(t, Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: items.items()})
		beginSession(t, store, strings.Repeat("refresh", 400))
		if len(items.secrets) < 5 {
			t.Fatalf("the session is in %d items", len(items.secrets))
		}
		if name == "torn" {
			for user := range items.secrets {
				if strings.HasSuffix(user, "/0") {
					delete(items.secrets, user)
				}
			}
		}
		if _, err := store.Clean(t.Context()); err != nil || len(items.secrets) > 0 {
			t.Errorf("%s: %d items are left, %v", name, len(items.secrets), err)
		}
	}
}

// Whoever is renewing a session would save it again, so they are waited for; the lock of a login under way stays a lock.
func TestCleanAndLocks(t *testing.T) {
	t.Parallel()
	store := openStore(t, Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: newMapKeychain(0).items()})
	beginSession(t, store, "refresh")
	unlock, err := store.Lock(t.Context(), key, token.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := store.Clean(short); err == nil {
		t.Error("the lock was passed over")
	}
	if _, err := store.Session(t.Context(), key); err != nil {
		t.Errorf("the session is gone under its lock: %v", err)
	}
	unlock()

	login, err := store.Lock(t.Context(), key, token.Login)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(store.config.Locks, key.ID()+".login.lock")
	if _, err := store.Clean(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the lock that is held: %v", err)
	}
	login()
	if _, err := store.Clean(t.Context()); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(store.config.Locks); err == nil {
		t.Errorf("left: %v", left)
	}
}

// Ctrl-C while the keychain is waited for ends no session.
func TestInterruptedClean(t *testing.T) {
	t.Parallel()
	store, interrupt := interruptedStore(t)
	if _, err := store.Clean(interrupt); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := store.Session(t.Context(), key); err != nil {
		t.Errorf("the session is not used any more: %v", err)
	}
}

func beginSession(t *testing.T, store *Store, refreshToken string) {
	t.Helper()
	now := time.Now()
	err := store.Begin(t.Context(), key, token.Set{
		IDToken: token.IDToken{Raw: token.NewSecret("id"), Issued: now, Expiry: now.Add(time.Minute), Issuer: key.Issuer, Audience: []string{key.ClientID}},
		Session: token.Session{RefreshToken: token.NewSecret(refreshToken), Subject: "alice"},
	})
	if err != nil {
		t.Fatal(err)
	}
}
