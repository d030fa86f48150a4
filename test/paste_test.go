//go:build unix

package test

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

// A person at a terminal of a machine without a browser logs in by pasting.
func TestPaste(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		person func(*person)
		exit   int
	}{
		"an address, after wrong ones": {person: func(p *person) {
			p.reads(`ssh -L ` + p.callback.Port() + `:localhost:` + p.callback.Port() + ` -p 2222 alice@192\.0\.2\.7`)
			p.types(p.with("state", "of-another-login"))
			p.reads("warning: the pasted address belongs to another login; still waiting")
			p.types("")
			p.types("kubectl get nodes")
			p.reads("neither an address nor a code; still waiting")
			p.types(p.authorization)
			p.reads(`not that of the last page; still waiting for one that begins with http://localhost:[0-9]+/\?`)
			p.types("\x1b[200~" + p.callback.String() + "\x1b[201~")
		}},
		"an address without http://, as browsers show it": {person: func(p *person) {
			p.types(strings.TrimPrefix(p.callback.String(), "http://"))
		}},
		"a code, after a wrong one": {person: func(p *person) {
			p.types("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
			p.reads("the provider does not take the pasted code; still waiting")
			p.types(p.callback.Query().Get("code"))
		}},
		"an address twice at once": {person: func(p *person) {
			p.types(p.callback.String() + "\n" + p.callback.String())
		}},
		"an address that says no": {exit: 5, person: func(p *person) {
			p.types(p.with("error", "access_denied"))
			p.reads("error: login: denied")
		}},
		"an address of another issuer": {exit: 1, person: func(p *person) {
			p.types(p.with("iss", "https://other.example"))
			p.reads("got one of .https://other.example")
		}},
		"an address with two codes": {exit: 1, person: func(p *person) {
			p.types(p.callback.String() + "&code=another")
			p.reads("more than one code")
		}},
		"the browser is faster": {person: func(p *person) { visit(p.callback) }},
		"half a line, then the browser": {person: func(p *person) {
			p.presses("http://local")
			visit(p.callback)
		}},
		"Ctrl-C": {exit: 1, person: func(p *person) {
			p.presses("\x03")
			p.reads("error: login: interrupted")
		}},
		"Ctrl-D, then the browser": {person: func(p *person) {
			p.presses("\x04")
			visit(p.callback)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sitDown(t, "exec get-token")
			p.reads("paste its address")
			test.person(p)
			p.expectsEnd(test.exit)
		})
	}
}

// Keys that are for another program are left to it.
func TestNoPaste(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"full-screen program": "stty -icanon </dev/tty; get-token; code=$?; stty icanon </dev/tty; exit $code",
		"background":          "set -m; get-token & wait $!",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sitDown(t, script)
			p.types("this is for the shell")
			visit(p.callback)
			p.expectsEnd(0)
			if strings.Contains(p.shown(), "paste its address") {
				t.Errorf("the person was told to paste:\n%s", p.shown())
			}
			p.expectsUnread("this is for the shell\n")
		})
	}
}

// A browser on another machine may open and yet not reach the port, so the offer comes with the window; it comes once.
func TestPasteWithBrowser(t *testing.T) {
	t.Parallel()
	p := sitDown(t, "exec get-token --browser-command=false")
	p.reads("in the browser window that opens")
	p.types(p.callback.Query().Get("code"))
	p.expectsEnd(0)
	p.reads("no browser could be opened")
	if offers := strings.Count(p.shown(), "paste its address"); offers != 1 {
		t.Errorf("the offer came %d times:\n%s", offers, p.shown())
	}
}

// A pager that starts meanwhile gets the keys.
func TestPasteEnds(t *testing.T) {
	t.Parallel()
	p := sitDown(t, "exec get-token")
	p.reads("paste its address")
	p.changesModes("-icanon")
	p.types(p.callback.String())
	visit(p.callback)
	p.waitsForEnd() // the page comes before the end, and with the old modes the line would be the program's again
	p.changesModes("icanon")
	p.expectsEnd(0)
	p.expectsUnread(p.callback.String() + "\n")
}

// person sits at a terminal, has opened the URL elsewhere, and has an answer.
type person struct {
	*testing.T
	terminal, program *os.File // its two ends
	modes             string
	stdin             *os.File // kubectl's
	process           *exec.Cmd
	stdout            bytes.Buffer
	ended             chan struct{}
	authorization     string
	callback          *url.URL

	mutex   sync.Mutex
	seen    strings.Builder
	changed *sync.Cond
	closed  bool
}

// sitDown runs a shell script at a terminal of its own over SSH, until it has printed a URL.
func sitDown(t *testing.T, script string) *person {
	t.Helper()
	p := sitAt(t, idp.Config{}, script)
	p.openURL()
	return p
}

// openURL opens the URL that the terminal shows, elsewhere.
func (p *person) openURL() {
	p.Helper()
	p.authorization = p.reads(`http://\S+/authoriz\S+state=\S+`)
	p.callback = answerOf(p.authorization)
}

// sitAt runs a shell script at a terminal of its own over SSH.
func sitAt(t *testing.T, config idp.Config, script string) *person {
	t.Helper()
	p := &person{T: t, ended: make(chan struct{})}
	p.changed = sync.NewCond(&p.mutex)
	provider, err := idp.Start(config)
	p.must(err)
	t.Cleanup(provider.Close)
	p.terminal, p.program, err = pty.Open()
	p.must(err)
	t.Cleanup(func() { _ = p.terminal.Close() })
	t.Cleanup(func() { _ = p.program.Close() })
	stdin, words, err := os.Pipe()
	p.must(err)
	_, err = words.WriteString("kind: ConfigMap\n")
	p.must(errors.Join(err, words.Close()))
	p.stdin = stdin
	t.Cleanup(func() { _ = stdin.Close() })

	home := t.TempDir()
	self, err := os.Executable()
	p.must(err)
	p.must(os.Symlink(self, filepath.Join(home, "get-token")))
	p.must(os.Mkdir(filepath.Join(home, "keychain"), 0o700))
	p.process = exec.Command("/bin/sh", "-c", strings.ReplaceAll(script, "get-token", "get-token --browser-command= --token-cache-storage=disk"))
	p.process.Dir = home
	p.process.Env = []string{
		"PATH=" + home + ":" + os.Getenv("PATH"), "HOME=" + home, "WORK=" + home, "ISSUER=" + provider.Issuer(), "TERMINAL=real",
		"KEYCHAIN=" + filepath.Join(home, "keychain"), "KERNEL_KEYRING=forbidden", "USER=alice",
		"SSH_CONNECTION=198.51.100.1 50022 192.0.2.7 2222", "GORACE=atexit_sleep_ms=0",
		"CLOCK=" + (&slowClock{origin: time.Now()}).String(),
	}
	p.process.Stdin, p.process.Stdout, p.process.Stderr = stdin, &p.stdout, p.program
	p.process.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
	p.modes = p.currentModes()
	p.must(p.process.Start())
	go p.watch()
	go func() { _ = p.process.Wait(); close(p.ended) }()
	t.Cleanup(func() { _ = syscall.Kill(-p.process.Process.Pid, syscall.SIGKILL); <-p.ended })
	return p
}

// watch notes what the terminal shows.
func (p *person) watch() {
	buffer := make([]byte, 4096)
	for {
		n, err := p.terminal.Read(buffer)
		p.mutex.Lock()
		p.seen.Write(buffer[:n])
		p.closed = err != nil
		p.mutex.Unlock()
		p.changed.Broadcast()
		if err != nil {
			return
		}
	}
}

func (p *person) shown() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.seen.String()
}

// reads waits until the terminal shows something.
func (p *person) reads(pattern string) string {
	p.Helper()
	expression := regexp.MustCompile(pattern)
	const longest = 10 * time.Second
	timer := time.AfterFunc(longest, func() { p.mutex.Lock(); p.closed = true; p.mutex.Unlock(); p.changed.Broadcast() })
	defer timer.Stop()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for {
		lines := p.seen.String()
		lines = lines[:strings.LastIndex(lines, "\n")+1]
		if found := expression.FindString(lines); found != "" {
			return found
		}
		if p.closed {
			p.Fatalf("the terminal does not show %q, but:\n%s", pattern, p.seen.String())
		}
		p.changed.Wait()
	}
}

func (p *person) types(line string) { p.Helper(); p.presses(line + "\n") }

func (p *person) presses(keys string) {
	p.Helper()
	_, err := p.terminal.WriteString(keys)
	p.must(err)
}

// with is the answer with a parameter changed.
func (p *person) with(name, value string) string {
	changed := *p.callback
	query := changed.Query()
	query.Set(name, value)
	changed.RawQuery = query.Encode()
	return changed.String()
}

func (p *person) waitsForEnd() {
	p.Helper()
	select {
	case <-p.ended:
	case <-time.After(callDeadline):
		p.Fatalf("the program has not ended; the terminal shows:\n%s", p.shown())
	}
}

// expectsEnd wants the program to end soon with an exit code, and terminal and stdin to be as they were.
func (p *person) expectsEnd(code int) {
	p.Helper()
	p.waitsForEnd()
	if got := p.process.ProcessState.ExitCode(); got != code {
		p.Errorf("exit code %d instead of %d; the terminal shows:\n%s", got, code, p.shown())
	}
	if (code == 0) != strings.Contains(p.stdout.String(), `"kind":"ExecCredential"`) {
		p.Errorf("unexpected stdout: %.80s", p.stdout.String())
	}
	if modes := p.currentModes(); modes != p.modes {
		p.Errorf("the terminal's modes were %s, and are %s", p.modes, modes)
	}
	if words, err := io.ReadAll(p.stdin); err != nil || string(words) != "kind: ConfigMap\n" {
		p.Errorf("kubectl's stdin was touched: %q is left, %v", words, err)
	}
}

// expectsUnread wants a line to be there for the next reader of the terminal.
func (p *person) expectsUnread(want string) {
	p.Helper()
	// Where nothing is left, an empty line ends the reading.
	timer := time.AfterFunc(callDeadline, func() { _, _ = p.terminal.WriteString("\n") })
	defer timer.Stop()
	buffer := make([]byte, 4096)
	n, err := p.program.Read(buffer)
	if err != nil || string(buffer[:n]) != want {
		p.Errorf("expected %q to be left unread, got %q, %v", want, buffer[:n], err)
	}
}

func (p *person) currentModes() string { p.Helper(); return p.changesModes("-g") }

func (p *person) changesModes(change string) string {
	p.Helper()
	stty := exec.Command("stty", change)
	stty.Stdin = p.program
	modes, err := stty.Output()
	p.must(err)
	return string(modes)
}

func (p *person) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}
