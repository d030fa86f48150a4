package test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cli"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// The README's flag table names the flags of get-token, status and logout: all of them, and no others.
func TestREADMEFlags(t *testing.T) {
	t.Parallel()
	flag := regexp.MustCompile("`(--[a-z-]+|-[ov])`")
	documented := map[string]bool{}
	for line := range strings.Lines(readREADME(t)) {
		if strings.HasPrefix(line, "| `-") {
			for _, match := range flag.FindAllStringSubmatch(line, -1) {
				documented[match[1]] = true
			}
		}
	}
	var help bytes.Buffer
	for _, verb := range []string{"get-token", "status", "logout"} {
		env := cli.OSEnv()
		env.Args, env.Stdout, env.Stderr = []string{verb, "--help"}, &help, &help
		if code := cli.Run(context.Background(), env); code != 0 {
			t.Fatalf("--help ended with %d: %s", code, help.String())
		}
	}
	helped := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^ +(-[ov]|--[a-z-]+)`).FindAllStringSubmatch(help.String(), -1) {
		helped[match[1]] = true
	}
	for name := range helped {
		if !documented[name] {
			t.Errorf("the README does not name %s", name)
		}
	}
	for name := range documented {
		if !helped[name] {
			t.Errorf("the README names %s, which --help does not know", name)
		}
	}
}

// Links of the README into the repository lead somewhere, and so does its map.
func TestREADMELinks(t *testing.T) {
	t.Parallel()
	text := readREADME(t)
	for _, match := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(text, -1) {
		expectPath(t, match[1])
	}
	_, folders, _ := strings.Cut(text, "## A map of the folders")
	folders, _, _ = strings.Cut(folders, "\n## ")
	for _, match := range regexp.MustCompile("`([a-z0-9/]+)`").FindAllStringSubmatch(folders, -1) {
		expectPath(t, match[1])
	}
}

func expectPath(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join("..", path)); err != nil {
		t.Errorf("the README leads to %s, which is not there", path)
	}
}

// Each provider's page is on the list, has the same parts, says whether it was tried, and leads somewhere.
func TestProviderPages(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "docs", "providers")
	pages, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(folder, string(match[1]))); err != nil {
				t.Errorf("%s leads to %s, which is not there", page, match[1])
			}
		}
		name := filepath.Base(page)
		if name == "README.md" {
			continue
		}
		if !bytes.Contains(list, []byte("]("+name+")")) {
			t.Errorf("the list of providers lacks %s", name)
		}
		for _, part := range []string{"(Tried: |Not tried here; )", "## The client", "## The plugin", "## The API server", "## .*ifetimes", `From \[`} {
			if !regexp.MustCompile("(?m)^" + part).Match(text) {
				t.Errorf("%s has no line like %q", name, part)
			}
		}
	}
}

func readREADME(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The README's table of exit codes is the whole of them; the script exit-codes shows each.
func TestREADMEExitCodes(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "OUT-07")
	_, table, _ := strings.Cut(readREADME(t), "## Exit codes")
	table, _, _ = strings.Cut(table, "\n## ")
	script, err := os.ReadFile(filepath.Join("testdata", "exit-codes.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for code := range 10 {
		documented := strings.Contains(table, fmt.Sprintf("\n| %d | ", code))
		shown := strings.Contains(string(script), fmt.Sprintf("\nexits %d ", code))
		if exists := code <= 5; documented != exists || shown != exists {
			t.Errorf("exit code %d: documented %t, shown %t", code, documented, shown)
		}
	}
}
