package sharedfile

import (
	"errors"
	"io/fs"
	"os"
	"testing"

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
