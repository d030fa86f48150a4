package test

import (
	"os"
	"os/exec"
	"strconv"
)

// actAsKubectl is the program "kubectl PLUGIN ARGUMENTS": a process that runs a plugin as kubectl does, with a request in
// the environment; "kubectl __complete PLUGIN ..." is what shells run to complete a word. $RUNS makes it run the plugin
// so many times, as kubectl does after a failure or a 401. "kubectl oidc-login ARGUMENTS" is what people type: kubectl then
// becomes the program of that name, with underscores for hyphens, and asks it for nothing.
func actAsKubectl() {
	if os.Args[1] == "oidc-login" {
		plugin := exec.Command("kubectl-oidc_login", os.Args[2:]...)
		plugin.Stdin, plugin.Stdout, plugin.Stderr = os.Stdin, os.Stdout, os.Stderr
		_ = plugin.Run()
		os.Exit(plugin.ProcessState.ExitCode())
	}
	if os.Getenv("KUBERNETES_EXEC_INFO") == "" {
		check(os.Setenv("KUBERNETES_EXEC_INFO",
			`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}`))
	}
	arguments := os.Args[1:]
	if arguments[0] == "__complete" {
		arguments = arguments[1:]
	}
	runs, err := strconv.Atoi(os.Getenv("RUNS"))
	if err != nil {
		runs = 1
	}
	code := 0
	for range runs {
		plugin := exec.Command(arguments[0], arguments[1:]...)
		plugin.Stdout, plugin.Stderr = os.Stdout, os.Stderr
		_ = plugin.Run()
		code = plugin.ProcessState.ExitCode()
	}
	os.Exit(code)
}
