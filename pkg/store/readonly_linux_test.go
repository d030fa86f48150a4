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

	"golang.org/x/sys/unix"

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

// A home on NFS that is read-only grants locks that are shared, but none that exclude
// (nfs4_proc_lock in https://github.com/torvalds/linux/blob/v6.12/fs/nfs/nfs4proc.c). That is no lock, so another folder is tried.
func TestLockOnReadOnlyNFS(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	got := run(t, 0, "lock on read-only NFS", filepath.Join(folder, "home"), filepath.Join(folder, "fallback"))
	if want := fmt.Sprintf("%v: %v\n%[2]v", token.ErrNoLock, unix.EBADF); got != want { // the filter is for every folder
		t.Errorf("expected %q, got %q", want, got)
	}
}

func lockOnReadOnlyNFS(arguments []string) string {
	store, err := Open(Config{
		Mode: Disk, Locks: arguments[0], FallbackLocks: arguments[1], Waiting: func(Holder) {}, Now: time.Now,
		Log: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		err = forbidExclusiveLocks()
	}
	if err != nil {
		return err.Error()
	}
	_, err = store.Lock(context.Background(), key, token.Refresh)
	return say("locked", err)
}

func forbidExclusiveLocks() error {
	const operation = 24 // where the second argument of the call is, in its lower half
	return filterCalls([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_FLOCK, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: operation},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.LOCK_EX, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EBADF)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	})
}
