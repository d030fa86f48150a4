package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// ProbeKeychain writes, reads and removes an item of its own in the OS keychain, and returns how long that took.
func (s *Store) ProbeKeychain(ctx context.Context) (time.Duration, error) {
	items := newKeychain(InKeychain, s.config.keychain())
	name, value := "probe/"+rand.Text(), rand.Text()
	started := time.Now()
	err := items.set(ctx, name, []byte(value))
	if err == nil {
		var got []byte
		if got, err = items.get(ctx, name); err == nil && string(got) != value {
			err = errors.New("the keychain returns something else than was put into it")
		}
		err = errors.Join(err, items.remove(ctx, name))
	}
	return time.Since(started), err
}

// CheckFiles returns an error where others can read or change what this program keeps in files. What is not there is
// fine: it will be made for its owner alone.
func (s *Store) CheckFiles() error {
	if runtime.GOOS == "windows" {
		return nil // the profile's access rights protect it
	}
	var open []error
	err := filepath.WalkDir(s.config.Directory, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && entry.Type()&fs.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0 && len(open) < 3 {
			open = append(open, fmt.Errorf("%s has the mode %04o", path, info.Mode().Perm()))
		}
		return nil
	})
	return errors.Join(append(open, err)...)
}

// TryFile writes and removes a file where records lie, and returns why that cannot be.
func (s *Store) TryFile() error {
	if s.config.Mode == None {
		return nil
	}
	if err := (&disk{directory: s.config.Directory}).try(); err != nil {
		return fmt.Errorf("token cache: %w", err)
	}
	return nil
}

// try leaves nothing that a later save would not sweep.
func (d *disk) try() error {
	if err := os.MkdirAll(d.directory, 0o700); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(d.directory, temporaryPrefix+"*")
	if err != nil {
		return err
	}
	return errors.Join(d.fill(temporary, []byte("probe")), os.Remove(temporary.Name()))
}

// OfKubelogin are the files with tokens that int128/kubelogin has left in the folder of records, by path. It has the same
// folder by default, and names them by a SHA-256
// (https://github.com/int128/kubelogin/blob/master/pkg/tokencache/repository/repository.go).
func (s *Store) OfKubelogin() []string {
	var paths []string
	for _, entry := range ownEntries(s.config.Directory) {
		if isID(entry.Name()) && isOwnFile(entry) {
			paths = append(paths, filepath.Join(s.config.Directory, entry.Name()))
		}
	}
	return paths
}

// CheckLocks returns an error where no lock can be had.
func (s *Store) CheckLocks() error {
	return s.folders.inFirst(func(folder folder) error {
		path := filepath.Join(folder.path, "probe.lock")
		defer func() { _ = os.Remove(path) }()
		return canLock(folder.path, path)
	})
}
