//go:build unix

package store

import (
	"io/fs"
	"os"
	"syscall"
)

// isOurs reports whether a folder belongs to this user and is closed to all others.
func isOurs(info fs.FileInfo) bool {
	status, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(status.Uid) == os.Getuid() && info.Mode().Perm()&0o022 == 0
}
