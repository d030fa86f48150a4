package test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// commandExits runs a program and wants an exit code: "exits 4 get-token ...".
func commandExits(script *testscript.TestScript, _ bool, arguments []string) {
	code := 0
	var exit *exec.ExitError
	if err := script.Exec(arguments[1], arguments[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		script.Check(err)
	}
	expect(script, "exit code", arguments[0], code)
}

// commandRefuses makes the provider misbehave in one way, calls get-token and wants a good failure: the exit code, one
// error line that matches, a hint, an empty stdout, no secret anywhere, and every stored token as it was before.
//
//	refuses EXIT-CODE PATTERN [NAME=VALUE ...] [--FLAG ...]
func commandRefuses(script *testscript.TestScript, _ bool, arguments []string) {
	scenario := scenarioOf(script)
	call := []string{arguments[0], "get-token", "-v=9"}
	for _, setting := range arguments[2:] {
		if strings.HasPrefix(setting, "--") {
			call = append(call, setting)
			continue
		}
		name, value, _ := strings.Cut(setting, "=")
		script.Check(scenario.idp.Set(name, value))
	}
	defer scenario.idp.Reset()
	before := storedTokens(script)
	commandExits(script, false, call)
	if !maps.Equal(before, storedTokens(script)) {
		script.Fatalf("the store has changed")
	}
	if stdout := script.ReadFile("stdout"); stdout != "" {
		script.Fatalf("stdout is not empty: %q", stdout)
	}
	errorLines, hintLines := linesWith(script, "oidc-login: error: "), linesWith(script, "oidc-login: hint: ")
	if len(errorLines) != 1 || len(hintLines) == 0 {
		script.Fatalf("expected one error and a hint, got %d and %d", len(errorLines), len(hintLines))
	}
	if !regexp.MustCompile(arguments[1]).MatchString(errorLines[0]) {
		script.Fatalf("expected an error like %q, got %q", arguments[1], errorLines[0])
	}
	checkNoSecrets(script)
}

func linesWith(script *testscript.TestScript, start string) []string {
	return slices.DeleteFunc(strings.Split(script.ReadFile("stderr"), "\n"), func(line string) bool {
		return !strings.HasPrefix(line, start)
	})
}

// storedTokens are the texts of all records in the keychain and on disk, by path. Locks, notes and the
// provider's public documents are no tokens.
func storedTokens(script *testscript.TestScript) map[string]string {
	tokens := map[string]string{}
	for _, folder := range []string{"keychain", filepath.Join(".kube", "cache", "oidc-login")} {
		err := filepath.WalkDir(script.MkAbs(folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.Contains(path, "locks") || strings.Contains(path, "documents") {
				return nil //nolint:nilerr // a folder that is not there holds nothing
			}
			text, err := os.ReadFile(path)
			tokens[path] = string(text)
			return err
		})
		script.Check(err)
	}
	return tokens
}
