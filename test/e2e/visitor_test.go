package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// visitor is a person with a kubeconfig for one way in, and with browsers here and elsewhere.
type visitor struct {
	way       wayIn
	provider  *Provider
	subject   string
	client    *http.Client
	keychain  *Keychain
	browser   *Browser // here
	elsewhere *Browser
	computer  *Workstation
	login     []string // the arguments that say who logs in where
	getToken  []string // all of the plugin's arguments
	seen      int      // exchanges of the client
}

func newVisitor(t *testing.T, way wayIn, provider *Provider, apiServer *APIServer, subject string) *visitor {
	t.Helper()
	keychain := StartKeychain(t)
	v := &visitor{
		way:       way,
		provider:  provider,
		subject:   subject,
		client:    apiServer.CA.HTTPClient(),
		keychain:  keychain,
		browser:   StartBrowser(t, apiServer.CA),
		elsewhere: StartBrowserElsewhere(t, apiServer.CA),
		computer:  NewWorkstation(t, keychain),
		login:     append(provider.arguments(way.client(), apiServer.CA), way.arguments...),
	}
	v.getToken = append([]string{"get-token", "--listen-address=" + freeAddress(t)}, v.login...)
	if way.name == "browser" {
		v.getToken = append(v.getToken, "--browser-command="+v.browser.Command)
	}
	v.computer.WriteKubeconfig(t, apiServer, ExecUser{
		APIVersion:      "client.authentication.k8s.io/v1",
		InteractiveMode: "IfAvailable",
		Command:         programs.Plugin,
		Args:            v.getToken,
	})
	return v
}

// arguments say which provider, as which client, and what is asked for.
func (p *Provider) arguments(clientID string, ca *CertificateAuthority) []string {
	return []string{
		"--oidc-issuer-url=" + p.IssuerURL,
		"--oidc-client-id=" + clientID,
		"--oidc-extra-scope=profile",
		"--oidc-extra-scope=email",
		"--oidc-extra-scope=offline_access",
		"--certificate-authority=" + ca.File,
	}
}

// logsIn runs kubectl, which asks for a login.
func (v *visitor) logsIn(t *testing.T) Tokens {
	t.Helper()
	whoAmI := v.way.logIn(t, v)
	if got := ParseUserInfo(t, whoAmI).Username; got != "oidc:"+v.subject {
		t.Errorf("the API server sees %q, want %q", got, "oidc:"+v.subject)
	}
	tokens := v.onlyTokens(t, v.way.grant)
	claims := ParseClaims(t, tokens.IDToken)
	if left := time.Until(time.Unix(claims.Expiry, 0)); claims.Subject != v.subject || left > IDTokenLifetime {
		t.Errorf("the ID token is of %q and lives %s more, so the server is not set up as it should be", claims.Subject, left)
	}
	return tokens
}

// sitsDown runs kubectl at a terminal.
func (v *visitor) sitsDown(t *testing.T) *Terminal {
	t.Helper()
	return v.computer.SitDown(t, programs.Kubectl, "auth", "whoami", "--output=json")
}

// loginElsewhere opens the URL that the terminal shows in a browser of another machine, and returns where that ends.
func (v *visitor) loginElsewhere(t *testing.T) (terminal *Terminal, address string) {
	t.Helper()
	terminal = v.sitsDown(t)
	authorization := terminal.Reads(t, `open this URL in one before \S+ to log in: (\S+)`)
	terminal.Reads(t, "paste its address, or the code in it, here")
	return terminal, v.elsewhere.LoginElsewhere(t, authorization, v.provider.User)
}

// isServedFromStore sees that kubectl is content with what is stored, and that the keychain has the session.
func (v *visitor) isServedFromStore(t *testing.T, tokens Tokens) {
	t.Helper()
	if storedRefreshToken(t, v.keychain) != tokens.RefreshToken {
		t.Error("the keychain has another refresh token than the provider gave last")
	}
	whoAmI := v.computer.WhoAmI(t)
	if got := ParseUserInfo(t, whoAmI).Username; got != "oidc:"+v.subject {
		t.Errorf("the API server sees %q, want %q", got, "oidc:"+v.subject)
	}
	if whoAmI.Stderr != "" {
		t.Errorf("nothing was needed, but the person reads: %s", whoAmI.Stderr)
	}
	if exchanges := v.exchanges(); len(exchanges) > 0 {
		t.Errorf("a stored token needs no request, but there were: %s", summary(exchanges))
	}
}

func (v *visitor) refreshes(t *testing.T, old Tokens) Tokens {
	t.Helper()
	output := v.computer.Plugin(t, append(slices.Clone(v.getToken), "--force-refresh")...)
	if got, tokens := ParseToken(t, output), v.onlyTokens(t, "refresh_token"); got != tokens.IDToken {
		t.Error("the plugin printed another ID token than the provider gave")
	} else if tokens.RefreshToken == old.RefreshToken {
		t.Error("the provider did not rotate the refresh token, so this test proves nothing")
	} else {
		return tokens
	}
	return Tokens{}
}

func (v *visitor) asksUserInfo(t *testing.T) {
	t.Helper()
	output := v.computer.Plugin(t, append([]string{"status", "--userinfo", "-o=json"}, v.login...)...)
	var status struct {
		LoggedIn bool           `json:"loggedIn"`
		UserInfo map[string]any `json:"userInfo"`
	}
	if err := json.Unmarshal([]byte(output.Stdout), &status); err != nil || output.ExitCode != 0 {
		t.Fatalf("status --userinfo (%v): %s", err, output)
	}
	if !status.LoggedIn || status.UserInfo["sub"] != v.subject || status.UserInfo["email"] != v.provider.User.Email {
		t.Errorf("the person is somebody else: %+v", status)
	}
}

// isToldThatSessionEnded is for a session whose refresh token somebody else has used.
func (v *visitor) isToldThatSessionEnded(t *testing.T) {
	t.Helper()
	v.exchanges() // of UserInfo, which may have renewed the session
	requests := tokenRequests(v.provider.Traffic.All())
	askForTokens(t, v.client, v.provider.Traffic.URL+requests[0].Path, url.Values{
		"grant_type":    {"refresh_token"},
		"client_id":     {v.way.client()},
		"refresh_token": {storedRefreshToken(t, v.keychain)},
	})
	output := v.computer.Plugin(t, append(slices.Clone(v.getToken), "--force-refresh", "--interactive=never")...)
	if output.ExitCode != 3 {
		t.Errorf("want exit code 3, a login is needed: %s", output)
	}
	if left := v.keychain.Secrets(t, "kubectl-oidc_login"); len(left) > 0 {
		t.Errorf("the keychain still keeps %d items", len(left))
	}
}

// onlyTokens returns what the token requests since the last look brought, all of which were of one grant, and of which
// the last succeeded. Those before it were polls, or codes that the person mistyped.
func (v *visitor) onlyTokens(t *testing.T, grant string) Tokens {
	t.Helper()
	requests := tokenRequests(v.exchanges())
	for i, request := range requests {
		isLast := i == len(requests)-1
		if (request.Status == http.StatusOK) != isLast || request.Form.Get("grant_type") != grant {
			t.Fatalf("request %d of %d is of the grant %s and got %d: %s", i+1, len(requests),
				request.Form.Get("grant_type"), request.Status, request.Answer)
		}
	}
	if len(requests) == 0 {
		t.Fatal("nothing was asked of the token endpoint")
	}
	return requests[len(requests)-1].Tokens(t)
}

// exchanges are those of the visitor's client since the last look.
func (v *visitor) exchanges() []Exchange {
	own := slices.DeleteFunc(v.provider.Traffic.All(), func(e Exchange) bool { return e.Form.Get("client_id") != v.way.client() })
	fresh := own[v.seen:]
	v.seen = len(own)
	return fresh
}

// codeIn is the authorization code as it stands in the address.
func (p *Provider) codeIn(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Query().Get("code")
}
