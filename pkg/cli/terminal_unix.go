//go:build unix

package cli

import "os"

// openTerminal opens the terminal of this process, whatever stdin and stderr are.
func openTerminal() (*os.File, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) }
