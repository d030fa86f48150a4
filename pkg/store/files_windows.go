package store

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

// openToRead opens a file that others may replace meanwhile.
func openToRead(path string) (*os.File, error) {
	var file *os.File
	err := patiently(func() (err error) {
		file, err = os.OpenInRoot(filepath.Dir(path), filepath.Base(path))
		return err
	})
	return file, err
}

// replace renames over an existing file of the same folder.
func replace(from, to string) error {
	folder, err := os.OpenRoot(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	return patiently(func() error { return folder.Rename(filepath.Base(from), filepath.Base(to)) })
}

// removeFile removes a file that others may read meanwhile.
func removeFile(path string) error { return patiently(func() error { return os.Remove(path) }) }

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

// syncFolder does nothing: Windows lets nobody wait for that.
func syncFolder(string) {}
