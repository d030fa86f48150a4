package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

const (
	// How often a taken lock is tried again: far below what a person notices, far above what costs.
	lockRetry = 5 * time.Millisecond
	// A wait that lasts longer is told to the person.
	lockPatience = time.Second
	// A refresh is a few bounded round trips: whoever waits for longer waits for a process that hangs, or for a provider that
	// lets each of many calls wait.
	refreshLockTimeout = 45 * time.Second
	// A login takes as long as its person; the longest that is waited for.
	loginLockTimeout = time.Hour
)

// Holder is who holds a lock.
type Holder struct {
	Purpose token.Purpose
	PID     int       // 0: not known
	Since   time.Time // zero: not known
}

// Lock implements token.Store. The lock is the operating system's and ends with the process that holds it.
func (s *Store) Lock(ctx context.Context, key token.Key, purpose token.Purpose) (func(), error) {
	if s.config.Mode == None {
		return func() {}, nil // there is nothing that processes share
	}
	return s.lock(ctx, key.ID(), purpose)
}

// lock takes the lock of the key with this ID.
func (s *Store) lock(ctx context.Context, id string, purpose token.Purpose) (func(), error) {
	var lock *flock.Flock
	cause := s.folders.inFirst(func(folder folder) (err error) {
		lock, err = tryLock(folder.path, filepath.Join(folder.path, id+"."+string(purpose)+".lock"))
		return err
	})
	if cause == nil {
		return s.await(ctx, lock, purpose)
	}
	return nil, &token.Error{
		Err:  fmt.Errorf("%w: %w", token.ErrNoLock, cause),
		Hint: []string{"Make the folder writable for yourself alone. Without a lock, two calls at once could end your session."},
	}
}

// tryLock takes a lock unless somebody else has it, which is no error. It fails where none can be had at all: a full or read-only
// disk, or a network file system, may have none that excludes, though it grants shared ones.
func tryLock(directory, path string) (*flock.Flock, error) {
	if err := makePrivate(directory); err != nil {
		return nil, err
	}
	lock := flock.New(path, flock.SetPermissions(0o600))
	_, err := lock.TryLock()
	return lock, err
}

// canLock tries whether a lock can be had at all there.
func canLock(directory, path string) error {
	lock, err := tryLock(directory, path)
	if err == nil {
		_ = lock.Close()
	}
	return err
}

// await waits for a lock until this process has it.
func (s *Store) await(ctx context.Context, lock *flock.Flock, purpose token.Purpose) (func(), error) {
	timeout := refreshLockTimeout
	if purpose == token.Login {
		timeout = loginLockTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	told := time.AfterFunc(lockPatience, func() { s.config.Waiting(readHolder(lock.Path(), purpose)) })
	defer told.Stop()
	for {
		if _, err := lock.TryLockContext(ctx, lockRetry); err != nil {
			_ = lock.Close()
			return nil, lockError(lock.Path(), purpose, err)
		}
		if isCurrent(lock) {
			break
		}
		_ = lock.Close()
	}
	s.writeHolder(lock.Path())
	return func() { _ = lock.Unlock() }, nil
}

// isCurrent reports whether others wait for the same file. Clean may have removed it between its opening and its locking, so that
// they lock a new one.
func isCurrent(lock *flock.Flock) bool {
	held, err := lock.Stat()
	if err != nil {
		return false
	}
	current, err := os.Stat(lock.Path())
	return err == nil && os.SameFile(held, current)
}

func lockError(path string, purpose token.Purpose, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted while waiting for another process")
	case !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("lock: %w", err)
	}
	held := errors.New("lock: another process holds it")
	if holder := readHolder(path, purpose); holder.PID != 0 {
		held = fmt.Errorf("lock: process %d has held it since %s", holder.PID, holder.Since.Format(time.TimeOnly))
	}
	failure := &token.Error{Err: held, Hint: []string{"End that process if it hangs."}}
	if purpose == token.Refresh {
		failure.Kind = token.Unreachable
		failure.Hint = slices.Insert(failure.Hint, 0, "Where the provider is out of reach, calls wait for each other.")
	}
	return failure
}

type holderRecord struct {
	PID   int   `json:"pid"`
	Since int64 `json:"since"` // Unix seconds
}

// writeHolder leaves a note for those who wait. It lies beside the lock, since Windows lets nobody read a locked file.
func (s *Store) writeHolder(path string) {
	record := mustEncode(holderRecord{os.Getpid(), s.config.Now().Unix()})
	_ = os.WriteFile(path+".holder", record, 0o600) // a note only
}

func readHolder(path string, purpose token.Purpose) Holder {
	var record holderRecord
	text, err := os.ReadFile(path + ".holder")
	if err != nil || json.Unmarshal(text, &record) != nil {
		return Holder{Purpose: purpose}
	}
	return Holder{purpose, record.PID, time.Unix(record.Since, 0)}
}
