//go:build unix

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestMain makes the test binary play a program that reads a line without the terminal's line editing.
func TestMain(m *testing.M) {
	if os.Getenv("READ_LINE") == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println("keyboard:", hasKeyboard())
	for line := ""; line != "end"; {
		var err error
		if line, err = readTerminal(ctx, false); err != nil {
			fmt.Println("error:", err)
			return
		}
		fmt.Printf("line of %d: %.60s\n", len(line), line)
	}
}

// Where the system takes no long lines, they are taken all the same, and the terminal is left as it was.
func TestLongLines(t *testing.T) {
	t.Parallel()
	terminal, program, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	defer func() { _ = program.Close() }()
	go func() { _, _ = io.Copy(io.Discard, terminal) }() // what it echoes
	modes := func(form string) string {
		stty := exec.Command("stty", form)
		stty.Stdin = program
		output, err := stty.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(output)
	}
	before := modes("-g")
	reader := exec.Command(os.Args[0])
	reader.Env = append(os.Environ(), "READ_LINE=yes", "GORACE=atexit_sleep_ms=0")
	reader.ExtraFiles = []*os.File{program}
	reader.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	stdout, err := reader.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	started := make([]byte, len("keyboard: true\n"))
	if _, err := io.ReadFull(stdout, started); err != nil || string(started) != "keyboard: true\n" {
		t.Errorf("got %q, %v", started, err)
	}
	// In pieces, since the terminal holds few bytes until the program has taken over.
	for _, keys := range []string{"wronk\x7fg\r", "\x7f\x7fright\b\bht\n"} {
		_, _ = terminal.WriteString(keys)
	}
	line := make([]byte, len("line of 5: wrong\n"))
	for _, want := range []string{"line of 5: wrong\n", "line of 5: right\n"} {
		if _, err := io.ReadFull(stdout, line); err != nil || string(line) != want {
			t.Errorf("expected %q, got %q, %v", want, line, err)
		}
	}
	for !strings.Contains(modes("-a"), "-icanon") { // until the program reads again
		continue
	}
	for range 100 {
		_, _ = terminal.WriteString(strings.Repeat("x", 100))
	}
	_, _ = terminal.WriteString("\nend\n")
	rest, _ := io.ReadAll(stdout)
	if !strings.HasPrefix(string(rest), "line of 10000: xxx") || !strings.Contains(string(rest), "\nline of 3: end\n") {
		t.Errorf("got %q", rest)
	}
	if err := reader.Wait(); err != nil {
		t.Error(err)
	}
	if after := modes("-g"); after != before {
		t.Errorf("the terminal's modes were %s, and are %s", before, after)
	}
}
