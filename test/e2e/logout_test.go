package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestLogout ends logins: at zitadel's server the refresh token is worthless then, also when the browser has logged out
// too; Dex has no way to be told, so it is used up there.
func TestLogout(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	zitadel, dex := StartZitadel(t, ca), StartDex(t, ca)

	t.Run("zitadel", func(t *testing.T) {
		t.Parallel()
		l := newLeaver(t, ca, &zitadel.Provider)
		refreshToken := l.logsIn(t)
		output := l.logsOut(t)
		assertContains(t, output.Stdout, "revoked the refresh token at the provider", "removed from this machine: the session and the ID token",
			"the ID token stays valid until ")
		if status := l.refresh(t, refreshToken); status != http.StatusBadRequest {
			t.Errorf("the refresh token was answered with %d", status)
		}
		l.isLoggedOut(t)
	})
	t.Run("Dex", func(t *testing.T) {
		t.Parallel()
		l := newLeaver(t, ca, &dex.Provider)
		refreshToken := l.logsIn(t)
		output := l.logsOut(t)
		assertContains(t, output.Stdout, "the refresh token was used up instead", "removed from this machine: the session and the ID token")
		if strings.Contains(output.Stdout, "revoked") {
			t.Errorf("nothing can have been revoked: %s", output)
		}
		if status := l.refresh(t, refreshToken); status != http.StatusBadRequest {
			t.Errorf("the refresh token was answered with %d", status)
		}
		l.isLoggedOut(t)
	})
}

// TestLogoutInBrowser sees that a real browser, which obeys the page's content security policy, posts the form and comes
// back.
func TestLogoutInBrowser(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	l := newLeaver(t, ca, &StartZitadel(t, ca).Provider)
	l.logsIn(t)
	l.provider.Traffic.Take()
	logout := l.computer.StartPlugin(t, append([]string{"logout", "--provider-session", "--browser-command=" + l.browser.Command,
		"--post-logout-redirect-uri=http://" + strings.Replace(freeAddress(t), "127.0.0.1", "localhost", 1) + "/logged-out"}, l.login...)...)
	address := l.browser.AwaitURL(t, logout)
	if parsed, err := url.Parse(address); err != nil || parsed.Hostname() != "localhost" || parsed.RawQuery != "" {
		t.Errorf("the browser was asked for %q, %v", address, err)
	}
	page := l.browser.OpenOwn(t, address)
	assertContains(t, page.Text, "You are logged out", l.provider.IssuerURL)
	output := <-logout
	if output.ExitCode != 0 || strings.Contains(output.Stderr, "warning") {
		t.Errorf("logout: %s", output)
	}
	assertContains(t, output.Stdout, "the browser is back from the provider, which has ended its session")
	ended := slices.ContainsFunc(l.provider.Traffic.Take(), func(e Exchange) bool {
		return e.Path == "/end_session" && e.Method == http.MethodPost && e.Form.Get("id_token_hint") != "" && e.Status == http.StatusFound
	})
	if !ended {
		t.Error("the provider was not asked to end the session")
	}
	l.isLoggedOut(t)
}

// leaver is a person who logs in, and then out.
type leaver struct {
	provider *Provider
	client   *http.Client
	keychain *Keychain
	browser  *Browser
	computer *Workstation
	login    []string // the arguments that say who logs in where
}

func newLeaver(t *testing.T, ca *CertificateAuthority, provider *Provider) *leaver {
	t.Helper()
	keychain := StartKeychain(t)
	return &leaver{
		provider: provider,
		client:   ca.HTTPClient(),
		keychain: keychain,
		browser:  StartBrowser(t, ca),
		computer: NewWorkstation(t, keychain),
		login:    provider.arguments(ClientID, ca),
	}
}

func (l *leaver) logsIn(t *testing.T) (refreshToken string) {
	t.Helper()
	credential := l.computer.StartPlugin(t, append([]string{"get-token", "--listen-address=" + freeAddress(t),
		"--browser-command=" + l.browser.Command}, l.login...)...)
	l.browser.Login(t, l.browser.AwaitURL(t, credential), l.provider.User)
	ParseToken(t, <-credential)
	return storedRefreshToken(t, l.keychain)
}

func (l *leaver) logsOut(t *testing.T) Output {
	t.Helper()
	output := l.computer.Plugin(t, append([]string{"logout"}, l.login...)...)
	if output.ExitCode != 0 {
		t.Errorf("logout: %s", output)
	}
	return output
}

// refresh uses the refresh token as a thief would who has a copy, and returns the status of the answer.
func (l *leaver) refresh(t *testing.T, refreshToken string) int {
	t.Helper()
	response, err := l.client.PostForm(l.provider.Traffic.URL+tokenRequests(l.provider.Traffic.All())[0].Path, url.Values{
		"grant_type":    {"refresh_token"},
		"client_id":     {ClientID},
		"refresh_token": {refreshToken},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func (l *leaver) isLoggedOut(t *testing.T) {
	t.Helper()
	if left := l.keychain.Secrets(t, "kubectl-oidc_login"); len(left) > 0 {
		t.Errorf("the keychain still keeps %d items", len(left))
	}
	if output := l.computer.Plugin(t, append([]string{"status"}, l.login...)...); output.ExitCode != 3 {
		t.Errorf("want exit code 3, nobody is logged in: %s", output)
	}
}
