//go:build unix

package store

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Clean can remove a lock's file between its opening and its locking. Then others would lock a new one in its place, and two would
// go on at once. (Windows removes no open file.)
func TestLockOnARemovedFile(t *testing.T) {
	t.Parallel()
	store := openStore(t, Config{Mode: Disk, Locks: t.TempDir()})
	path := filepath.Join(store.config.Locks, key.ID()+".refresh.lock")
	for name, replace := range map[string]func() error{
		"removed":  func() error { return nil },
		"replaced": func() error { return os.WriteFile(path, nil, 0o600) },
	} {
		lock, err := tryLock(store.config.Locks, path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := replace(); err != nil {
			t.Fatal(err)
		}
		unlock, err := store.await(t.Context(), lock, token.Refresh)
		if err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if again, err := store.Lock(short, key, token.Refresh); err == nil {
			again()
			t.Errorf("%s: two have the lock at once", name)
		}
		cancel()
		unlock()
	}
}
