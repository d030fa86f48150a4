package test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// pages are the paths of all that is written for people, from the top of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", "bin", "dist", "_artifacts"}, entry.Name()) {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("only %d pages were found", len(found))
	}
	return found
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Links between pages lead to a file, and to a heading in it.
func TestDocsLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(readPage(t, page), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.HasPrefix(target, "https://") {
				continue
			}
			if strings.Contains(target, ":") {
				t.Errorf("%s leads to %s, which is neither https nor in the repository", page, match[1])
				continue
			}
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join("..", path)); err != nil {
				t.Errorf("%s leads to %s, which is not there", page, match[1])
				continue
			}
			if anchor != "" && strings.HasSuffix(path, ".md") && !slices.Contains(anchors(readPage(t, path)), anchor) {
				t.Errorf("%s leads to %s, which has no such heading", page, match[1])
			}
		}
	}
}

// anchors are the names that GitHub gives to the headings of a page.
func anchors(page string) []string {
	var found []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		found = append(found, strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, heading[1]))
	}
	return found
}

// shellBlocks are the commands of a page, each in one line.
func shellBlocks(page string) []string {
	var commands []string
	for _, block := range regexp.MustCompile("(?ms)^ *```sh\n(.*?)^ *```").FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
			commands = append(commands, strings.TrimSpace(line))
		}
	}
	return commands
}

// Every command of this program that a page shows exists, with the flags that are shown, and so does every make target. A
// setup is more: it does all that it can without a network.
func TestDocsCommands(t *testing.T) {
	t.Parallel()
	makefile := readPage(t, "Makefile")
	own := regexp.MustCompile(`(?:^|[ (])(?:kubectl oidc-login|kubectl-oidc_login) ([^#>|)]*)`)
	target := regexp.MustCompile("(?:^|`)make ([a-z-]+)")
	checked := 0
	for _, page := range pages(t) {
		text := readPage(t, page)
		for _, command := range append(shellBlocks(text), inlineCommands(text)...) {
			match := own.FindStringSubmatch(command)
			if match == nil {
				continue
			}
			checked++
			arguments := strings.Fields(strings.NewReplacer("'", "", `"`, "").Replace(match[1]))
			// With --help nothing is done, but flags before it are read.
			if code, _, stderr := callQuietly(t, append(slices.Clone(arguments), "--help")...); code != 0 {
				t.Errorf("%s shows %q, which ends with %d: %s", page, command, code, stderr)
			}
			if arguments[0] == "setup" {
				checkSetup(t, page, arguments)
			}
		}
		for _, match := range target.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(makefile, "\n"+match[1]+": ") {
				t.Errorf("%s names `make %s`, which the Makefile does not have", page, match[1])
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d commands were found", checked)
	}
}

// inlineCommands are those within a paragraph. One with a placeholder for a key is none.
func inlineCommands(page string) []string {
	var commands []string
	for _, match := range regexp.MustCompile("`(kubectl[ -]oidc[-_]login [a-z][^`<\n]*)`").FindAllStringSubmatch(page, -1) {
		commands = append(commands, match[1])
	}
	return commands
}

// checkSetup runs a setup that names a provider. Either it has no need of one, or it comes to the point where it asks the
// provider, so nothing that was given to it is refused.
func checkSetup(t *testing.T, page string, arguments []string) {
	t.Helper()
	if !slices.ContainsFunc(arguments, func(argument string) bool { return strings.HasPrefix(argument, "--oidc-issuer-url=") }) {
		return
	}
	want := 4
	for i, argument := range arguments {
		if name, file, _ := strings.Cut(argument, "="); name == "--cluster-certificate-authority" {
			path := filepath.Join(t.TempDir(), file)
			if err := os.WriteFile(path, []byte("a certificate"), 0o600); err != nil {
				t.Fatal(err)
			}
			arguments[i] = name + "=" + path
		}
		if argument == "--output=kubeconfig" {
			want = 0
		}
	}
	if code, _, stderr := callQuietly(t, arguments...); code != want {
		t.Errorf("%s shows %q: expected exit code %d, got %d: %s", page, arguments, want, code, stderr)
	}
}

// Each message in the headings of the page is one that the program can print, or, in the last part, kubectl.
func TestTroubleshooting(t *testing.T) {
	t.Parallel()
	ours, kubectls, found := strings.Cut(readPage(t, "docs/troubleshooting.md"), "\n## kubectl's own words\n")
	if !found {
		t.Fatal("the page has no part for kubectl's own words")
	}
	checkMessages(t, ours, 30, sourceBelow(t, "../pkg")+sourceBelow(t, "../cmd"))

	// Most of that comes from libraries that this module requires too, in the version of some kubectl.
	var libraries strings.Builder
	for _, folder := range goList(t, "-find", "-f", "{{.Dir}}", "crypto/x509", "github.com/spf13/cobra",
		"k8s.io/apimachinery/pkg/api/errors", "k8s.io/client-go/discovery/cached/memory",
		"k8s.io/client-go/plugin/pkg/client/auth/exec", "k8s.io/client-go/tools/clientcmd") {
		libraries.WriteString(sourceBelow(t, folder))
	}
	// Two are kubectl's own (k8s.io/kubectl/pkg/cmd/util/helpers.go), and one is the API server's
	// (k8s.io/apiserver/pkg/authentication/user). This module requires neither, so nothing holds these three.
	libraries.WriteString(`You must be logged in to the server Error from server (Forbidden) User "system:anonymous"`)
	values := strings.NewReplacer("kubectl-oidc_login", "%s", `"oidc-login"`, "%q", `"kubectl"`, "%q")
	checkMessages(t, values.Replace(kubectls), 10, libraries.String())
}

// checkMessages holds a page's headings to source code.
func checkMessages(t *testing.T, page string, least int, source string) {
	t.Helper()
	headings := regexp.MustCompile("(?m)^### `(.*)`$").FindAllStringSubmatch(page, -1)
	if len(headings) < least {
		t.Errorf("only %d messages were found", len(headings))
	}
	for _, heading := range headings {
		for fragment := range strings.SplitSeq(heading[1], "…") {
			if !strings.Contains(source, strings.TrimSpace(fragment)) {
				t.Errorf("no message has %q in it", fragment)
			}
		}
	}
}

// sourceBelow is all Go source of a folder but its tests.
func sourceBelow(t *testing.T, folder string) string {
	t.Helper()
	var source strings.Builder
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(filepath.Join(folder, path))
		source.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return source.String()
}

// The map of the folders names those that are there.
func TestMapOfFolders(t *testing.T) {
	t.Parallel()
	_, folders, found := strings.Cut(readPage(t, "CONTRIBUTING.md"), "\n## Where things are\n")
	if !found {
		t.Fatal("there is no map")
	}
	folders, _, _ = strings.Cut(folders, "\n## ")
	matches := regexp.MustCompile("(?m)\\| `([a-z0-9/]+)`").FindAllStringSubmatch(folders, -1)
	if len(matches) < 10 {
		t.Errorf("the map has only %d folders", len(matches))
	}
	for _, match := range matches {
		if _, err := os.Stat(filepath.Join("..", match[1])); err != nil {
			t.Errorf("the map has %s, which is not there", match[1])
		}
	}
}

// Each provider's page is on the list, has the same parts, and says whether it was tried.
func TestProviderPages(t *testing.T) {
	t.Parallel()
	list := readPage(t, "docs/providers/README.md")
	for _, page := range pages(t) {
		name, found := strings.CutPrefix(page, "docs/providers/")
		if !found || name == "README.md" {
			continue
		}
		if !strings.Contains(list, "]("+name+")") {
			t.Errorf("the list of providers lacks %s", name)
		}
		text := readPage(t, page)
		for _, part := range []string{"(Tried: |Not tried here; )", "## The client", "## The plugin", "## The API server", "## .*ifetimes", `From \[`} {
			if !regexp.MustCompile("(?m)^" + part).MatchString(text) {
				t.Errorf("%s has no line like %q", name, part)
			}
		}
	}
}

// The table of exit codes is the whole of them; the script exit-codes shows each.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "OUT-07")
	_, table, _ := strings.Cut(readPage(t, "docs/usage.md"), "## Exit codes")
	table, _, _ = strings.Cut(table, "\n## ")
	script := readPage(t, "test/testdata/exit-codes.txtar")
	for code := range 10 {
		documented := strings.Contains(table, fmt.Sprintf("\n| %d | ", code))
		shown := strings.Contains(script, fmt.Sprintf("\nexits %d ", code))
		if exists := code <= 5; documented != exists || shown != exists {
			t.Errorf("exit code %d: documented %t, shown %t", code, documented, shown)
		}
	}
}
