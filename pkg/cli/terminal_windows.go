package cli

import (
	"bufio"
	"context"
	"os"

	"golang.org/x/sys/windows"
)

// hasTerminal reports whether a person sits at a console of this process, whatever stdin and stderr are. Editors and other
// programs with windows of their own start theirs with CREATE_NO_WINDOW, which makes a console that nobody sees.
func hasTerminal() bool {
	if !hasConsoleWindow() {
		return false
	}
	console, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	_ = console.Close()
	return true
}

// hasConsoleWindow is also true in a terminal that is no console of Windows: it then has a window in name only
// (https://learn.microsoft.com/en-us/windows/console/getconsolewindow).
func hasConsoleWindow() bool {
	window, _, _ := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetConsoleWindow").Call()
	return window != 0
}

func hasKeyboard() bool { return hasTerminal() }

// readLine waits for a line. A read of a console cannot be called off, so it is left behind when the context ends: it has
// changed nothing of the console, and ends with this process, which has nothing else to wait for.
func readLine(ctx context.Context) (string, error) {
	console, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	return readConsole(ctx, console)
}

// readSecret is readLine with the echo off.
func readSecret(ctx context.Context, ready func()) (string, error) {
	console, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	var before uint32
	handle := windows.Handle(console.Fd())
	if err := windows.GetConsoleMode(handle, &before); err != nil {
		return "", err
	}
	const lines = windows.ENABLE_LINE_INPUT | windows.ENABLE_PROCESSED_INPUT
	if err := windows.SetConsoleMode(handle, before&^windows.ENABLE_ECHO_INPUT|lines); err != nil {
		return "", err
	}
	defer restoreConsole(before)
	ready()
	return readConsole(ctx, console)
}

// restoreConsole opens the console anew: the one that is read may be closed by now.
func restoreConsole(mode uint32) {
	if console, err := os.OpenFile("CONIN$", os.O_RDWR, 0); err == nil {
		_ = windows.SetConsoleMode(windows.Handle(console.Fd()), mode)
		_ = console.Close()
	}
}

// readConsole closes the console when the line has come.
func readConsole(ctx context.Context, console *os.File) (string, error) {
	type outcome struct {
		line string
		err  error
	}
	read := make(chan outcome, 1)
	go func() {
		defer func() { _ = console.Close() }()
		const longest = 16 << 10
		line, err := bufio.NewReaderSize(console, longest).ReadString('\n')
		read <- outcome{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case got := <-read:
		return got.line, got.err
	}
}
