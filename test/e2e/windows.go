package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// WindowsComputer is a person's computer with Windows, as far as wine is one. Its Credential Manager is empty.
type WindowsComputer struct {
	Home string // on this machine

	prefix string
	folder string // for programs
}

// WindowsRun is a program that runs there, or has ended.
type WindowsRun struct {
	mu     sync.Mutex
	stderr bytes.Buffer
	ended  chan Output
}

// NewWindowsComputer makes a computer on which nothing was done yet.
func NewWindowsComputer(tb testing.TB) *WindowsComputer {
	tb.Helper()
	folder := tb.TempDir()
	computer := &WindowsComputer{prefix: filepath.Join(folder, "wine"), folder: folder}
	expectRun(tb, computer.command(programs.Wine, "wineboot", "--init"))
	tb.Cleanup(func() { _ = computer.command(programs.WineServer, "--kill", "--wait").Run() }) // it ends by itself, too

	system := filepath.Join(computer.prefix, "drive_c", "windows", "system32")
	expectRun(tb, exec.Command(programs.CompilerForWindows, "-shared", "-o", filepath.Join(system, "bcryptprimitives.dll"),
		"wine/bcryptprimitives.c", "-ladvapi32"))

	homes, err := filepath.Glob(filepath.Join(computer.prefix, "drive_c", "users", "[^P]*"))
	if err != nil || len(homes) != 1 {
		tb.Fatalf("homes on the computer with Windows: %q, %v", homes, err)
	}
	computer.Home = homes[0]
	return computer
}

// GetPlugin builds the plugin for Windows.
func (w *WindowsComputer) GetPlugin(tb testing.TB) {
	tb.Helper()
	expectRun(tb, goForWindows("build", "-trimpath", "-o", w.plugin(), "./cmd/kubectl-oidc_login"))
}

func (w *WindowsComputer) plugin() string { return filepath.Join(w.folder, "kubectl-oidc_login.exe") }

// goForWindows is a go command for the product.
func goForWindows(args ...string) *exec.Cmd {
	command := exec.Command("go", args...)
	command.Dir = "../.."
	command.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	return command
}

// WindowsPath is how the computer names a file of this machine.
func WindowsPath(path string) string { return "Z:" + strings.ReplaceAll(path, "/", `\`) }

// command runs wine where memory lies at the same addresses each time: Debian leaves out the part of wine that keeps those free which
// programs for Windows want, so that now and then one does not start ("Internal error").
func (w *WindowsComputer) command(program string, args ...string) *exec.Cmd {
	command := exec.Command(programs.SetArch, append([]string{"--addr-no-randomize", program}, args...)...)
	command.Env = []string{"HOME=" + filepath.Dir(w.prefix), "WINEPREFIX=" + w.prefix, "WINEDEBUG=-all", "PATH=/usr/bin:/bin"}
	return command
}

// Start runs the plugin, and does not wait for its end.
func (w *WindowsComputer) Start(tb testing.TB, args ...string) *WindowsRun {
	tb.Helper()
	run := &WindowsRun{ended: make(chan Output, 1)}
	command := w.command(programs.Wine, append([]string{w.plugin()}, args...)...)
	var stdout bytes.Buffer
	command.Stdout = &stdout
	command.Stderr = writerFunc(func(text []byte) (int, error) {
		run.mu.Lock()
		defer run.mu.Unlock()
		return run.stderr.Write(text)
	})
	command.WaitDelay = time.Second
	if err := command.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		_ = command.Wait() // how it ended is in its state
		run.ended <- Output{stdout.String(), run.shown(), command.ProcessState.ExitCode()}
	}()
	return run
}

// SitDown starts the plugin at a console, in a window so wide that no line is broken.
func (w *WindowsComputer) SitDown(tb testing.TB, args ...string) *Terminal {
	tb.Helper()
	t := &Terminal{command: w.command(programs.Wine, append([]string{w.plugin()}, args...)...), ended: make(chan struct{}), enter: "\r"}
	t.command.Stdout = &t.stdout
	t.start(tb)
	return t
}

// AwaitKeyboard waits until wine reads the keys of a terminal, which it does when the program reads its console for the first time.
// Before, the terminal itself shows what is typed, and makes line feeds of returns, which end no line for wine.
func AwaitKeyboard(tb testing.TB, console *Terminal) {
	tb.Helper()
	eventually(tb, 30*time.Second, "wine to read the keyboard", func() error {
		settings, err := unix.IoctlGetTermios(int(console.keyboard.Fd()), unix.TCGETS)
		if err != nil {
			tb.Fatal(err)
		}
		if settings.Lflag&unix.ECHO != 0 {
			return errors.New(console.Shown())
		}
		return nil
	})
}

// Plugin runs the plugin.
func (w *WindowsComputer) Plugin(tb testing.TB, args ...string) Output {
	tb.Helper()
	return w.Start(tb, args...).End(tb)
}

func (r *WindowsRun) shown() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stderr.String()
}

// AwaitURL returns the URL that the program asks the person to open.
func (r *WindowsRun) AwaitURL(tb testing.TB) (url string) {
	tb.Helper()
	expression := regexp.MustCompile(`to log in: (https://\S+)\r?\n`)
	eventually(tb, time.Minute, "the URL", func() error {
		if match := expression.FindStringSubmatch(r.shown()); match != nil {
			url = match[1]
			return nil
		}
		return errors.New(r.shown())
	})
	return url
}

// End waits for the end of the program.
func (r *WindowsRun) End(tb testing.TB) Output {
	tb.Helper()
	select {
	case output := <-r.ended:
		return output
	case <-time.After(time.Minute):
		tb.Fatalf("the program does not end: %s", r.shown())
		return Output{}
	}
}

func expectRun(tb testing.TB, command *exec.Cmd) {
	tb.Helper()
	if output, err := command.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", command, err, output)
	}
}
