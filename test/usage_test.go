package test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cli"
)

const comingFromKubelogin = "\n## Coming from kubelogin\n"

func readUsage(t *testing.T) (flags, kubelogin string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "usage.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, flags, hasFlags := strings.Cut(string(text), "\n## Flags\n")
	flags, kubelogin, hasKubelogin := strings.Cut(flags, comingFromKubelogin)
	if !hasFlags || !hasKubelogin {
		t.Fatal("docs/usage.md lacks one of its parts")
	}
	return flags, kubelogin
}

// firstCells are the words in the first column of tables.
func firstCells(text string) []string {
	var cells []string
	for _, match := range regexp.MustCompile("(?m)^\\| `(-[^`]*)` \\|").FindAllStringSubmatch(text, -1) {
		cells = append(cells, match[1])
	}
	return cells
}

// docs/usage.md explains the flags of get-token, login, status, logout and setup: all of them, once, and no others.
func TestUsageFlags(t *testing.T) {
	t.Parallel()
	text, _ := readUsage(t)
	documented := firstCells(text)
	var helped []string
	for _, verb := range []string{"get-token", "login", "status", "logout", "setup"} {
		code, help, _ := callQuietly(t, verb, "--help")
		if code != 0 {
			t.Fatalf("--help ended with %d", code)
		}
		for _, match := range regexp.MustCompile(`(?m)^ +(-[ov]|--[a-z-]+)`).FindAllStringSubmatch(help, -1) {
			helped = append(helped, match[1])
		}
	}
	slices.Sort(documented)
	slices.Sort(helped)
	helped = slices.Compact(helped) // many are of both
	if !slices.Equal(documented, helped) {
		t.Errorf("docs/usage.md explains\n%q\nand --help\n%q", documented, helped)
	}
}

// A kubeconfig with any flag of kubelogin's get-token works: with each of them the call comes to the point where it would
// ask a person.
func TestKubeloginFlags(t *testing.T) {
	t.Parallel()
	_, table := readUsage(t)
	examples := firstCells(table)
	if len(examples) < 40 {
		t.Fatalf("the table has %d flags", len(examples))
	}
	for _, example := range examples {
		want := 3
		arguments := []string{"get-token", "--oidc-issuer-url=https://issuer.example", "--oidc-client-id=x", "--interactive=never", example}
		switch {
		case example == "--help":
			want = 0
		case strings.HasPrefix(example, "--local-server-"): // one needs the other
			arguments = append(slices.Insert(arguments, 1, "--local-server-cert=x"), "--local-server-key=x")
		}
		if code, _, stderr := callQuietly(t, arguments...); code != want {
			t.Errorf("%s: expected exit code %d, got %d: %s", example, want, code, stderr)
		}
	}
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "| `") && !regexp.MustCompile("^\\| `[^`]+` \\| (same|better|differs|accepted) \\| ").MatchString(line) {
			t.Errorf("the table has a row of another form: %s", line)
		}
	}
}

func TestUsageLinks(t *testing.T) {
	t.Parallel()
	flags, kubelogin := readUsage(t)
	for _, match := range regexp.MustCompile(`\]\((\.\./[^)#]+)#([^)]+)\)`).FindAllStringSubmatch(flags+kubelogin, -1) {
		text, err := os.ReadFile(filepath.Join("..", "docs", match[1]))
		heading := "\n## " + strings.ReplaceAll(match[2], "-", " ") + "\n"
		if err != nil || !strings.Contains(strings.ToLower(string(text)), heading) {
			t.Errorf("docs/usage.md leads to %s#%s, which is not there", match[1], match[2])
		}
	}
}

// callQuietly runs the program in this process, with nothing of this machine, and no network but its loopback addresses.
func callQuietly(t *testing.T, arguments ...string) (code int, stdout, stderr string) {
	t.Helper()
	home := t.TempDir()
	var out, complaints bytes.Buffer
	env := cli.OSEnv()
	env.Args, env.Stdout, env.Stderr, env.Environ = arguments, &out, &complaints, nil
	env.Proxy = func(request *http.Request) (*url.URL, error) {
		if net.ParseIP(request.URL.Hostname()).IsLoopback() {
			return nil, nil // a server of the test
		}
		return nil, errors.New("there is no network")
	}
	env.Executable = func() (string, error) { return filepath.Join(home, "kubectl-oidc_login"), nil }
	env.HomeDir = func() (string, error) { return home, nil }
	env.TempDir = func() string { return home }
	env.Keychain, env.KernelKeyring = folderKeychain("locked"), folderKeychain("forbidden")
	code = cli.Run(context.Background(), env)
	return code, out.String(), complaints.String()
}
