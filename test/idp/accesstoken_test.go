package idp_test

import (
	"net/http"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

func TestSetAccessTokens(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	set(t, server, "access-tokens=jwt", "access.extra=1")
	token := c.login().member(t, "access_token")
	claims, err := c.verify(token)
	if err != nil || claims["aud"].([]any)[0] != "kubernetes" || claims["sub"] != "alice" || claims["extra"] != 1.0 {
		t.Errorf("got %v, %v", claims, err)
	}
	if header := part(t, token, 0); header["typ"] != "at+jwt" {
		t.Errorf("got %v", header)
	}
	if answer := c.userInfo(token); answer.StatusCode != http.StatusOK {
		t.Errorf("got %d", answer.StatusCode)
	}
	set(t, server, "access-signature=broken")
	if _, err := c.verify(c.login().member(t, "access_token")); err == nil {
		t.Error("a broken signature fits")
	}
}

func TestResources(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	set(t, server, "access-tokens=jwt")
	query := c.authorizationRequest()
	query["resource"] = []string{"https://a.example", "urn:b"}
	code := c.authorize(query).callback(t).Get("code")
	claims, err := c.verify(c.post("/token", c.tokenRequest(code)).member(t, "access_token"))
	if audience, _ := claims["aud"].([]any); err != nil || len(audience) != 2 || audience[1] != "urn:b" {
		t.Errorf("got %v, %v", claims, err)
	}
	for _, resource := range []string{"a.example", "https://a.example#x"} {
		query.Set("resource", resource)
		if got := c.authorize(query).callback(t).Get("error"); got != "invalid_target" {
			t.Errorf("%s: got %q", resource, got)
		}
		form := c.tokenRequest("x")
		form.Set("resource", resource)
		expectError(t, c.post("/token", form), 400, "invalid_target")
	}
}

func TestSetPKCEOptional(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	set(t, server, "pkce=optional")
	query := c.authorizationRequest()
	query.Del("code_challenge")
	query.Del("code_challenge_method")
	form := c.tokenRequest(c.authorize(query).callback(t).Get("code"))
	expectError(t, c.post("/token", form), 400, "invalid_request")
	form.Set("code", c.authorize(query).callback(t).Get("code"))
	form.Del("code_verifier")
	if answer := c.post("/token", form); answer.StatusCode != http.StatusOK {
		t.Errorf("got %s", answer.body)
	}
	// A challenge is binding where there is one.
	form.Set("code", c.code())
	expectError(t, c.post("/token", form), 400, "invalid_grant")
}

func TestSetRedirectScheme(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	set(t, server, "redirect=https")
	for uri, status := range map[string]int{"https://localhost:8000": http.StatusSeeOther, "http://localhost:8000": http.StatusBadRequest} {
		query := c.authorizationRequest()
		query.Set("redirect_uri", uri)
		if answer := c.authorize(query); answer.StatusCode != status {
			t.Errorf("%s: got %d", uri, answer.StatusCode)
		}
	}
}
