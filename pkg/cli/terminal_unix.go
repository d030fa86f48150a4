//go:build unix

package cli

import "os"

// hasTerminal reports whether a person sits at a terminal of this process, whatever stdin and stderr are.
func hasTerminal() bool {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	_ = terminal.Close()
	return true
}
