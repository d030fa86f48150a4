//go:build unix

package sharedfile

import (
	"os"
	"syscall"
)

// Open opens a file for reading, so that others can replace it meanwhile. A link is an error.
func Open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
}

// Replace renames a file over one of the same folder, which others may have open. Before, during and after it there is a file of
// that name.
func Replace(from, to string) error { return os.Rename(from, to) }

// Remove removes a file that others may have open.
func Remove(path string) error { return os.Remove(path) }

// SyncFolder waits until the names in a folder are on the disk, too, so that a rename outlives a power cut. Some file systems know
// no such thing, and say so; the rename is then done all the same.
func SyncFolder(path string) {
	if folder, err := os.Open(path); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
}
