package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWindows is a person's first day with the program for Windows: a login, a stored token, a refresh, and a logout. The
// session is in the Credential Manager.
func TestWindows(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	dex := StartDex(t, ca)
	browser := StartBrowser(t, ca)
	computer := NewWindowsComputer(t)
	computer.GetPlugin(t)
	login := []string{
		"--oidc-issuer-url=" + dex.IssuerURL, "--oidc-client-id=" + ClientID, "--oidc-extra-scope=email",
		"--certificate-authority=" + WindowsPath(ca.File),
	}
	getToken := append([]string{"get-token", "--skip-open-browser", "--listen-address=" + freeAddress(t)}, login...)

	running := computer.Start(t, getToken...)
	last := browser.Login(t, running.AwaitURL(t), dex.User)
	assertContains(t, last.Text, "You are logged in", dex.User.Email)
	first := running.End(t)
	expectSuccess(t, first)
	idToken := ParseToken(t, first)

	dex.Traffic.Take()
	stored := computer.Plugin(t, getToken...)
	expectSuccess(t, stored)
	if ParseToken(t, stored) != idToken || len(dex.Traffic.Take()) != 0 {
		t.Error("the second call was not served from what is stored")
	}

	for range 2 { // with the refresh token of the login, and with its successor
		renewed := computer.Plugin(t, append(slices.Clip(getToken), "--force-refresh")...)
		expectSuccess(t, renewed)
		if next := ParseToken(t, renewed); next == idToken {
			t.Error("the token was not renewed")
		} else {
			idToken = next
		}
	}

	status := computer.Plugin(t, append([]string{"status"}, login...)...)
	expectSuccess(t, status)
	assertContains(t, status.Stdout, dex.User.Email, "keychain")
	if sessions, err := filepath.Glob(filepath.Join(computer.Home, ".kube", "cache", "oidc-login", "*.session.json")); err != nil || len(sessions) != 0 {
		t.Errorf("sessions in files: %q, %v", sessions, err)
	}
	tokens, err := filepath.Glob(filepath.Join(computer.Home, ".kube", "cache", "oidc-login", "*.id-token.json"))
	if err != nil || len(tokens) != 1 {
		t.Errorf("ID tokens in files: %q, %v", tokens, err)
	}

	expectSuccess(t, computer.Plugin(t, append([]string{"logout"}, login...)...))
	if status := computer.Plugin(t, append([]string{"status"}, login...)...); status.ExitCode != 3 {
		t.Errorf("status after a logout: %s", status)
	}
	for _, file := range tokens {
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			t.Errorf("the ID token is still there: %v", err)
		}
	}
}

// A password is typed at a console, which does not show it.
func TestWindowsConsole(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	dex := StartDex(t, ca)
	computer := NewWindowsComputer(t)
	computer.GetPlugin(t)
	console := computer.SitDown(t, "get-token", "--oidc-issuer-url="+dex.IssuerURL, "--oidc-client-id="+ClientID, "--oidc-extra-scope=email",
		"--certificate-authority="+WindowsPath(ca.File), "--grant-type=password", "--username="+dex.User.Email)
	console.Asks(t, "assword")
	AwaitKeyboard(t, console)
	console.Types(t, dex.User.Password)
	output := console.End(t)
	ParseToken(t, output)
	if strings.Contains(console.Shown(), dex.User.Password) {
		t.Errorf("the password was shown: %q", console.Shown())
	}
}
