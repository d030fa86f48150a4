//go:build !linux

package test

import "errors"

// actUnprivileged is for Linux alone.
func actUnprivileged() { check(errors.New("root's powers cannot be taken away here")) }
