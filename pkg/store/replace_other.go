//go:build !windows

package store

import "os"

// replace renames over an existing file.
func replace(from, to string) error { return os.Rename(from, to) }

// syncFolder waits until the names in a folder are on the disk, too. Some file systems know no such thing, and say so.
func syncFolder(path string) {
	if folder, err := os.Open(path); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
}
