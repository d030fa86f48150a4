package e2e

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

// runTests prepares the programs, runs the tests and returns the exit code.
func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "kubectl-oidc_login-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	if programs, err = PreparePrograms(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
