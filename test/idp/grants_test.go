package idp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

const deviceGrantType = "urn:ietf:params:oauth:grant-type:device_code"

func (c *client) deviceRequest() url.Values {
	hash := sha256.Sum256([]byte(c.verifier))
	return url.Values{
		"client_id":             {c.server.ClientID()},
		"scope":                 {"openid email"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(hash[:])},
		"code_challenge_method": {"S256"},
	}
}

// deviceCode begins a device login.
func (c *client) deviceCode() string {
	c.t.Helper()
	return c.post("/device_authorization", c.deviceRequest()).member(c.t, "device_code")
}

func (c *client) pollRequest(code string) url.Values {
	return url.Values{
		"grant_type":    {deviceGrantType},
		"client_id":     {c.server.ClientID()},
		"device_code":   {code},
		"code_verifier": {c.verifier},
	}
}

func (c *client) poll(code string) response {
	c.t.Helper()
	return c.post("/token", c.pollRequest(code))
}

func TestDeviceLogin(t *testing.T) {
	t.Parallel()
	clock := newClock()
	server, c := start(t, idp.Config{Now: clock.now})
	if got := c.get("/.well-known/openid-configuration").document(t)["device_authorization_endpoint"]; got != server.Issuer()+"/device_authorization" {
		t.Errorf("got %v", got)
	}
	answer := c.post("/device_authorization", c.deviceRequest())
	document := answer.document(t)
	code, userCode := answer.member(t, "device_code"), answer.member(t, "user_code")
	if document["verification_uri"] != server.Issuer()+"/device" || document["expires_in"] != 600.0 || document["interval"] != 5.0 ||
		document["verification_uri_complete"] != server.Issuer()+"/device?user_code="+userCode || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %v %s", answer.Header, answer.body)
	}
	if page := c.get("/device?user_code=" + userCode); page.StatusCode != http.StatusOK {
		t.Errorf("got %d", page.StatusCode)
	}
	if !slices.Contains(server.Secrets(), code) || slices.Contains(server.Secrets(), userCode) {
		t.Error("the device code is a secret, the user code is not")
	}
	clock.advance(5 * time.Second)
	tokens := c.poll(code)
	claims, err := c.verify(tokens.member(t, "id_token"))
	if err != nil || claims["sub"] != "alice" {
		t.Errorf("got %v, %v", claims, err)
	}
	if _, found := claims["nonce"]; found {
		t.Error("a nonce was not sent, but is there")
	}
	if answer := c.refresh(tokens.member(t, "refresh_token")); answer.StatusCode != http.StatusOK {
		t.Errorf("got %s", answer.body)
	}
	clock.advance(5 * time.Second)
	expectError(t, c.poll(code), 400, "invalid_grant")
}

func TestDevicePolls(t *testing.T) {
	t.Parallel()
	clock := newClock()
	server, c := start(t, idp.Config{Now: clock.now})
	set(t, server, "approval=2", "slow-down=1")
	code := c.deviceCode()
	clock.advance(4 * time.Second)
	expectError(t, c.poll(code), 400, "slow_down") // it came too early, and would have been told so in any case
	clock.advance(9 * time.Second)
	expectError(t, c.poll(code), 400, "slow_down") // now it is ten seconds
	clock.advance(15 * time.Second)
	expectError(t, c.poll(code), 400, "authorization_pending")
	clock.advance(15 * time.Second)
	if answer := c.poll(code); answer.StatusCode != http.StatusOK {
		t.Errorf("got %s", answer.body)
	}

	set(t, server, "approval=denied", "slow-down=0")
	code = c.deviceCode()
	clock.advance(5 * time.Second)
	expectError(t, c.poll(code), 400, "access_denied")

	set(t, server, "approval=never", "device.expires_in=30", "device.interval=10")
	code = c.deviceCode()
	for range 2 {
		clock.advance(10 * time.Second)
		expectError(t, c.poll(code), 400, "authorization_pending")
	}
	clock.advance(10 * time.Second)
	expectError(t, c.poll(code), 400, "expired_token")
}

func TestDeviceStrictness(t *testing.T) {
	t.Parallel()
	clock := newClock()
	_, c := start(t, idp.Config{Now: clock.now})
	for want, changes := range map[string][]func(url.Values){
		"invalid_scope":  {without("scope"), with("scope", "email")},
		"invalid_client": {with("client_id", "other"), with("client_secret", "x")},
		"invalid_request": {
			with("nonce", c.nonce), with("state", c.state), with("redirect_uri", redirectURI), with("response_type", "code"),
			with("code_challenge_method", "plain"), without("code_challenge"), twice("scope"),
		},
	} {
		for _, change := range changes {
			form := c.deviceRequest()
			change(form)
			answer := c.post("/device_authorization", form)
			if got := answer.member(t, "error"); got != want {
				t.Errorf("%v: got %s, want %s", form, answer.body, want)
			}
		}
	}
	for _, change := range []func(url.Values){
		with("code_verifier", c.verifier+"x"), without("code_verifier"), with("device_code", "x"), without("device_code"),
	} {
		form := c.pollRequest(c.deviceCode())
		change(form)
		clock.advance(5 * time.Second)
		expectError(t, c.post("/token", form), 400, "invalid_grant")
	}

	form := c.deviceRequest()
	form.Del("code_challenge")
	form.Del("code_challenge_method")
	code := c.post("/device_authorization", form).member(t, "device_code")
	clock.advance(5 * time.Second)
	expectError(t, c.poll(code), 400, "invalid_request")
	poll := c.pollRequest(code)
	poll.Del("code_verifier")
	clock.advance(5 * time.Second)
	if answer := c.post("/token", poll); answer.StatusCode != http.StatusOK {
		t.Errorf("got %s", answer.body)
	}
}

func TestSetDevice(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	set(t, server, "device.interval=null", "device.user_code=X", "fault.device_authorization=error=invalid_client")
	expectError(t, c.post("/device_authorization", c.deviceRequest()), 401, "invalid_client")
	set(t, server, "fault.device_authorization=null")
	document := c.post("/device_authorization", c.deviceRequest()).document(t)
	if _, found := document["interval"]; found || document["user_code"] != "X" {
		t.Errorf("got %v", document)
	}
	for _, setting := range []string{"approval=perhaps", "slow-down=x"} {
		name, value, _ := strings.Cut(setting, "=")
		if server.Set(name, value) == nil {
			t.Errorf("%s was accepted", setting)
		}
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{})
	request := func(change func(url.Values)) response {
		form := url.Values{
			"grant_type": {"password"}, "client_id": {"kubernetes"}, "scope": {"openid"},
			"username": {"alice"}, "password": {"correct horse"},
		}
		change(form)
		return c.post("/token", form)
	}
	answer := request(func(url.Values) {})
	if claims, err := c.verify(answer.member(t, "id_token")); err != nil || claims["sub"] != "alice" {
		t.Errorf("got %v, %v", claims, err)
	}
	if answer.member(t, "refresh_token") == "" {
		t.Error("no refresh token")
	}
	expectError(t, request(with("password", "wrong")), 400, "invalid_grant")
	expectError(t, request(with("username", "mallory")), 400, "invalid_grant")
	expectError(t, request(without("username")), 400, "invalid_request")
	expectError(t, request(without("scope")), 400, "invalid_scope")
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"kubernetes"}, "scope": {"openid"}}
	_, public := start(t, idp.Config{})
	expectError(t, public.post("/token", form), 400, "unauthorized_client")

	_, c := start(t, idp.Config{ClientSecret: "x"})
	expectError(t, c.post("/token", form), 401, "invalid_client")
	form.Set("client_secret", "x")
	answer := c.post("/token", form)
	if claims, err := c.verify(answer.member(t, "id_token")); err != nil || claims["sub"] != "kubernetes" {
		t.Errorf("got %v, %v", claims, err)
	}
	if _, found := answer.document(t)["refresh_token"]; found {
		t.Error("there is a refresh token")
	}
	form.Del("scope")
	expectError(t, c.post("/token", form), 400, "invalid_scope")
}

func TestClientAssertion(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{ClientAssertion: "a.b.c"})
	if got := c.get("/.well-known/openid-configuration").document(t)["token_endpoint_auth_methods_supported"]; !slices.Equal(got.([]any), []any{"private_key_jwt"}) {
		t.Errorf("got %v", got)
	}
	request := func(change func(url.Values)) response {
		form := c.tokenRequest(c.code())
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", "a.b.c")
		change(form)
		return c.post("/token", form)
	}
	for name, change := range map[string]func(url.Values){"good": func(url.Values) {}, "no client_id": without("client_id")} {
		if answer := request(change); answer.StatusCode != http.StatusOK {
			t.Errorf("%s: got %s", name, answer.body)
		}
	}
	for _, change := range []func(url.Values){
		with("client_assertion", "a.b.d"), without("client_assertion"), without("client_assertion_type"), with("client_id", "other"),
	} {
		expectError(t, request(change), 401, "invalid_client")
	}
	expectError(t, request(with("client_secret", "x")), 400, "invalid_request")
	set(t, server, "assertion=d.e.f")
	expectError(t, request(func(url.Values) {}), 401, "invalid_client")
	if answer := request(with("client_assertion", "d.e.f")); answer.StatusCode != http.StatusOK {
		t.Errorf("got %s", answer.body)
	}
}
