package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/sharedfile"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// disk is a vault of files that only their owner can read, in a folder that only their owner can enter.
type disk struct {
	directory string
	// lossy leaves out the wait for the disk, for what can be fetched again.
	lossy bool
}

// A save takes milliseconds; a temporary file of this age belongs to a process that was killed.
const staleAfter = time.Hour

const temporaryPrefix = ".new-"

// path turns a name like ID/session into a file like ID.session.json.
func (d *disk) path(name string) string {
	return filepath.Join(d.directory, strings.ReplaceAll(name, "/", ".")+".json")
}

func (d *disk) get(_ context.Context, name string) ([]byte, error) {
	text, err := readPrivate(d.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, token.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("token cache: %w", err)
	}
	return text, nil
}

// errNotOurs says that somebody else has put a file where ours should be.
var errNotOurs = errors.New("is a link or belongs to somebody else")

// readPrivate reads a file of this user. One that others could read is closed to them; what somebody else has put there
// is not believed.
func readPrivate(path string) ([]byte, error) {
	file, err := sharedfile.Open(path)
	if err != nil {
		if link, lookErr := os.Lstat(path); lookErr == nil && link.Mode()&fs.ModeSymlink != 0 {
			return nil, fmt.Errorf("%s %w", path, errNotOurs)
		}
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || !belongsToUs(info) {
		return nil, fmt.Errorf("%s %w", path, errNotOurs)
	}
	if isOpenToOthers(info) {
		if err := file.Chmod(0o600); err != nil {
			return nil, err
		}
	}
	text := make([]byte, info.Size())
	_, err = io.ReadFull(file, text)
	return text, err
}

// set replaces the file at once or not at all: a reader sees the old text or the new one. That is so after a power cut, too, and
// it is the new one once set has returned, but for what is lossy: that may be lost then.
func (d *disk) set(_ context.Context, name string, value []byte) error {
	if err := os.MkdirAll(d.directory, 0o700); err != nil {
		return fmt.Errorf("token cache: %w", err)
	}
	d.sweep()
	temporary, err := os.CreateTemp(d.directory, temporaryPrefix+"*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("token cache: %w", err)
	}
	err = d.fill(temporary, value)
	if err == nil {
		err = sharedfile.Replace(temporary.Name(), d.path(name))
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return fmt.Errorf("token cache: %w", err)
	}
	if !d.lossy {
		sharedfile.SyncFolder(d.directory)
	}
	return nil
}

// sweep removes what killed processes left behind, since it may hold a token.
func (d *disk) sweep() {
	entries, _ := os.ReadDir(d.directory)
	for _, name := range temporariesOlderThan(staleAfter, entries) {
		_ = os.Remove(filepath.Join(d.directory, name))
	}
}

// temporariesOlderThan are the names of our temporary files of that age.
func temporariesOlderThan(age time.Duration, entries []fs.DirEntry) []string {
	var names []string
	for _, entry := range entries {
		number, ok := strings.CutPrefix(entry.Name(), temporaryPrefix)
		if !ok || number == "" || strings.Trim(number, "0123456789") != "" || !isOwnFile(entry) {
			continue
		}
		// File times are the system's, so its clock judges them.
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > age {
			names = append(names, entry.Name())
		}
	}
	return names
}

func (d *disk) fill(file *os.File, value []byte) error {
	_, err := file.Write(value)
	if err == nil && !d.lossy {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func (d *disk) remove(_ context.Context, name string) error {
	if err := sharedfile.Remove(d.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("token cache: %w", err)
	}
	return nil
}
