package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// runOnce runs a program of the script with the script's environment, apart from the script's own stdout.
func runOnce(script *testscript.TestScript, arguments []string) outcome {
	command := exec.Command(lookUp(script.Getenv("PATH"), arguments[0]), arguments[1:]...)
	command.Dir = script.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "WORK", "ISSUER", "KEYCHAIN", "KERNEL_KEYRING", "CLOCK", "BROWSING", "RUNS",
		"TERMINAL", "TMPDIR", "SLEPT", "TYPED", "GORACE"} {
		command.Env = append(command.Env, name+"="+script.Getenv(name))
	}
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	return outcome{stdout.String(), stderr.String(), err}
}

// lookUp finds a program on the script's PATH, which is not this process's.
func lookUp(path, name string) string {
	for _, folder := range filepath.SplitList(path) {
		if candidate := filepath.Join(folder, name); isProgram(candidate) {
			return candidate
		}
	}
	return name
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
