package test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/browser"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cli"
)

// TestMain makes the test binary play the programs that scripts run.
func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){
		"kubectl-oidc_login": func() { runProgram(os.Args[1:]) },
		"get-token":          func() { runProgram(usualArguments(os.Args[1:])) },
		"status":             func() { runProgram(quietArguments("status", os.Args[1:])) },
		"setup": func() {
			runProgram(append([]string{"setup", "--certificate-authority=ca.pem"}, usualArguments(os.Args[1:])[1:]...))
		},
		"logout":       func() { runProgram(quietArguments("logout", os.Args[1:])) },
		"browser":      browse,
		"kubectl":      actAsKubectl,
		"unprivileged": actUnprivileged,
	})
}

// tests are all of the package. They have ended when the programs that they started have: Windows removes no file of one that
// runs, and a browser may outlive its test for a moment.
type tests struct{ *testing.M }

func (t tests) Run() int {
	code := t.M.Run()
	if browser, err := exec.LookPath("browser"); err == nil && runtime.GOOS == "windows" {
		for deadline := time.Now().Add(5 * time.Second); os.RemoveAll(filepath.Dir(browser)) != nil && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
	}
	return code
}

// TestScripts runs every script of testdata. A script reads as a person's session; see commands_test.go for its words.
//
// The script storm starts a hundred processes at once, which would starve its neighbours, so it runs before there are any.
func TestScripts(t *testing.T) {
	all := scripts(t, "testdata")
	storm, others := all, all
	others.Files = slices.DeleteFunc(slices.Clone(all.Files), isStorm)
	storm.Files = slices.DeleteFunc(slices.Clone(all.Files), func(file string) bool { return !isStorm(file) })
	testscript.RunT(sequential{t}, storm)
	t.Parallel()
	testscript.Run(t, others)
}

func isStorm(file string) bool { return filepath.Base(file) == "storm.txtar" }

// sequential is a test whose scripts run one after the other.
type sequential struct{ *testing.T }

func (s sequential) Run(name string, script func(testscript.T)) {
	s.T.Run(name, func(t *testing.T) { script(sequential{t}) })
}

func (sequential) Parallel() {}

func (sequential) Verbose() bool { return testing.Verbose() }

// scripts are those of a folder. On Windows they are those that start no program of POSIX: docs/windows.md says so.
func scripts(t *testing.T, folder string) testscript.Params {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in %s: %v", folder, err)
	}
	if runtime.GOOS == "windows" {
		files = slices.DeleteFunc(files, func(file string) bool { return needsPOSIX(t, file) })
	}
	return testscript.Params{
		Files:               files,
		Setup:               setUpScript,
		Cmds:                scriptCommands(),
		Condition:           scriptCondition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	}
}

// scriptCondition is whether the lines of a script that begin with it are for this machine: "[ipv6] listen ::1".
func scriptCondition(name string) (bool, error) {
	if name != "ipv6" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	probe, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false, nil
	}
	return true, probe.Close()
}

// needsPOSIX reports whether a script starts a program that Windows does not have.
func needsPOSIX(t *testing.T, file string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^(! )?exec (sh|cat|chmod|cp|grep|ln|sed|touch)\b`).Match(text)
}

// runProgram is the product's main with the seams of cli.Env in the hands of the script.
func runProgram(arguments []string) {
	env := cli.OSEnv()
	env.Args = arguments
	env.Executable = func() (string, error) { return exec.LookPath("kubectl-oidc_login") } // whatever a script calls it
	clock, err := parseSlowClock(os.Getenv("CLOCK"))
	check(err)
	env.Now = clock.now
	if clock.slept = os.Getenv("SLEPT"); clock.slept != "" {
		env.Sleep = clock.sleep
	}
	if os.Getenv("OPENS") != "" {
		openBeforeSleep(&env)
	}
	if terminal := os.Getenv("TERMINAL"); terminal != "real" { // the developer's own is not for scripts
		typed, types := os.LookupEnv("TYPED")
		person := &typist{typed: strings.Split(typed, "|"), seen: env.Stderr}
		env.Stderr, env.ReadLine, env.ReadSecret = person, person.readLine, person.readSecret
		env.HasTerminal = func() bool { return terminal != "" }
		env.HasKeyboard = func() bool { return terminal != "" && types }
		env.StderrIsTerminal = func() bool { return os.Getenv("STDERR_TERMINAL") != "" }
	}
	env.ReadFile = func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(os.Getenv("WORK"), "root", name)) }
	env.MachineID = func() (string, error) { return cmp.Or(os.Getenv("MACHINE"), "desk"), nil }
	env.Keychain = folderKeychain(os.Getenv("KEYCHAIN"))
	env.KernelKeyring = folderKeychain(os.Getenv("KERNEL_KEYRING"))
	os.Exit(cli.Run(context.Background(), env))
}

// openBeforeSleep gives the browser the time that it has where sleeping takes time: it comes up before the first sleep.
func openBeforeSleep(env *cli.Env) {
	opened, open, sleep := make(chan struct{}), env.OpenBrowser, env.Sleep
	env.OpenBrowser = func(command browser.Command, url string) error {
		defer close(opened)
		return open(command, url)
	}
	env.Sleep = func(ctx context.Context, length time.Duration) error {
		<-opened
		return sleep(ctx, length)
	}
}

// quietArguments are for a verb that logs nobody in.
func quietArguments(verb string, given []string) []string {
	return append([]string{verb, "--oidc-issuer-url=" + os.Getenv("ISSUER"), "--oidc-client-id=kubernetes"}, given...)
}

// usualArguments are what a kubeconfig of the script's provider would say. A script that says where to listen says all of
// it.
func usualArguments(given []string) []string {
	usual := []string{
		"get-token",
		"--oidc-issuer-url=" + os.Getenv("ISSUER"),
		"--oidc-client-id=kubernetes",
		"--browser-command=browser",
		"--authentication-timeout-sec=20",
	}
	if !slices.ContainsFunc(given, func(argument string) bool {
		return strings.HasPrefix(argument, "--listen-address") || strings.HasPrefix(argument, "--oidc-redirect-url")
	}) {
		usual = append(usual, "--listen-address=127.0.0.1:0")
	}
	return append(usual, given...)
}
