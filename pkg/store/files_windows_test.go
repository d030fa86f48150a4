package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// Only what a virus scanner causes may end soon.
func TestPatiently(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]int{
		windows.ERROR_SHARING_VIOLATION:                       2,
		windows.ERROR_LOCK_VIOLATION:                          2,
		windows.ERROR_ACCESS_DENIED:                           2,
		windows.ERROR_FILE_NOT_FOUND:                          1,
		windows.ERROR_INVALID_NAME:                            1,
		windows.ERROR_DISK_FULL:                               1,
		errors.New("path escapes from parent"):                1,
		&fs.PathError{Err: windows.ERROR_LOCK_VIOLATION}:      2,
		&os.LinkError{Err: windows.ERROR_WRITE_PROTECT}:       1,
		&os.LinkError{Err: windows.ERROR_ACCESS_DENIED}:       2,
		&fs.PathError{Err: windows.ERROR_PATH_NOT_FOUND}:      1,
		&fs.PathError{Err: windows.ERROR_TOO_MANY_OPEN_FILES}: 1,
	} {
		attempts := 0
		err := patiently(func() error {
			if attempts++; attempts > 1 {
				return nil
			}
			return cause
		})
		if attempts != want || (err == nil) != (want > 1) {
			t.Errorf("%v: %d attempts, %v", cause, attempts, err)
		}
	}
}

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
