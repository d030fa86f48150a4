//go:build unix

package store

import (
	"os"
	"syscall"
)

// openToRead opens a file that others may replace meanwhile. A link is not followed.
func openToRead(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
}

// replace renames over an existing file of the same folder.
func replace(from, to string) error { return os.Rename(from, to) }

// removeFile removes a file.
func removeFile(path string) error { return os.Remove(path) }

// syncFolder waits until the names in a folder are on the disk, too. Some file systems know no such thing, and say so.
func syncFolder(path string) {
	if folder, err := os.Open(path); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
}
