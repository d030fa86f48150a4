package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Workstation is a person's computer: a home, a kubeconfig, a keychain. Programs run there with a cleared environment.
type Workstation struct {
	Home string
	Path string // $PATH
	// Environment is what is set besides, as NAME=VALUE.
	Environment []string

	kubeconfigFile string
	keychain       *Keychain
}

// Output is what a program left behind.
type Output struct {
	Stdout   string
	Stderr   string
	ExitCode int
}

// NewWorkstation makes a computer on which nothing was done yet.
func NewWorkstation(tb testing.TB, keychain *Keychain) *Workstation {
	tb.Helper()
	home := tb.TempDir()
	if err := os.Mkdir(filepath.Join(home, "tmp"), 0o700); err != nil {
		tb.Fatal(err)
	}
	return &Workstation{
		Home:           home,
		Path:           "/usr/bin:/bin",
		kubeconfigFile: filepath.Join(tb.TempDir(), "kubeconfig"),
		keychain:       keychain,
	}
}

// Kubectl runs the real kubectl.
func (w *Workstation) Kubectl(tb testing.TB, args ...string) Output {
	tb.Helper()
	return w.run(tb, programs.Kubectl, args...)
}

// Plugin runs the product as kubectl would, to see the credential that it hands over.
func (w *Workstation) Plugin(tb testing.TB, args ...string) Output {
	tb.Helper()
	return w.run(tb, programs.Plugin, args...)
}

// StartPlugin runs the product and does not wait for its end, since it needs a person.
func (w *Workstation) StartPlugin(tb testing.TB, args ...string) <-chan Output {
	tb.Helper()
	output := make(chan Output, 1)
	go func() { output <- w.Plugin(tb, args...) }()
	return output
}

func (w *Workstation) run(tb testing.TB, program string, args ...string) Output {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Env = w.environ()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	command.WaitDelay = time.Second // a program that was left behind must not keep the output open
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		tb.Errorf("%s: %v", command, err)
	}
	return Output{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

func (w *Workstation) environ() []string {
	return append([]string{
		"HOME=" + w.Home,
		"TMPDIR=" + filepath.Join(w.Home, "tmp"),
		"PATH=" + w.Path,
		"KUBECONFIG=" + w.kubeconfigFile,
		"DBUS_SESSION_BUS_ADDRESS=" + w.keychain.BusAddress,
	}, w.Environment...)
}

// String shows everything, for the message of a failed test.
func (o Output) String() string {
	return fmt.Sprintf("exit code %d\nstdout: %s\nstderr: %s", o.ExitCode, o.Stdout, o.Stderr)
}

// UserInfo is whom the API server sees.
type UserInfo struct {
	Username string   `json:"username"`
	Groups   []string `json:"groups"`
}

// WhoAmI asks the API server through kubectl.
func (w *Workstation) WhoAmI(tb testing.TB) Output {
	tb.Helper()
	return w.Kubectl(tb, "auth", "whoami", "--output=json")
}

// ParseUserInfo reads what `kubectl auth whoami --output=json` printed.
func ParseUserInfo(tb testing.TB, whoAmI Output) UserInfo {
	tb.Helper()
	var review struct {
		Status struct {
			UserInfo UserInfo `json:"userInfo"`
		} `json:"status"`
	}
	if err := json.Unmarshal([]byte(whoAmI.Stdout), &review); err != nil || whoAmI.ExitCode != 0 {
		tb.Fatalf("kubectl auth whoami: %s", whoAmI)
	}
	return review.Status.UserInfo
}

// ParseToken reads the ID token out of the credential that the plugin printed.
func ParseToken(tb testing.TB, credential Output) string {
	tb.Helper()
	var execCredential struct {
		Kind   string `json:"kind"`
		Status struct {
			Token string `json:"token"`
		} `json:"status"`
	}
	err := json.Unmarshal([]byte(credential.Stdout), &execCredential)
	if err != nil || credential.ExitCode != 0 || execCredential.Kind != "ExecCredential" {
		tb.Fatalf("the plugin printed no ExecCredential (%v): %s", err, credential)
	}
	return execCredential.Status.Token
}

// failure is nil where the program ended well.
func (o Output) failure() error {
	if o.ExitCode != 0 {
		return errors.New(o.String())
	}
	return nil
}

// expectSuccess ends the test where the program did not end well.
func expectSuccess(tb testing.TB, output Output) {
	tb.Helper()
	if err := output.failure(); err != nil {
		tb.Fatal(err)
	}
}
