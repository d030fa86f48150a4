package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// What the notes in a home say stays true when it becomes read-only, and what they cannot say then is said elsewhere.
func TestKeychainNotesInAReadOnlyHome(t *testing.T) {
	t.Parallel()
	var user uint32 // root may write everywhere
	if os.Getuid() == 0 {
		user = 3_999_999_103
	}
	for _, event := range []string{"logout", "end", "end that works"} {
		if got := run(t, user, "use a read-only home", event); got != "" {
			t.Errorf("%s: %s", event, got)
		}
	}
}

// useReadOnlyHome says what goes wrong.
func useReadOnlyHome(arguments []string) string {
	root, err := os.MkdirTemp("", "store")
	if err != nil {
		return err.Error()
	}
	locks := filepath.Join(root, "locks")
	defer func() {
		_ = os.Chmod(locks, 0o700) //nolint:gosec // a folder
		_ = os.RemoveAll(root)
	}()
	open := func(keychain Keychain) *Store {
		store, err := Open(Config{
			Mode: Auto, Directory: filepath.Join(root, "cache"), Locks: locks, FallbackLocks: filepath.Join(root, "fallback"),
			Keychain: keychain, KernelKeyring: refusingKeychain(), Now: time.Now, Warn: func(error) {}, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			panic(err)
		}
		return store
	}
	ctx, works := context.Background(), newMapKeychain(0).items()
	if err := open(works).Begin(ctx, key, token.Set{Session: setOf(key).Session}); err != nil {
		return err.Error()
	}
	notes, err := filepath.Glob(filepath.Join(locks, "*"))
	if err != nil || len(notes) != 1 {
		return fmt.Sprintf("expected a note, got %v, %v", notes, err)
	}
	if err := errors.Join(os.Chmod(notes[0], 0o400), os.Chmod(locks, 0o500)); err != nil { //nolint:gosec // a folder
		return err.Error()
	}
	silent := open(refusingKeychain())
	if _, err := silent.Session(ctx, key); !errors.Is(err, token.ErrUnreadSession) {
		return fmt.Sprintf("the keychain may have it, but: %v", err)
	}
	switch arguments[0] {
	case "logout":
		var held token.Holdings
		if held, err = silent.Holdings(ctx, key); err == nil && held.Unread != nil {
			err = silent.Forget(ctx, key, held)
		}
	case "end":
		err = silent.End(ctx, key)
	default:
		err = open(works).End(ctx, key)
	}
	if err != nil {
		return err.Error()
	}
	for _, keychain := range []Keychain{works, refusingKeychain()} {
		if _, err := open(keychain).Session(ctx, key); !errors.Is(err, token.ErrNotFound) {
			return fmt.Sprintf("it has ended, but: %v", err)
		}
	}
	return ""
}
