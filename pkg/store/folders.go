package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/sharedfile"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// folder is one for locks and notes.
type folder struct {
	path string
	// isPublic is true where others may have made it, so that it must be looked at before it is believed.
	isPublic bool
}

// folders are those for locks and notes, of which the first that works is used: the home may be read-only, or have no locks.
type folders []folder

func (c Config) folders() folders {
	var all folders
	if c.Locks != "" {
		all = append(all, folder{path: c.Locks})
	}
	if c.FallbackLocks != "" {
		all = append(all, folder{c.FallbackLocks, true})
	}
	return all
}

// have returns the folders in which something of ours can be.
func (f folders) have() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, folder := range f {
			if (!folder.isPublic || isPrivate(folder.path) == nil) && !yield(folder.path) {
				return
			}
		}
	}
}

// makePrivate makes a folder that is ours alone. One that somebody else has made in a place open to all is refused.
func makePrivate(directory string) error {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	return isPrivate(directory)
}

func isPrivate(directory string) error {
	info, err := os.Lstat(directory)
	if err != nil {
		return err
	}
	if !info.IsDir() || !isOurs(info) {
		return fmt.Errorf("%s belongs to somebody else", directory)
	}
	return nil
}

// read returns a note, or token.ErrNotFound.
func (f folders) read(name string) ([]byte, error) {
	failure := token.ErrNotFound
	for directory := range f.have() {
		text, err := readNoteFile(filepath.Join(directory, name))
		if err == nil {
			return text, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			failure = fmt.Errorf("note: %w", err)
		}
	}
	return nil, failure
}

// readNoteFile fails where the note could not be written: it is out of date, and the current one lies elsewhere.
func readNoteFile(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	text := make([]byte, info.Size())
	size, err := io.ReadFull(file, text)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // begun anew meanwhile
	}
	return text[:size], err
}

// write replaces a note, without waiting for the disk.
func (f folders) write(name string, text []byte) error {
	return f.inFirst(func(folder folder) error {
		if err := makePrivate(folder.path); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder.path, name), text, 0o600)
	})
}

// appendLine adds a line to a note. The folder is made only where it is missing, since this is done at each call.
func (f folders) appendLine(name string, line []byte) error {
	return f.inFirst(func(folder folder) error {
		path, err := filepath.Join(folder.path, name), error(fs.ErrNotExist)
		if !folder.isPublic {
			err = appendLine(path, line)
		}
		if errors.Is(err, fs.ErrNotExist) {
			if err := makePrivate(folder.path); err != nil {
				return err
			}
			err = appendLine(path, line)
		}
		return err
	})
}

// inFirst does something in the first folder where it can be done.
func (f folders) inFirst(do func(folder) error) error {
	if len(f) == 0 {
		return errors.New("no folder")
	}
	var failures []error
	for _, folder := range f {
		err := do(folder)
		if err == nil {
			return nil
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// has reports whether there is a note. It counts wherever it is, also where nobody can write any more.
func (f folders) has(name string) bool {
	for directory := range f.have() {
		if isNoteFile(filepath.Join(directory, name)) {
			return true
		}
	}
	return false
}

func isNoteFile(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

// remove removes a note, wherever it lies.
func (f folders) remove(name string) error { return f.inEach(name, sharedfile.Remove) }

// rename makes one note another, wherever it lies, at once. A full disk has room for that.
func (f folders) rename(from, to string) error {
	return f.inEach(from, func(path string) error { return sharedfile.Replace(path, filepath.Join(filepath.Dir(path), to)) })
}

// inEach takes a note away in each folder. One that is there afterwards is an error.
func (f folders) inEach(name string, takeAway func(path string) error) error {
	var failures []error
	for directory := range f.have() {
		path := filepath.Join(directory, name)
		if err := takeAway(path); err != nil && isNoteFile(path) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
