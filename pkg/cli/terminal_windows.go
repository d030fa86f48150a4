package cli

import (
	"bufio"
	"context"
	"os"
)

// hasTerminal reports whether a person sits at a console of this process, whatever stdin and stderr are.
func hasTerminal() bool {
	console, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	_ = console.Close()
	return true
}

func hasKeyboard() bool { return hasTerminal() }

// readLine waits for a line. A read of a console cannot be called off, so it is left behind when the context ends: it has
// changed nothing of the console, and ends with this process, which has nothing else to wait for.
func readLine(ctx context.Context) (string, error) {
	console, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
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
