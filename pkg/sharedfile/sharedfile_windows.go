package sharedfile

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// Who opens a file by os.Open keeps others on Windows from replacing it, and os.Rename replaces none that is open. Those of
// os.Root open so that others may, and rename as POSIX does:
// https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_file_rename_information

// Open opens a file for reading, so that others can replace it meanwhile. A link out of its folder is an error.
func Open(path string) (*os.File, error) {
	var file *os.File
	err := patiently(func() (err error) {
		file, err = os.OpenInRoot(filepath.Dir(path), filepath.Base(path))
		return err
	})
	return file, err
}

// Replace renames a file over one of the same folder, which others may have open; for a second it waits for those that forbid
// that. Before, during and after it there is a file of that name.
func Replace(from, to string) error {
	folder, err := os.OpenRoot(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	return patiently(func() error { return folder.Rename(filepath.Base(from), filepath.Base(to)) })
}

// Remove removes a file that others may have open; for a second it waits for those that forbid that.
func Remove(path string) error { return patiently(func() error { return os.Remove(path) }) }

// patiently tries again for a second, since virus scanners keep files to themselves for some milliseconds.
func patiently(attempt func() error) error {
	err := attempt()
	for wait := time.Millisecond; mayPass(err) && wait <= 512*time.Millisecond; wait *= 2 {
		time.Sleep(wait)
		err = attempt()
	}
	return err
}

// mayPass recognises what a scanner causes. A file that is being removed denies access.
func mayPass(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION) ||
		errors.Is(err, windows.ERROR_ACCESS_DENIED)
}

// SyncFolder does nothing: Windows lets nobody wait for that.
func SyncFolder(string) {}
