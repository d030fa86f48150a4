//go:build unix

package store

import (
	"io/fs"
	"os"
	"syscall"
)

// isOurs reports whether a file or folder belongs to this user and cannot be changed by others.
func isOurs(info fs.FileInfo) bool {
	return belongsToUs(info) && info.Mode().Perm()&0o022 == 0
}

func belongsToUs(info fs.FileInfo) bool {
	status, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(status.Uid) == os.Getuid()
}

// isOpenToOthers reports whether others may read or write a file.
func isOpenToOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
