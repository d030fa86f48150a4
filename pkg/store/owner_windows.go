package store

import "io/fs"

// A person's folders are closed to others by the access lists they inherit, and links need an administrator.

func isOurs(fs.FileInfo) bool { return true }

func belongsToUs(fs.FileInfo) bool { return true }

func isOpenToOthers(fs.FileInfo) bool { return false }
