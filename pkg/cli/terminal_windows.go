package cli

import "os"

// hasTerminal reports whether a person sits at a console of this process, whatever stdin and stderr are.
func hasTerminal() bool {
	console, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	_ = console.Close()
	return true
}
