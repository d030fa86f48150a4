package kubeconfig

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func writer() Writer {
	return Writer{
		Now:   func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) },
		Sleep: func(ctx context.Context, _ time.Duration) error { runtime.Gosched(); return ctx.Err() },
	}
}

const bobText = "# mine\nusers:\n- name: bob\n  user: {token: x}\n"

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func filesIn(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestWrite(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "config")
	writeFile(t, path, bobText, 0o640)
	written, err := writer().Write(t.Context(), path, Change{Users: []User{alice()}})
	if err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, path); got != bobText+aliceText || string(written.After) != got || string(written.Before) != bobText {
		t.Errorf("got\n%s", got)
	}
	if got := readFile(t, written.Backup); got != bobText || filepath.Base(written.Backup) != "config.20300102T030405Z.backup" {
		t.Errorf("the backup %s has\n%s", written.Backup, got)
	}
	for file, mode := range map[string]os.FileMode{path: 0o640, written.Backup: 0o600} {
		if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != mode {
			t.Errorf("%s has the mode %s", file, info.Mode())
		}
	}
	// With nothing to do nothing is done, and a second backup in the same second has a name of its own.
	if again, err := writer().Write(t.Context(), path, Change{Users: []User{alice()}}); err != nil || again.Backup != "" {
		t.Errorf("got %q, %v", again.Backup, err)
	}
	if _, err := writer().Write(t.Context(), path, Change{CurrentContext: "x"}); err != nil {
		t.Error(err)
	}
	expected := []string{"config", "config.20300102T030405Z.backup", "config.20300102T030405Z.backup.2"}
	if got := filesIn(t, folder); !slices.Equal(got, expected) {
		t.Errorf("files: %v", got)
	}
}

func TestWriteNewFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b", "config")
	written, err := writer().Write(t.Context(), path, Change{Users: []User{alice()}})
	if err != nil || written.Backup != "" {
		t.Fatal(written.Backup, err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
	if _, err := clientcmd.LoadFromFile(path); err != nil {
		t.Error(err)
	}
}

// What cannot be changed stays as it is, with nothing beside it.
func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text  string
		mode  os.FileMode
		lock  bool
		cause string
	}{
		"broken YAML":        {text: "users: [\n", mode: 0o600, cause: "not YAML: line 2"},
		"a duplicate member": {text: "users: []\nusers: []\n", mode: 0o600, cause: "cannot be changed without losing"},
		"no kubeconfig":      {text: "- a\n", mode: 0o600, cause: "no kubeconfig"},
		"two documents":      {text: "users: []\n---\nusers: []\n", mode: 0o600, cause: "more than one YAML document"},
		"users are no list":  {text: "users: {a: b}\n", mode: 0o600, cause: "users is no list"},
		"read-only":          {text: bobText, mode: 0o400, cause: "read-only"},
		"locked":             {text: bobText, mode: 0o600, lock: true, cause: "another program is changing it; if none is, remove"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			path := filepath.Join(folder, "config")
			writeFile(t, path, test.text, test.mode)
			files := []string{"config"}
			w := writer()
			if test.lock {
				writeFile(t, path+".lock", "", 0o600)
				files = append(files, "config.lock")
				now := w.Now()
				w.Now = func() time.Time { now = now.Add(time.Second); return now }
			}
			_, err := w.Write(t.Context(), path, Change{Users: []User{alice()}})
			if err == nil || !strings.Contains(err.Error(), test.cause) || !strings.Contains(err.Error(), "kubeconfig") {
				t.Errorf("got %v", err)
			}
			if got := readFile(t, path); got != test.text {
				t.Errorf("it is now\n%s", got)
			}
			if got := filesIn(t, folder); !slices.Equal(got, files) {
				t.Errorf("files: %v", got)
			}
		})
	}
}

func TestWriteThroughLink(t *testing.T) {
	t.Parallel()
	folder, elsewhere := t.TempDir(), t.TempDir()
	path, target := filepath.Join(folder, "config"), filepath.Join(elsewhere, "real")
	writeFile(t, target, bobText, 0o600)
	if err := os.Symlink(target, path); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	written, err := writer().Write(t.Context(), path, Change{Users: []User{alice()}})
	if err != nil {
		t.Fatal(err)
	}
	if link, err := os.Readlink(path); err != nil || link != target || readFile(t, target) != bobText+aliceText {
		t.Errorf("the link leads to %s, %v", link, err)
	}
	if filepath.Dir(written.Backup) != elsewhere || !slices.Equal(filesIn(t, folder), []string{"config"}) {
		t.Errorf("the backup is %s; there are %v", written.Backup, filesIn(t, folder))
	}
}

// Many writers at once, of which some are kubectl's own code, lose nothing.
func TestWritersAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config")
	writeFile(t, path, bobText, 0o600)
	const writers = 8
	var all sync.WaitGroup
	for n := range writers {
		name := string(rune('a' + n))
		all.Go(func() {
			user := alice()
			user.Name = "ours-" + name
			w := writer()
			w.Now = time.Now
			if _, err := w.Write(t.Context(), path, Change{Users: []User{user}}); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			for writeAsKubectl(path, "kubectls-"+name) != nil {
				runtime.Gosched() // kubectl gives up at once where the file is locked
			}
		})
	}
	all.Wait()
	read, err := Load(Find(path, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Users) != 2*writers+1 {
		t.Errorf("%d users are left of %d", len(read.Users), 2*writers+1)
	}
}

// writeAsKubectl adds a user under kubectl's lock.
func writeAsKubectl(path, name string) error {
	options := clientcmd.NewDefaultPathOptions()
	options.LoadingRules.ExplicitPath = path
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_EXCL, 0)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close(); _ = os.Remove(path + ".lock") }()
	config, err := options.GetStartingConfig()
	if err != nil {
		return err
	}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: "x", LocationOfOrigin: path}
	return clientcmd.WriteToFile(*config, path)
}
