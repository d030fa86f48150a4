package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// readLine waits for a line that is typed at the terminal.
func readLine(ctx context.Context) (string, error) { return readTyped(ctx, visibleLine) }

// readSecret waits for a line that is not shown.
func readSecret(ctx context.Context) (string, error) {
	return readTyped(ctx, func(terminal *os.File) (string, error) {
		line, err := term.ReadPassword(int(terminal.Fd()))
		return string(line), err
	})
}

// readTyped leaves the terminal as it was, also where the context ends before the line.
func readTyped(ctx context.Context, read func(*os.File) (string, error)) (string, error) {
	terminal, err := openTerminal()
	if err != nil {
		return "", err
	}
	defer func() { _ = terminal.Close() }()
	before, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(int(terminal.Fd()), before) }()
	type result struct {
		line string
		err  error
	}
	typed := make(chan result, 1) // nothing stops a read; it ends with the process
	go func() {
		line, err := read(terminal)
		typed <- result{line, err}
	}()
	select {
	case got := <-typed:
		if errors.Is(got.err, io.EOF) {
			return "", errors.New("nothing was typed")
		}
		return strings.TrimSpace(got.line), got.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// visibleLine reads byte by byte: what follows the line is for who reads next.
func visibleLine(terminal *os.File) (string, error) {
	var line []byte
	for next := make([]byte, 1); ; {
		n, err := terminal.Read(next)
		if n == 1 && next[0] == '\n' {
			return string(line), nil
		}
		if err != nil {
			return "", err
		}
		line = append(line, next[:n]...)
	}
}
