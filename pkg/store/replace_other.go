//go:build !windows

package store

import "os"

// replace renames over an existing file.
func replace(from, to string) error { return os.Rename(from, to) }
