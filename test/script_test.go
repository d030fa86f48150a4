package test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cli"
)

// TestMain makes the test binary play the programs that scripts run.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"kubectl-oidc_login": func() { runProgram(os.Args[1:]) },
		"get-token":          func() { runProgram(usualArguments(os.Args[1:])) },
		"status": func() {
			runProgram(append([]string{"status", "--oidc-issuer-url=" + os.Getenv("ISSUER"), "--oidc-client-id=kubernetes"}, os.Args[1:]...))
		},
		"browser":      browse,
		"kubectl":      actAsKubectl,
		"unprivileged": actUnprivileged,
	})
}

// TestScripts runs every script of testdata. A script reads as a person's session; see commands_test.go for its words.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scripts("testdata"))
}

// scripts are those of a folder.
func scripts(folder string) testscript.Params {
	return testscript.Params{
		Dir:                 folder,
		Setup:               setUpScript,
		Cmds:                scriptCommands(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	}
}

// runProgram is the product's main with the seams of cli.Env in the hands of the script.
func runProgram(arguments []string) {
	env := cli.OSEnv()
	env.Args = arguments
	clock, err := parseSlowClock(os.Getenv("CLOCK"))
	check(err)
	env.Now = clock.now
	if os.Getenv("TERMINAL") != "real" { // the developer's own is not for scripts
		env.HasTerminal = func() bool { return os.Getenv("TERMINAL") != "" }
		env.HasKeyboard = func() bool { return false }
	}
	env.ReadFile = func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(os.Getenv("WORK"), "root", name)) }
	env.Keychain = folderKeychain(os.Getenv("KEYCHAIN"))
	env.KernelKeyring = folderKeychain(os.Getenv("KERNEL_KEYRING"))
	os.Exit(cli.Run(context.Background(), env))
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
