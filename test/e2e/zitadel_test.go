package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

// TestZitadel takes the flows to a second provider, which another team has written: a login, a refresh, UserInfo, and an
// API server that believes both providers.
func TestZitadel(t *testing.T) {
	t.Parallel()
	person := newPersonAtZitadel(t)

	first := person.logsIn(t)
	person.awaitAccepted(t, first.IDToken)
	person.isServedFromStore(t, first)
	second := person.refreshes(t, first)
	person.isServedFromStore(t, second)
	person.asksUserInfo(t)

	if opened := person.browser.Opened(); opened != 1 {
		t.Errorf("the browser was opened %d times, want 1", opened)
	}
}

// personAtZitadel has a cluster that believes this provider as well as Dex.
type personAtZitadel struct {
	zitadel   *Zitadel
	apiServer *APIServer
	keychain  *Keychain
	browser   *Browser
	computer  *Workstation
	provider  []string // the arguments that say which provider, as which client
	getToken  []string // all of the plugin's arguments
}

func newPersonAtZitadel(t *testing.T) *personAtZitadel {
	t.Helper()
	ca := NewCertificateAuthority(t)
	zitadel := StartZitadel(t, ca)
	keychain := StartKeychain(t)
	p := &personAtZitadel{
		zitadel:   zitadel,
		apiServer: StartAPIServer(t, ca, StartDex(t, ca), zitadel.IssuerURL),
		keychain:  keychain,
		browser:   StartBrowser(t, ca),
		computer:  NewWorkstation(t, keychain),
		provider: []string{
			"--oidc-issuer-url=" + zitadel.IssuerURL,
			"--oidc-client-id=" + ClientID,
			"--oidc-extra-scope=profile",
			"--oidc-extra-scope=email",
			"--oidc-extra-scope=offline_access",
			"--certificate-authority=" + ca.File,
		},
	}
	p.getToken = append([]string{"get-token", "--listen-address=" + freeAddress(t), "--browser-command=" + p.browser.Command},
		p.provider...)
	p.computer.WriteKubeconfig(t, p.apiServer, ExecUser{
		APIVersion:      "client.authentication.k8s.io/v1",
		InteractiveMode: "IfAvailable",
		Command:         programs.Plugin,
		Args:            p.getToken,
	})
	zitadel.Traffic.Take() // what follows is the person's
	return p
}

// logsIn runs the plugin alone: whether the API server takes the token is seen afterwards.
func (p *personAtZitadel) logsIn(t *testing.T) Tokens {
	t.Helper()
	plugin := p.computer.StartPlugin(t, p.getToken...)
	page := p.browser.Login(t, p.browser.AwaitURL(t, plugin), p.zitadel.User)
	assertContains(t, page.Text, p.zitadel.User.Email, p.zitadel.User.ID, p.zitadel.IssuerURL)
	tokens := p.onlyTokens(t, "authorization_code")
	if got := ParseToken(t, <-plugin); got != tokens.IDToken {
		t.Error("the plugin printed another ID token than the provider gave")
	}
	claims := ParseClaims(t, tokens.IDToken)
	if left := time.Until(time.Unix(claims.Expiry, 0)); claims.Subject != p.zitadel.User.ID || left > IDTokenLifetime {
		t.Errorf("the ID token is of %q and lives %s more, so the server is not set up as it should be", claims.Subject, left)
	}
	return tokens
}

// awaitAccepted waits until the API server has looked at the provider: "ready" does not mean that it has.
func (p *personAtZitadel) awaitAccepted(t *testing.T, idToken string) {
	t.Helper()
	client := p.apiServer.CA.HTTPClient()
	request := getRequest(t, p.apiServer.URL+"/api")
	request.Header.Set("Authorization", "Bearer "+idToken)
	eventually(t, 30*time.Second, "the API server to take the ID token", func() error { return probeHTTP(client, request) })
	p.zitadel.Traffic.Take()
}

func (p *personAtZitadel) isServedFromStore(t *testing.T, tokens Tokens) {
	t.Helper()
	if storedRefreshToken(t, p.keychain) != tokens.RefreshToken {
		t.Error("the keychain has another refresh token than the provider gave last")
	}
	assertServedFromStore(t, p.computer, p.zitadel.Traffic, "oidc:"+p.zitadel.User.ID)
}

func (p *personAtZitadel) refreshes(t *testing.T, old Tokens) Tokens {
	t.Helper()
	output := p.computer.Plugin(t, append(p.getToken, "--force-refresh")...)
	tokens := p.onlyTokens(t, "refresh_token")
	if got := ParseToken(t, output); got != tokens.IDToken {
		t.Error("the plugin printed another ID token than the provider gave")
	}
	if tokens.RefreshToken == old.RefreshToken {
		t.Error("the provider did not rotate the refresh token, so this test proves nothing")
	}
	return tokens
}

func (p *personAtZitadel) asksUserInfo(t *testing.T) {
	t.Helper()
	output := p.computer.Plugin(t, append([]string{"status", "--userinfo", "-o=json"}, p.provider...)...)
	var status struct {
		LoggedIn bool           `json:"loggedIn"`
		UserInfo map[string]any `json:"userInfo"`
	}
	if err := json.Unmarshal([]byte(output.Stdout), &status); err != nil || output.ExitCode != 0 {
		t.Fatalf("status --userinfo (%v): %s", err, output)
	}
	if !status.LoggedIn || status.UserInfo["sub"] != p.zitadel.User.ID || status.UserInfo["email"] != p.zitadel.User.Email {
		t.Errorf("the person is somebody else: %+v", status)
	}
}

// onlyTokens returns what the one token request since the last look brought.
func (p *personAtZitadel) onlyTokens(t *testing.T, grant string) Tokens {
	t.Helper()
	requests := tokenRequests(p.zitadel.Traffic.Take())
	if len(requests) != 1 || requests[0].Status != http.StatusOK || requests[0].Form.Get("grant_type") != grant {
		t.Fatalf("want one request of the grant %s, got %s", grant, summary(requests))
	}
	return requests[0].Tokens(t)
}
