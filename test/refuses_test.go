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
	before := storedTokens(script)
	callRefused(script, arguments)
	if !maps.Equal(before, storedTokens(script)) {
		script.Fatalf("the store has changed")
	}
}

// commandEnds is commandRefuses for an answer that ends the session: that is gone, and nothing else.
//
//	ends EXIT-CODE PATTERN [NAME=VALUE ...] [--FLAG ...]
func commandEnds(script *testscript.TestScript, _ bool, arguments []string) {
	before := storedTokens(script)
	callRefused(script, arguments)
	after := storedTokens(script)
	gone := maps.Clone(before)
	maps.DeleteFunc(gone, func(path, _ string) bool { _, stays := after[path]; return stays })
	maps.Copy(after, gone)
	if len(gone) != 1 || !isSession(slices.Collect(maps.Keys(gone))[0], "") || !maps.Equal(before, after) {
		script.Fatalf("expected the store as it was, without the session")
	}
}

// commandKeeps is commandRefuses for an answer whose ID token alone is no good: the session is the one that the provider takes
// next, and nothing else has changed.
//
//	keeps EXIT-CODE PATTERN [NAME=VALUE ...] [--FLAG ...]
func commandKeeps(script *testscript.TestScript, _ bool, arguments []string) {
	before := storedTokens(script)
	callRefused(script, arguments)
	expectNewestSession(script)
	after := storedTokens(script)
	maps.DeleteFunc(before, isSession)
	maps.DeleteFunc(after, isSession)
	if !maps.Equal(before, after) {
		script.Fatalf("more than the session has changed")
	}
}

func callRefused(script *testscript.TestScript, arguments []string) {
	isFlag := func(argument string) bool { return strings.HasPrefix(argument, "--") }
	isSetting := func(argument string) bool { return !isFlag(argument) }
	settings := slices.DeleteFunc(slices.Clone(arguments[2:]), isFlag)
	flags := slices.DeleteFunc(slices.Clone(arguments[2:]), isSetting)
	misbehave(script, settings, func() {
		expectFailure(script, arguments[0], arguments[1], append([]string{"get-token", "-v=9"}, flags...)...)
	})
}

// isSession recognises the record of a session by its path.
func isSession(path, _ string) bool {
	return strings.HasSuffix(strings.TrimSuffix(path, ".json"), ".session")
}

// commandDiscards makes the provider misbehave in one way, asks for UserInfo and wants a good failure as commandRefuses
// does; only the session may have changed, and must be the one that the provider takes next.
//
//	discards EXIT-CODE PATTERN [NAME=VALUE ...]
func commandDiscards(script *testscript.TestScript, _ bool, arguments []string) {
	misbehave(script, arguments[2:], func() {
		expectFailure(script, arguments[0], arguments[1], "status", "--userinfo", "-v=9")
	})
	expectNewestSession(script)
}

func expectNewestSession(script *testscript.TestScript) {
	newest := scenarioOf(script).idp.RefreshToken()
	holds := func(text string) bool { return strings.Contains(text, newest) }
	if newest == "" || !slices.ContainsFunc(slices.Collect(maps.Values(storedTokens(script))), holds) {
		script.Fatalf("the store does not hold the newest refresh token")
	}
}

func misbehave(script *testscript.TestScript, settings []string, while func()) {
	provider := scenarioOf(script).idp
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		script.Check(provider.Set(name, value))
	}
	defer provider.Reset()
	while()
}

func expectFailure(script *testscript.TestScript, code, pattern string, command ...string) {
	commandExits(script, false, append([]string{code}, command...))
	if stdout := script.ReadFile("stdout"); stdout != "" {
		script.Fatalf("stdout is not empty: %q", stdout)
	}
	errorLines, hintLines := linesWith(script, "oidc-login: error: "), linesWith(script, "oidc-login: hint: ")
	if len(errorLines) != 1 || len(hintLines) == 0 {
		script.Fatalf("expected one error and a hint, got %d and %d", len(errorLines), len(hintLines))
	}
	if !regexp.MustCompile(pattern).MatchString(errorLines[0]) {
		script.Fatalf("expected an error like %q, got %q", pattern, errorLines[0])
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
