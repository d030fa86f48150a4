package e2e

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"
)

// The size of a terminal that nobody has made larger.
const (
	terminalColumns = 80
	terminalRows    = 24
)

// Terminal has a program at it. All that the program prints for people comes here; of one that came by SSH stdout goes to a
// file.
type Terminal struct {
	keyboard *os.File
	command  *exec.Cmd
	stdout   bytes.Buffer
	enter    string        // what the key of this name sends; empty: a line feed
	ended    chan struct{} // closed when the program has ended and everything was read

	mu   sync.Mutex
	seen bytes.Buffer
}

// SitDown starts a program at a terminal of its own, of somebody who came by SSH. It is ended with the test.
func (w *Workstation) SitDown(tb testing.TB, program string, args ...string) *Terminal {
	tb.Helper()
	command := exec.Command(program, args...)
	command.Env = append(w.environ(), "SSH_CONNECTION=198.51.100.1 50022 192.0.2.7 22") // addresses for documents, RFC 5737
	t := &Terminal{command: command, ended: make(chan struct{})}
	command.Stdout = &t.stdout
	t.start(tb)
	return t
}

// SitDownAtDesk starts a program at a terminal in a window. Everything that it prints is to be seen there.
func (w *Workstation) SitDownAtDesk(tb testing.TB, program string, args ...string) *Terminal {
	tb.Helper()
	command := exec.Command(program, args...)
	command.Dir = w.Home
	command.Env = append(w.environ(), "DISPLAY=:99")
	t := &Terminal{command: command, ended: make(chan struct{})}
	t.start(tb)
	return t
}

func (t *Terminal) start(tb testing.TB) {
	tb.Helper()
	keyboard, screen, err := pty.Open()
	if err != nil {
		tb.Fatal(err)
	}
	defer screen.Close() // the program has it
	if err := pty.Setsize(keyboard, &pty.Winsize{Cols: terminalColumns, Rows: terminalRows}); err != nil {
		tb.Fatal(err)
	}
	t.keyboard = keyboard
	t.command.Env = append(t.command.Env, "TERM=xterm-256color", "USER=alice")
	t.command.Stdin, t.command.Stderr = screen, screen
	if t.command.Stdout == nil {
		t.command.Stdout = screen
	}
	t.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	if err := t.command.Start(); err != nil {
		tb.Fatal(err)
	}
	go t.watch()
	tb.Cleanup(func() {
		_ = syscall.Kill(-t.command.Process.Pid, syscall.SIGKILL) // fails if all have ended already
		<-t.ended
		_ = keyboard.Close()
		writeFile(tb, filepath.Join(tb.ArtifactDir(), "terminal.txt"), t.Shown())
	})
}

// watch notes what comes to the screen, until the program has ended.
func (t *Terminal) watch() {
	defer close(t.ended)
	_, _ = io.Copy(writerFunc(func(text []byte) (int, error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.seen.Write(text)
	}), t.keyboard) // ends with an error when nobody has the screen any more
	_ = t.command.Wait() // how it ended is in its state
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(text []byte) (int, error) { return f(text) }

// Shown is everything that was to be seen so far.
func (t *Terminal) Shown() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen.String()
}

var attributes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Screen is what can be seen without scrolling back: the last rows, of which long lines take several. The cursor is in the
// last one.
func (t *Terminal) Screen() []string {
	var rows []string
	for line := range strings.SplitSeq(t.Shown(), "\r\n") {
		if width := utf8.RuneCountInString(attributes.ReplaceAllString(line, "")); width <= terminalColumns {
			rows = append(rows, line)
			continue
		}
		for row := range slices.Chunk([]rune(line), terminalColumns) {
			rows = append(rows, string(row))
		}
	}
	return rows[max(0, len(rows)-terminalRows):]
}

// Reads waits until a line matches the pattern, and returns what its last group does.
func (t *Terminal) Reads(tb testing.TB, pattern string) (found string) {
	tb.Helper()
	expression := regexp.MustCompile(pattern)
	eventually(tb, 30*time.Second, fmt.Sprintf("the terminal to show %q", pattern), func() error {
		hasEnded := t.hasEnded()
		shown := t.Shown()
		groups := expression.FindStringSubmatch(shown[:strings.LastIndexByte(shown, '\n')+1])
		if len(groups) > 0 {
			found = groups[len(groups)-1]
			return nil
		}
		if hasEnded {
			tb.Fatalf("the program has ended, but the terminal does not show %q: %s", pattern, t.output())
		}
		return errors.New(shown)
	})
	return found
}

// Asks waits for a question, which no end of line follows.
func (t *Terminal) Asks(tb testing.TB, question string) {
	tb.Helper()
	eventually(tb, 30*time.Second, fmt.Sprintf("the terminal to ask %q", question), func() error {
		if shown := t.Shown(); !strings.Contains(shown, question) {
			return errors.New(shown)
		}
		return nil
	})
}

// Types types a line.
func (t *Terminal) Types(tb testing.TB, line string) {
	tb.Helper()
	if _, err := t.keyboard.WriteString(line + cmp.Or(t.enter, "\n")); err != nil {
		tb.Fatal(err)
	}
}

func (t *Terminal) hasEnded() bool {
	select {
	case <-t.ended:
		return true
	default:
		return false
	}
}

// End waits for the end of the program. What it printed on the terminal is in Stderr.
func (t *Terminal) End(tb testing.TB) Output {
	tb.Helper()
	return t.EndWithin(tb, 30*time.Second)
}

// EndWithin is for a program that takes its time.
func (t *Terminal) EndWithin(tb testing.TB, limit time.Duration) Output {
	tb.Helper()
	eventually(tb, limit, "the program at the terminal to end", func() error {
		if !t.hasEnded() {
			return errors.New(t.Shown())
		}
		return nil
	})
	return t.output()
}

// Outcome gives what came of the program once it has ended.
func (t *Terminal) Outcome() <-chan Output {
	outcome := make(chan Output, 1)
	go func() {
		<-t.ended
		outcome <- t.output()
	}()
	return outcome
}

func (t *Terminal) output() Output {
	return Output{t.stdout.String(), t.Shown(), t.command.ProcessState.ExitCode()}
}
