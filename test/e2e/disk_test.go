package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// namesOfSecrets returns everything that went through the token endpoint and must not be on disk, with what it is.
func namesOfSecrets(t *testing.T, exchanges []Exchange) map[string]string {
	t.Helper()
	names := map[string]string{}
	for _, exchange := range tokenRequests(exchanges) {
		for _, name := range []string{"code", "code_verifier", "refresh_token"} {
			names[exchange.Form.Get(name)] = name
		}
		tokens := exchange.Tokens(t)
		names[tokens.AccessToken] = "access_token"
		names[tokens.RefreshToken] = "refresh_token"
	}
	delete(names, "") // not every request has all of them
	return names
}

// assertOnlyIDTokenOnDisk reads all that the plugin has left in the home (`kubectl auth whoami` leaves nothing): one file
// has the ID token, none has a secret, and nobody else may read them.
func assertOnlyIDTokenOnDisk(t *testing.T, home, idToken string, namesOfSecrets map[string]string) {
	t.Helper()
	idTokenFiles := 0
	err := filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != home {
			assertPrivate(t, path, entry)
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for secret, name := range namesOfSecrets {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s contains the %s", path, name)
			}
		}
		if bytes.Contains(content, []byte(idToken)) {
			idTokenFiles++
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if idTokenFiles != 1 {
		t.Errorf("%d files contain the ID token, want 1", idTokenFiles)
	}
}

// assertPrivate sees that a file or folder is the person's alone.
func assertPrivate(t *testing.T, path string, entry fs.DirEntry) {
	t.Helper()
	info, err := entry.Info()
	if err != nil {
		t.Error(err)
		return
	}
	want := fs.FileMode(0o600)
	if info.IsDir() {
		want = 0o700
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has the mode %#o, want %#o", path, got, want)
	}
}
