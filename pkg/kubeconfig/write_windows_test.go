package kubeconfig

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// kubectl reads the kubeconfig in a way that lets nobody replace it meanwhile, and so does a virus scanner.
func TestWriteWhileAnotherProgramReads(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config")
	writeFile(t, path, bobText, 0o600)
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = windows.CloseHandle(other) })
	if _, err := writer().Write(t.Context(), path, Change{Users: []User{alice()}}); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, path); got != bobText+aliceText {
		t.Errorf("got\n%s", got)
	}
}
