package kubeconfig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/sharedfile"
)

// Writer changes files. Its functions come from the caller.
type Writer struct {
	Now func() time.Time
	// Sleep waits, and returns the cause where the context ends first.
	Sleep func(context.Context, time.Duration) error
}

// Written is what became of one file.
type Written struct {
	File          string
	Before, After []byte // they may have secrets in them; Redacted has none
	Backup        string // the file with the text before; empty where there was none, or nothing changed
}

const (
	lockWait  = 5 * time.Second // kubectl holds its lock for milliseconds
	lockPause = 50 * time.Millisecond
	attempts  = 3 // where somebody without a lock writes at the same time
)

// Preview says what Write would do.
func Preview(path string, change Change) (Written, error) {
	before, _, err := read(path)
	if err != nil {
		return Written{}, err
	}
	after, err := change.Apply(before)
	if err != nil {
		return Written{}, fmt.Errorf("kubeconfig %s: %w", path, harmless(err))
	}
	return Written{File: path, Before: before, After: after}, nil
}

// Write changes a file, or makes it. The old text is kept in a backup beside it. Other programs see the old text or the
// new one, never a part; kubectl is kept out by the lock that it uses itself. Whatever fails, the old text is there.
func (w Writer) Write(ctx context.Context, path string, change Change) (Written, error) {
	target, err := realPath(path)
	if err != nil {
		return Written{}, fmt.Errorf("kubeconfig: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return Written{}, fmt.Errorf("kubeconfig: %w", err)
	}
	unlock, err := w.lock(ctx, path, target)
	if err != nil {
		return Written{}, err
	}
	defer unlock()
	for range attempts {
		written, err := Preview(path, change)
		if err != nil || bytes.Equal(written.Before, written.After) {
			return written, err
		}
		written.Backup, err = w.replace(target, written)
		if !errors.Is(err, errChanged) {
			return written, err
		}
	}
	return Written{}, fmt.Errorf("kubeconfig %s: another program writes to it again and again", path)
}

// errChanged says that the file is no longer what was read.
var errChanged = errors.New("it has changed meanwhile")

// read returns an empty text where there is no file.
func read(path string) (text []byte, info fs.FileInfo, err error) {
	info, err = os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", path)
	}
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("kubeconfig: %w", err)
	}
	return text, info, nil
}

// realPath follows symbolic links, so that they stay.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for range 40 { // as Linux does
		link, err := os.Readlink(path)
		if err != nil {
			return path, nil // the end, or nothing is there yet
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", fmt.Errorf("%s: too many symbolic links", path)
}

// lock takes kubectl's locks: a file that only one process can make. It is for the name that was given, as kubectl's is,
// and for the file behind it.
func (w Writer) lock(ctx context.Context, path, target string) (unlock func(), err error) {
	var locks []string
	unlock = func() {
		for _, lock := range locks {
			_ = os.Remove(lock)
		}
	}
	names := []string{target + ".lock"}
	if name, err := filepath.Abs(path); err == nil && name != target {
		names = append(names, name+".lock")
	}
	slices.Sort(names) // whoever needs two takes them in the same order
	for _, name := range names {
		if err := w.lockOne(ctx, name); err != nil {
			unlock()
			return nil, err
		}
		locks = append(locks, name)
	}
	return unlock, nil
}

func (w Writer) lockOne(ctx context.Context, name string) error {
	until := w.Now().Add(lockWait)
	for {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL, 0)
		switch {
		case err == nil:
			return file.Close()
		case !errors.Is(err, fs.ErrExist):
			return fmt.Errorf("kubeconfig: %w", err)
		case w.Now().After(until):
			return fmt.Errorf("kubeconfig: another program is changing it; if none is, remove %s", name)
		}
		if err := w.Sleep(ctx, lockPause); err != nil {
			return err
		}
	}
}

// replace puts a new file into the place of the old one, which becomes the backup first.
func (w Writer) replace(target string, written Written) (backup string, err error) {
	_, info, err := read(target)
	if err != nil {
		return "", err
	}
	mode := fs.FileMode(0o600)
	if info != nil {
		mode = info.Mode().Perm()
		if mode&0o200 == 0 {
			return "", fmt.Errorf("kubeconfig: %s is read-only, and so left as it is", target)
		}
		if backup, err = w.backUp(target, written.Before, mode); err != nil {
			return "", err
		}
	}
	fresh, err := writeBeside(target, written.After, mode, info)
	if err == nil {
		err = swap(fresh, target, written.Before)
	}
	if err != nil {
		_ = os.Remove(fresh)
		if backup != "" {
			_ = os.Remove(backup) // the file itself is still there
		}
		return "", err
	}
	return backup, nil
}

// swap renames, if nobody has changed the file since it was read.
func swap(fresh, target string, before []byte) error {
	now, _, err := read(target)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, before) {
		return errChanged
	}
	if err := sharedfile.Replace(fresh, target); err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	sharedfile.SyncFolder(filepath.Dir(target))
	return nil
}

// backUp never writes over a file.
func (w Writer) backUp(target string, text []byte, mode fs.FileMode) (string, error) {
	name := target + "." + w.Now().UTC().Format("20060102T150405Z") + ".backup"
	for n := 1; ; n++ {
		path := name
		if n > 1 {
			path = fmt.Sprintf("%s.%d", name, n)
		}
		err := writeNew(path, text, mode)
		if errors.Is(err, fs.ErrExist) && n < 100 {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("kubeconfig: no backup can be written, so nothing was changed: %w", err)
		}
		return path, nil
	}
}

// writeBeside writes a text to a new file with the owner and the mode of the old one.
func writeBeside(target string, text []byte, mode fs.FileMode, old fs.FileInfo) (string, error) {
	file, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".new-*")
	if err != nil {
		return "", fmt.Errorf("kubeconfig: %w", err)
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(mode), keepOwner(file, old), file.Sync())
	if err = errors.Join(err, file.Close()); err != nil {
		return file.Name(), fmt.Errorf("kubeconfig: %w", err)
	}
	return file.Name(), nil
}

func writeNew(path string, text []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode&0o700)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}
