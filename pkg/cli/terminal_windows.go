package cli

import "os"

// openTerminal opens the console of this process, whatever stdin and stderr are.
func openTerminal() (*os.File, error) { return os.OpenFile("CONIN$", os.O_RDWR, 0) }
