package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

func (c *client) revocationRequest(token string) url.Values {
	return url.Values{"client_id": {c.server.ClientID()}, "token": {token}, "token_type_hint": {"refresh_token"}}
}

func (c *client) mustRevoke(token string) {
	c.t.Helper()
	if answer := c.post("/revocation", c.revocationRequest(token)); answer.StatusCode != http.StatusOK || answer.body != "" {
		c.t.Errorf("got %d %s", answer.StatusCode, answer.body)
	}
}

// https://www.rfc-editor.org/rfc/rfc7009#section-2.1: the whole grant ends with its refresh token.
func TestRevokeRefreshToken(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	first, other := c.login(), c.login()
	second := c.post("/token", c.refreshRequest(first.member(t, "refresh_token")))
	c.mustRevoke(second.member(t, "refresh_token"))
	for _, answer := range []response{first, second} {
		expectError(t, c.post("/token", c.refreshRequest(answer.member(t, "refresh_token"))), 400, "invalid_grant")
		if got := c.userInfo(answer.member(t, "access_token")).StatusCode; got != http.StatusUnauthorized {
			t.Errorf("the access token still works: %d", got)
		}
	}
	if got := server.RefreshToken(); got != other.member(t, "refresh_token") {
		t.Error("another grant has ended too")
	}
}

func TestRevokeAccessToken(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{})
	answer := c.login()
	c.mustRevoke(answer.member(t, "access_token")) // with the wrong hint
	if got := c.userInfo(answer.member(t, "access_token")).StatusCode; got != http.StatusUnauthorized {
		t.Errorf("the access token still works: %d", got)
	}
	if got := c.post("/token", c.refreshRequest(answer.member(t, "refresh_token"))).StatusCode; got != http.StatusOK {
		t.Errorf("the refresh token has ended too: %d", got)
	}
}

// https://www.rfc-editor.org/rfc/rfc7009#section-2.2: unknown tokens are no error.
func TestRevokeUnknownToken(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{})
	c.mustRevoke("unknown")
}

func TestRevocationIsStrict(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	token := c.login().member(t, "refresh_token")
	form := c.revocationRequest(token)
	if got := c.get("/revocation?" + form.Encode()).StatusCode; got != http.StatusMethodNotAllowed {
		t.Errorf("GET: got %d", got)
	}
	request := c.request(http.MethodPost, "/revocation?"+form.Encode(), "")
	expectError(t, c.send(request), 400, "invalid_request")
	request = c.request(http.MethodPost, "/revocation", `{"token":"x"}`)
	request.Header.Set("Content-Type", "application/json")
	expectError(t, c.send(request), 400, "invalid_request")
	form.Del("token")
	expectError(t, c.post("/revocation", form), 400, "invalid_request")
	form = c.revocationRequest(token)
	form.Del("client_id")
	expectError(t, c.post("/revocation", form), 401, "invalid_client")
	if server.RefreshToken() != token {
		t.Error("a bad request has revoked the token")
	}
}

func TestRevocationAuthenticatesClient(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{ClientSecret: "hush"})
	form := c.revocationRequest("x")
	expectError(t, c.post("/revocation", form), 401, "invalid_client")
	form.Set("client_secret", "hush")
	if got := c.post("/revocation", form).StatusCode; got != http.StatusOK {
		t.Errorf("got %d", got)
	}
}

func TestSetRevocationFaults(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	set(t, server, "fault.revocation=503,retry-after=2,times=1")
	answer := c.post("/revocation", c.revocationRequest("x"))
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") != "2" {
		t.Errorf("got %d, %v", answer.StatusCode, answer.Header)
	}
	c.mustRevoke("x")
	set(t, server, "fault.revocation=error=unsupported_token_type")
	expectError(t, c.post("/revocation", c.revocationRequest("x")), 400, "unsupported_token_type")
}

func TestEndSession(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{PostLogoutRedirectURIs: []string{"http://localhost:8000/bye?a=b"}})
	set(t, server, "lifetime=-1h") // expired is no matter
	hint := c.login().member(t, "id_token")
	set(t, server, "lifetime=1m", "claims.aud=other")
	foreign := c.login().member(t, "id_token")
	set(t, server, "claims.aud=[\"x\",\"kubernetes\"]")
	shared := c.login().member(t, "id_token")
	set(t, server, "claims.iss=https://other.example")
	elsewhere := c.login().member(t, "id_token")
	server.Reset()
	good := func(name, value string) url.Values {
		request := url.Values{
			"id_token_hint": {hint}, "client_id": {"kubernetes"}, "state": {"s"},
			"post_logout_redirect_uri": {"http://localhost:8000/bye?a=b"},
		}
		request.Set(name, value)
		return request
	}
	for name, test := range map[string]struct {
		request url.Values
		want    string // the callback's query, or the page's text
	}{
		"good":                 {good("", ""), "a=b&state=s"},
		"no state":             {good("state", ""), "a=b"},
		"several audiences":    {good("id_token_hint", shared), "a=b&state=s"},
		"no redirect":          {good("post_logout_redirect_uri", ""), "You are logged out."},
		"no hint":              {good("id_token_hint", ""), "Do you want to log out?"},
		"unregistered":         {good("post_logout_redirect_uri", "http://localhost:8000/"), "not registered"},
		"another client":       {good("client_id", "other"), "unknown client_id"},
		"hint of another":      {good("id_token_hint", foreign), "for another client"},
		"hint of other issuer": {good("id_token_hint", elsewhere), "another issuer"},
		"broken hint":          {good("id_token_hint", hint[:len(hint)-8]+"AAAAAAAA"), "wrong signature"},
		"no hint at all":       {good("id_token_hint", "x"), "not an ID token"},
		"twice":                {url.Values{"state": {"a", "b"}}, "more than once"},
	} {
		for way, answer := range map[string]response{
			"GET": c.get("/end_session?" + test.request.Encode()), "POST": c.post("/end_session", test.request),
		} {
			got := answer.body
			if location, err := answer.Location(); err == nil {
				got = location.RawQuery
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("%s, %s: got %d %s", way, name, answer.StatusCode, got)
			}
		}
	}
}

func TestSetEndSession(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	request := url.Values{"id_token_hint": {c.login().member(t, "id_token")}, "state": {"s"},
		"post_logout_redirect_uri": {"http://127.0.0.1:1234/bye"}}
	set(t, server, "end-session.state=other")
	if got := c.post("/end_session", request).callback(t).Get("state"); got != "other" {
		t.Errorf("got %q", got)
	}
	set(t, server, "end-session.state=null")
	if got := c.post("/end_session", request).callback(t); got.Has("state") {
		t.Errorf("got %v", got)
	}
	request.Set("post_logout_redirect_uri", "https://localhost/bye")
	if got := c.post("/end_session", request).StatusCode; got != http.StatusBadRequest {
		t.Errorf("got %d", got)
	}
}
