//go:build unix

package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// hasTerminal reports whether a person sits at a terminal of this process, whatever stdin and stderr are.
func hasTerminal() bool {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	_ = terminal.Close()
	return true
}

// hasKeyboard reports whether lines typed at the terminal are for this process: not where it runs in the background, nor
// inside a full-screen program, which takes each key for itself.
func hasKeyboard() bool {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer func() { _ = terminal.Close() }()
	return takesLines(int(terminal.Fd()))
}

// readLine waits for a line. Linux takes lines of 4095 bytes; elsewhere a line may end at 1024 (MAX_CANON), which is less
// than some codes have, so the editing of lines is done here.
func readLine(ctx context.Context) (string, error) {
	return readTerminal(ctx, runtime.GOOS == "linux")
}

func readTerminal(ctx context.Context, lineEditing bool) (string, error) {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = terminal.Close() }()
	if lineEditing {
		return readLineFrom(ctx, int(terminal.Fd()), takesLines)
	}
	restore, err := lineEditingOff(int(terminal.Fd()))
	if err != nil {
		return "", err
	}
	defer restore()
	return readLineFrom(ctx, int(terminal.Fd()), isForeground)
}

// readSecret is readLine with the echo off. No password is longer than any system's lines.
func readSecret(ctx context.Context, ready func()) (string, error) {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = terminal.Close() }()
	restore, err := changeModes(int(terminal.Fd()), func(modes *unix.Termios) { modes.Lflag &^= unix.ECHO })
	if err != nil {
		return "", err
	}
	defer restore()
	ready()
	return readLineFrom(ctx, int(terminal.Fd()), takesLines)
}

// lineEditingOff lets bytes come as they are typed. They are still shown, and Ctrl-C still works.
func lineEditingOff(terminal int) (restore func(), err error) {
	return changeModes(terminal, func(modes *unix.Termios) {
		modes.Lflag &^= unix.ICANON
		modes.Cc[unix.VMIN], modes.Cc[unix.VTIME] = 1, 0
	})
}

func changeModes(terminal int, change func(*unix.Termios)) (restore func(), err error) {
	if !takesLines(terminal) {
		return nil, errors.New("another program has the terminal")
	}
	before, err := unix.IoctlGetTermios(terminal, getModes)
	if err != nil {
		return nil, err
	}
	modes := *before
	change(&modes)
	if err := unix.IoctlSetTermios(terminal, setModes, &modes); err != nil {
		return nil, err
	}
	return func() {
		if isForeground(terminal) {
			_ = unix.IoctlSetTermios(terminal, setModes, before)
		}
	}, nil
}

// readLineFrom reads byte by byte, so that what follows the line stays for who reads next.
func readLineFrom(ctx context.Context, terminal int, isOurs func(terminal int) bool) (string, error) {
	ended, end, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer func() { _ = ended.Close() }()
	defer func() { _ = end.Close() }()
	defer context.AfterFunc(ctx, func() { _ = end.Close() })()
	const longest = 64 << 10
	var line []byte
	for len(line) < longest {
		if err := waitForInput(ctx, terminal, int(ended.Fd()), isOurs); err != nil {
			return "", err
		}
		var next [1]byte
		n, err := unix.Read(terminal, next[:])
		switch {
		case errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN):
			continue
		case err != nil:
			return "", err
		case n == 0: // Ctrl-D, or the terminal is gone
			return "", io.EOF
		}
		switch next[0] {
		case '\n', '\r':
			return string(line), nil
		case '\b', 0x7f:
			line = line[:max(len(line)-1, 0)]
		default:
			line = append(line, next[0])
		}
	}
	return "", errors.New("the line is too long")
}

// waitForInput returns when there is something to read for us. While another program has the terminal, what is typed is for
// that one, and a read could stop us.
func waitForInput(ctx context.Context, terminal, ended int, isOurs func(terminal int) bool) error {
	for {
		var ready unix.FdSet
		ready.Set(terminal)
		ready.Set(ended)
		_, err := unix.Select(max(terminal, ended)+1, &ready, nil, nil, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case ready.IsSet(ended):
			return context.Cause(ctx)
		case isOurs(terminal):
			return nil
		}
		ready.Zero()
		ready.Set(ended)
		pause := unix.Timeval{Usec: 200_000}
		_, _ = unix.Select(ended+1, &ready, nil, nil, &pause)
	}
}

// takesLines reports whether the terminal gives whole lines, and gives them to us. A full-screen program turns that off.
func takesLines(terminal int) bool {
	modes, err := unix.IoctlGetTermios(terminal, getModes)
	return err == nil && modes.Lflag&unix.ICANON != 0 && isForeground(terminal)
}

func isForeground(terminal int) bool {
	group, err := unix.IoctlGetInt(terminal, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
