//go:build unix

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// somebodyElses returns a regular file and a folder that belong to another user than this one.
func somebodyElses(t *testing.T) (file, folder string) {
	t.Helper()
	if os.Getuid() != 0 {
		return "/etc/passwd", "/" // root's
	}
	folder = filepath.Join(t.TempDir(), "theirs")
	file = filepath.Join(t.TempDir(), "theirs.json")
	const nobody = 65534
	if err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(file, []byte("{}"), 0o600), os.Chown(folder, nobody, nobody),
		os.Chown(file, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	return file, folder
}

// What somebody else has put where a record should be is not read, whatever its mode; neither is what a link leads to.
func TestFilesOfOthers(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-03")
	theirs, _ := somebodyElses(t)
	if text, err := readPrivate(theirs); !errors.Is(err, errNotOurs) || text != nil {
		t.Errorf("a file of another user: got %q, %v", text, err)
	}
	ours := filepath.Join(t.TempDir(), "ours.json")
	if err := os.WriteFile(ours, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readPrivate(ours); err != nil {
		t.Errorf("a file of this user: got %v", err)
	}
	for _, target := range []string{theirs, ours} {
		link := filepath.Join(t.TempDir(), "link.json")
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if text, err := readPrivate(link); !errors.Is(err, errNotOurs) || text != nil {
			t.Errorf("a link to %s: got %q, %v", target, text, err)
		}
	}
	if err := os.Chmod(ours, 0o666); err != nil { //nolint:gosec // what is to be closed
		t.Fatal(err)
	}
	if _, err := readPrivate(ours); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(ours); err != nil || info.Mode() != 0o600 {
		t.Errorf("a file that others could read: %v, %v", info.Mode(), err)
	}
}

// In a folder open to all, such as /tmp, anybody can prepare the one in which the locks are to be.
func TestLocksInAFolderOfOthers(t *testing.T) {
	t.Parallel()
	_, theirs := somebodyElses(t)
	folder := t.TempDir()
	prepare := func(name string, mode fs.FileMode) string {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := func(name, target string) string {
		path := filepath.Join(folder, name)
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ours := prepare("ours", 0o700)
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		folder string
		ok     bool
	}{
		"ours":                   {ours, true},
		"readable by all":        {prepare("readable", 0o755), true}, // there is nothing secret in it
		"writable by a group":    {prepare("group", 0o770), false},
		"writable by all":        {prepare("all", 0o777|fs.ModeSticky), false},
		"of another user":        {theirs, false},
		"a link to ours":         {link("to-ours", ours), false},
		"a link to another's":    {link("to-theirs", theirs), false},
		"a link to what is gone": {link("to-nothing", filepath.Join(folder, "gone")), false},
	} {
		store := openStore(t, Config{Mode: Disk, Locks: filepath.Join(file, "locks"), FallbackLocks: test.folder})
		unlock, err := store.Lock(t.Context(), key, token.Refresh)
		switch {
		case test.ok && err != nil:
			t.Errorf("%s: got %v", name, err)
		case !test.ok && (!errors.Is(err, token.ErrNoLock) || !strings.Contains(err.Error(), test.folder)):
			t.Errorf("%s: expected no lock there, got %v", name, err)
		}
		if err == nil {
			unlock()
		}
	}
	if entries, err := os.ReadDir(filepath.Join(folder, "gone")); err == nil {
		t.Errorf("something was made where a link led: %v", entries)
	}
}
