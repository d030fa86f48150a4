package cli

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/windows"
)

// A program with windows of its own starts others with a console that nobody can see: that is no terminal.
func TestHiddenConsoleIsNoTerminal(t *testing.T) {
	const role = "TEST_HIDDEN_CONSOLE"
	if os.Getenv(role) != "" {
		console, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
		if err == nil {
			_ = console.Close()
		}
		_, _ = os.Stdout.WriteString(strconv.FormatBool(err == nil) + " " + strconv.FormatBool(hasTerminal()))
		os.Exit(0)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestHiddenConsoleIsNoTerminal$")
	child.Env = append(os.Environ(), role+"=child")
	child.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW}
	output, err := child.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(output), " false") {
		t.Errorf("it has a console, and takes it for a terminal: %s, %v", output, err)
	}
	t.Logf("it has a console, and takes it for a terminal: %s", output)
}
