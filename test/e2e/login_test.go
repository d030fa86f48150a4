package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestLogin is a newcomer's first two minutes: a login in the browser, a token from the store, and a refresh.
func TestLogin(t *testing.T) {
	t.Parallel()
	newcomer := newNewcomer(t)

	first := newcomer.logsIn(t)
	newcomer.isServedFromStore(t, first)
	awaitExpiry(t, first.IDToken)
	second := newcomer.refreshesOnce(t, first)
	newcomer.isServedFromStore(t, second)

	if opened := newcomer.browser.Opened(); opened != 1 {
		t.Errorf("the browser was opened %d times, want 1", opened)
	}
	assertOnlyIDTokenOnDisk(t, newcomer.computer.Home, second.IDToken, namesOfSecrets(t, newcomer.dex.Traffic.All()))
}

// newcomer is a person who has installed the plugin, got a kubeconfig, and done nothing else.
type newcomer struct {
	dex       *Dex
	apiServer *APIServer
	keychain  *Keychain
	browser   *Browser
	computer  *Workstation
	getToken  []string // the plugin's arguments
	username  string   // as the API server is to see it
}

func newNewcomer(t *testing.T) *newcomer {
	t.Helper()
	ca := NewCertificateAuthority(t)
	dex := StartDex(t, ca)
	apiServer := StartAPIServer(t, ca, &dex.Provider)
	keychain := StartKeychain(t)
	browser := StartBrowser(t, ca)
	n := &newcomer{
		dex:       dex,
		apiServer: apiServer,
		keychain:  keychain,
		browser:   browser,
		computer:  NewWorkstation(t, keychain),
		getToken: []string{
			"get-token",
			"--oidc-issuer-url=" + dex.IssuerURL,
			"--oidc-client-id=" + ClientID,
			"--oidc-extra-scope=email",
			"--oidc-extra-scope=groups",
			"--oidc-extra-scope=offline_access",
			"--certificate-authority=" + ca.File,
			"--listen-address=" + freeAddress(t),
			"--browser-command=" + browser.Command,
		},
		username: "oidc:" + ParseClaims(t, dex.PasswordGrant(t)).Subject,
	}
	n.computer.WriteKubeconfig(t, apiServer, ExecUser{
		APIVersion:      "client.authentication.k8s.io/v1",
		InteractiveMode: "IfAvailable",
		Command:         programs.Plugin,
		Args:            n.getToken,
	})
	dex.Traffic.Take() // what follows is the newcomer's
	return n
}

// logsIn runs the first kubectl of all, which asks for a login.
func (n *newcomer) logsIn(t *testing.T) Tokens {
	t.Helper()
	whoAmI, page := logIn(t, n.computer, n.browser, n.dex.User)
	user, group := ParseUserInfo(t, whoAmI), "oidc:"+n.dex.User.Group
	if user.Username != n.username || !slices.Contains(user.Groups, group) {
		t.Errorf("the API server sees %+v, want %s in the group %s", user, n.username, group)
	}
	if !strings.Contains(page.Text, n.dex.User.Email) {
		t.Errorf("the last page does not say who has logged in: %s", page.Text)
	}
	requests := tokenRequests(n.dex.Traffic.Take())
	if len(requests) != 1 {
		t.Fatalf("the login took %d token requests, want 1", len(requests))
	}
	return requests[0].Tokens(t)
}

// isServedFromStore sees that kubectl gets the stored ID token without a request, and that the keychain has the session.
func (n *newcomer) isServedFromStore(t *testing.T, tokens Tokens) {
	t.Helper()
	if stored := ParseToken(t, n.computer.Plugin(t, n.getToken...)); stored != tokens.IDToken {
		t.Error("the stored ID token is another one than Dex gave last")
	}
	if storedRefreshToken(t, n.keychain) != tokens.RefreshToken {
		t.Error("the keychain has another refresh token than Dex gave last")
	}
	assertServedFromStore(t, n.computer, n.dex.Traffic, n.username)
}

// refreshesOnce runs many kubectl at once, all of which find the ID token expired.
func (n *newcomer) refreshesOnce(t *testing.T, old Tokens) Tokens {
	t.Helper()
	for _, whoAmI := range whoAmIAtOnce(t, n.computer, 10) {
		if got := ParseUserInfo(t, whoAmI).Username; got != n.username {
			t.Errorf("a parallel call is seen as %q, want %q", got, n.username)
		}
	}
	exchanges := n.dex.Traffic.Take()
	requests := tokenRequests(exchanges)
	if len(requests) != 1 || len(exchanges) != 1 {
		t.Fatalf("10 parallel calls asked Dex for %s, want one token request", summary(exchanges))
	}
	if grant := requests[0].Form.Get("grant_type"); grant != "refresh_token" {
		t.Errorf("the token request has the grant type %q, want refresh_token", grant)
	}
	tokens := requests[0].Tokens(t)
	if tokens.RefreshToken == old.RefreshToken {
		t.Error("Dex did not rotate the refresh token, so this test proves nothing")
	}
	return tokens
}

// logIn runs kubectl, which opens the browser, and logs in there. It keeps a screenshot of the last page.
func logIn(t *testing.T, computer *Workstation, browser *Browser, user User) (whoAmI Output, page Page) {
	t.Helper()
	kubectl := make(chan Output, 1)
	go func() { kubectl <- computer.WhoAmI(t) }()
	page = browser.Login(t, browser.AwaitURL(t, kubectl), user)
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "login.png"), page.Screenshot, 0o600); err != nil {
		t.Error(err)
	}
	return <-kubectl, page
}

// assertServedFromStore runs kubectl and sees that nobody was asked for anything.
func assertServedFromStore(t *testing.T, computer *Workstation, provider *RecordingProxy, username string) {
	t.Helper()
	whoAmI := computer.WhoAmI(t)
	if got := ParseUserInfo(t, whoAmI).Username; got != username {
		t.Errorf("the API server sees %q, want %q", got, username)
	}
	if whoAmI.Stderr != "" {
		t.Errorf("nothing was needed, but the person reads: %s", whoAmI.Stderr)
	}
	if exchanges := provider.Take(); len(exchanges) > 0 {
		t.Errorf("a stored token needs no request, but there were: %s", summary(exchanges))
	}
}

func whoAmIAtOnce(t *testing.T, computer *Workstation, calls int) []Output {
	t.Helper()
	outputs := make([]Output, calls)
	var running sync.WaitGroup
	for i := range outputs {
		running.Go(func() { outputs[i] = computer.WhoAmI(t) })
	}
	running.Wait()
	return outputs
}

// awaitExpiry takes up to a minute: Dex, the plugin and the API server are to agree on the real time.
func awaitExpiry(t *testing.T, idToken string) {
	t.Helper()
	left := time.Until(time.Unix(ParseClaims(t, idToken).Expiry, 0))
	t.Logf("waiting %s for the ID token to expire", left.Round(time.Second))
	select {
	case <-time.After(left):
	case <-t.Context().Done():
	}
}

// storedRefreshToken asks the keychain for the one session that it keeps.
func storedRefreshToken(t *testing.T, keychain *Keychain) string {
	t.Helper()
	stored := keychain.Secrets(t, "kubectl-oidc_login")
	if len(stored) != 1 {
		t.Fatalf("the keychain keeps %d items, want the session alone", len(stored))
	}
	var session struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.Unmarshal([]byte(stored[0]), &session); err != nil || session.RefreshToken == "" {
		t.Fatalf("the item in the keychain is no session with a refresh token (%v)", err)
	}
	return session.RefreshToken
}

func tokenRequests(exchanges []Exchange) []Exchange {
	return slices.DeleteFunc(slices.Clone(exchanges), func(e Exchange) bool { return !e.IsTokenRequest() })
}

func summary(exchanges []Exchange) string {
	var lines []string
	for _, exchange := range exchanges {
		lines = append(lines, exchange.Method+" "+exchange.Path)
	}
	return strings.Join(lines, ", ")
}
