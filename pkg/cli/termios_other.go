//go:build unix && !(darwin || dragonfly || freebsd || netbsd || openbsd)

package cli

import "golang.org/x/sys/unix"

const getModes, setModes = unix.TCGETS, unix.TCSETS
