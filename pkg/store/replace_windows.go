package store

import (
	"os"
	"time"
)

// replace renames over an existing file. Windows refuses while a virus scanner or another process has the old file open,
// for some milliseconds.
func replace(from, to string) error {
	var err error
	for wait := time.Millisecond; wait < 200*time.Millisecond; wait *= 2 {
		if err = os.Rename(from, to); err == nil {
			return nil
		}
		time.Sleep(wait)
	}
	return err
}

// syncFolder does nothing: Windows lets nobody wait for that.
func syncFolder(string) {}
