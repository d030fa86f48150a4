//go:build !linux && !darwin && !windows && !freebsd

package cli

import "os"

// parentOf names the process that started us; when it began is not told here.
func parentOf() (pid int, started string) { return os.Getppid(), "" }

// parentArguments are not told here.
func parentArguments() []string { return nil }
