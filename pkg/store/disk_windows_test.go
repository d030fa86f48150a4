package store

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// A scanner that has the file of a session for some milliseconds keeps nobody from ending the session.
func TestRemoveWhileAnotherProgramReads(t *testing.T) {
	t.Parallel()
	vault := &disk{directory: t.TempDir()}
	if err := vault.set(t.Context(), nameOfSession, []byte("value")); err != nil {
		t.Fatal(err)
	}
	name, err := windows.UTF16PtrFromString(vault.path(nameOfSession))
	if err != nil {
		t.Fatal(err)
	}
	scanner, err := windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = windows.CloseHandle(scanner) })
	if err := vault.remove(t.Context(), nameOfSession); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(vault.directory, "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
