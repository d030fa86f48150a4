//go:build unix

package test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientauthentication "k8s.io/client-go/pkg/apis/clientauthentication/v1"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

// No call may take longer, whatever happens to it: one request's time and some.
const callDeadline = 30 * time.Second

// machine is a person's computer and the provider that they use.
type machine struct {
	home     string
	programs string // a folder with the programs of TestMain
	storage  string
	provider *idp.Server
	clock    slowClock     // of both
	usual    time.Duration // what a refresh takes
}

func newMachine(t *testing.T, storage string) *machine {
	t.Helper()
	// Not t.TempDir, which fails the test if a browser of a call that was killed still writes there.
	home, err := os.MkdirTemp("", "chaos-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	m := &machine{home: home, programs: filepath.Join(home, "bin"), storage: storage}
	m.clock.origin = time.Now()
	// A long idle time, since the clock takes larger steps here than people take breaks.
	if m.provider, err = idp.Start(idp.Config{Now: m.clock.now, RefreshIdle: 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.provider.Close)
	if err := m.install(); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) install() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(m.programs, 0o700), os.Mkdir(m.keychain(), 0o700)); err != nil {
		return err
	}
	for _, program := range []string{"get-token", "status", "logout", "kubectl", "browser"} {
		if err := os.Symlink(self, filepath.Join(m.programs, program)); err != nil {
			return err
		}
	}
	return nil
}

// mustLogIn makes the session that all that follows is about, and takes the time of a first refresh.
func (m *machine) mustLogIn(t *testing.T) {
	t.Helper()
	for range 2 {
		started := time.Now()
		c := m.mustStart(t, way{runs: 1})
		m.mustEnd(t, c)
		if err := m.checkOutput(c, true); err != nil || m.windows() != 1 || !m.look().held {
			t.Fatalf("no login: %v\n%s", err, c.stderr.text.String())
		}
		m.usual = time.Since(started)
		m.clock.advance(2 * time.Minute)
	}
}

func (m *machine) keychain() string { return filepath.Join(m.home, "keychain") }

func (m *machine) cache() string { return filepath.Join(m.home, ".kube", "cache", "oidc-login") }

// windows is how often the browser was opened.
func (m *machine) windows() int {
	log, _ := os.ReadFile(filepath.Join(m.home, "browser.log"))
	return bytes.Count(log, []byte("open http"))
}

// refreshToken is the stored one, or "" where none can be read.
func (m *machine) refreshToken() string {
	for _, pattern := range []string{filepath.Join(m.cache(), "*.session.json"), filepath.Join(m.keychain(), "*.session")} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			var record struct {
				RefreshToken string `json:"refresh_token"`
			}
			if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, &record) == nil {
				return record.RefreshToken
			}
		}
	}
	return ""
}

// state is what tells whether a session was lost.
type state struct {
	requests int // for tokens
	reuse    int
	windows  int
	held     bool // whether the stored refresh token is the provider's newest
}

func (m *machine) look() state {
	stored := m.refreshToken()
	return state{
		requests: m.provider.Count(idp.Token),
		reuse:    m.provider.Reuse(),
		windows:  m.windows(),
		held:     stored != "" && stored == m.provider.RefreshToken(),
	}
}

// way is how the program is called.
type way struct {
	kubectl  bool // by kubectl, else by hand
	userInfo bool // "status --userinfo", by hand
	logout   bool // "logout", by hand
	runs     int  // of the plugin by kubectl, as after a 401
	verbose  bool
	skew     time.Duration // of this call's clock
	browsing string        // what its browser does, see browse
}

func (m *machine) clockOf(way way) *slowClock {
	skewed := &slowClock{origin: m.clock.origin}
	skewed.advance(time.Duration(m.clock.offset.Load()) + way.skew)
	return skewed
}

func (m *machine) command(way way) *exec.Cmd {
	arguments := []string{"get-token", "--token-cache-storage=" + m.storage}
	if way.userInfo {
		arguments = []string{"status", "--userinfo", "--token-cache-storage=" + m.storage}
	}
	if way.logout {
		arguments = []string{"logout", "--token-cache-storage=" + m.storage}
	}
	if way.kubectl {
		arguments = append([]string{"kubectl"}, arguments...)
	}
	if way.verbose {
		arguments = append(arguments, "-v=9")
	}
	command := exec.Command(filepath.Join(m.programs, arguments[0]), arguments[1:]...)
	command.Dir = m.home
	command.Env = []string{
		"PATH=" + m.programs, "HOME=" + m.home, "WORK=" + m.home, "TMPDIR=" + m.home, "KEYCHAIN=" + m.keychain(),
		"KERNEL_KEYRING=forbidden",
		"ISSUER=" + m.provider.Issuer(),
		"CLOCK=" + m.clockOf(way).String(),
		"RUNS=" + strconv.Itoa(way.runs),
		"BROWSING=" + way.browsing,
		"GORACE=atexit_sleep_ms=0", // a second per process otherwise
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as a shell does with its jobs
	return command
}

func (m *machine) mustStart(t *testing.T, way way) *call {
	t.Helper()
	c, err := m.start(way)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (m *machine) mustEnd(t *testing.T, c *call) {
	t.Helper()
	if err := c.wait(); err != nil {
		t.Fatalf("%v\n%s", err, c.stderr.text.String())
	}
}

// call is one that is under way.
type call struct {
	way            way
	command        *exec.Cmd
	stdout, stderr *pipe
	done           chan struct{}
}

func (m *machine) start(way way) (*call, error) {
	stdout, err := newPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := newPipe()
	if err != nil {
		return nil, err
	}
	c := &call{way: way, command: m.command(way), stdout: stdout, stderr: stderr, done: make(chan struct{})}
	c.command.Stdout, c.command.Stderr = stdout.writer, stderr.writer
	err = c.command.Start()
	if err = errors.Join(err, stdout.writer.Close(), stderr.writer.Close()); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.done)
		_ = c.command.Wait() // what came of it is in its ProcessState
		// The pipes end with the last process that holds them, be it a plugin whose kubectl is gone.
		<-stdout.ended
		<-stderr.ended
	}()
	return c, nil
}

// wait returns how the call ended. One that hangs is ended.
func (c *call) wait() error {
	select {
	case <-c.done:
		return nil
	case <-time.After(callDeadline):
		_ = syscall.Kill(-c.command.Process.Pid, syscall.SIGKILL)
		<-c.done
		return fmt.Errorf("a call took longer than %s", callDeadline)
	}
}

// strike sends a signal: to the whole job, as a terminal does, or to its first process alone. SIGPIPE stands for readers
// that go away.
func (c *call) strike(signal syscall.Signal, alone bool) {
	switch {
	case signal == syscall.SIGPIPE:
		c.stdout.close()
		c.stderr.close()
	case alone:
		_ = c.command.Process.Signal(signal) // it may have ended
	default:
		_ = syscall.Kill(-c.command.Process.Pid, signal)
	}
}

func (c *call) hasEnded() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// endedBy is the signal that ended the call's first process, or 0.
func (c *call) endedBy() syscall.Signal {
	if status, ok := c.command.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return status.Signal()
	}
	return 0
}

// pipe keeps what is written to it until its reader goes away.
type pipe struct {
	reader, writer *os.File
	mutex          sync.Mutex
	text           bytes.Buffer // to be read after the end; until then see contains
	ended          chan struct{}
}

func newPipe() (*pipe, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &pipe{reader: reader, writer: writer, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_, _ = io.Copy(p, reader)
		p.close()
	}()
	return p, nil
}

// Write keeps what was read.
func (p *pipe) Write(text []byte) (int, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.text.Write(text)
}

// contains looks at what has come so far.
func (p *pipe) contains(text string) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return bytes.Contains(p.text.Bytes(), []byte(text))
}

func (p *pipe) close() { _ = p.reader.Close() }

// checkOutput wants whole credentials on stdout and nothing else: one for each run of a call that succeeded, fewer where it
// failed. By reports whether tokens must be alive by the provider's clock too.
func (m *machine) checkOutput(c *call, byProvider bool) error {
	credentials, err := credentialsIn(c.stdout.text.Bytes())
	if err != nil {
		return err
	}
	code := c.command.ProcessState.ExitCode() // -1: ended by a signal, before or after it printed
	if found := len(credentials); code == 0 && found != c.way.runs || code > 0 && found >= c.way.runs || found > c.way.runs {
		return fmt.Errorf("a call of %d runs ended with %d and printed %d credentials", c.way.runs, code, found)
	}
	for _, credential := range credentials {
		if until := credential.Status.ExpirationTimestamp; until == nil || !until.After(m.clockOf(c.way).now()) {
			return fmt.Errorf("a credential is expired by the caller's clock: %v", until)
		}
		expiry, err := m.expiryOf(credential.Status.Token)
		if err != nil {
			return err
		}
		if byProvider && !expiry.After(m.clock.now()) {
			return fmt.Errorf("a token has expired at %s", expiry)
		}
	}
	return nil
}

// credentialsIn wants nothing but whole ExecCredentials.
func credentialsIn(text []byte) ([]clientauthentication.ExecCredential, error) {
	var all []clientauthentication.ExecCredential
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		var next clientauthentication.ExecCredential
		err := decoder.Decode(&next)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil || next.Kind != "ExecCredential" || next.Status == nil || next.Status.Token == "" {
			return nil, fmt.Errorf("stdout is not one whole credential after another: %w", err)
		}
		all = append(all, next)
	}
}

func (m *machine) expiryOf(idToken string) (time.Time, error) {
	var claims struct {
		Issuer string `json:"iss"`
		Expiry int64  `json:"exp"`
	}
	parts := strings.Split(idToken, ".")
	if len(parts) != 3 {
		return time.Time{}, errors.New("a token is not a JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Issuer != m.provider.Issuer() {
		return time.Time{}, errors.New("a token is not the provider's")
	}
	return time.Unix(claims.Expiry, 0), nil
}

// checkFiles wants every file that the program left to be readable, and returns how many are unfinished.
func (m *machine) checkFiles() (unfinished int, err error) {
	err = filepath.WalkDir(m.cache(), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || entry.IsDir():
			return err
		case strings.HasPrefix(entry.Name(), ".new-"):
			unfinished++
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !readable(path, text) {
			return fmt.Errorf("%s cannot be read any more: %q", path, text)
		}
		return nil
	})
	return unfinished, err
}

// readable judges a file by its kind: only notes, which nothing depends on, may be cut short.
func readable(path string, text []byte) bool {
	if name := filepath.Base(path); strings.Contains(name, ".keychain") || strings.Contains(name, ".kernel-keyring") {
		return len(text) == 0 // a note, which says by its name what it says
	}
	switch filepath.Ext(path) {
	case ".json":
		return json.Valid(text)
	case ".lock":
		return len(text) == 0
	case ".holder", ".attempt", ".refused", ".unreachable":
		return len(text) == 0 || json.Valid(text)
	case ".answers":
		for line := range bytes.Lines(text) {
			if !json.Valid(line) {
				return false
			}
		}
		return true
	}
	return false
}

// eventually waits until something is true, and tells whether it became so.
func eventually(isSo func() bool) bool {
	for deadline := time.Now().Add(callDeadline); time.Now().Before(deadline); time.Sleep(500 * time.Microsecond) {
		if isSo() {
			return true
		}
	}
	return false
}
