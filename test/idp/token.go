package idp

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// occasion is what tokens are issued for.
type occasion string

const (
	login   occasion = "login"
	refresh occasion = "refresh"
)

// token is the token endpoint.
func (s *Server) token(r *http.Request) answer {
	members, err := s.issue(r)
	if err != nil {
		return tokenError(err)
	}
	return tokenAnswer(http.StatusOK, members)
}

func (s *Server) issue(r *http.Request) (map[string]any, error) {
	if err := checkTokenRequest(r); err != nil {
		return nil, err
	}
	if err := s.authenticateClient(r); err != nil {
		return nil, err
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		return s.redeem(r.PostForm)
	case "refresh_token":
		return s.refresh(r.PostForm)
	case deviceGrantType:
		return s.redeemDeviceCode(r.PostForm)
	case "password":
		return s.redeemPassword(r.PostForm)
	case "client_credentials":
		return s.redeemClientCredentials(r.PostForm)
	case "":
		return nil, failure{"invalid_request", "grant_type is missing"}
	default:
		return nil, failure{"unsupported_grant_type", "unknown grant_type"}
	}
}

// checkTokenRequest judges the form of a request, whatever it asks for.
func checkTokenRequest(r *http.Request) error {
	// https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1: parameters must not be in the request URI
	if r.URL.RawQuery != "" {
		return failure{"invalid_request", "parameters belong in the body"}
	}
	// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3: application/x-www-form-urlencoded
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil ||
		kind != "application/x-www-form-urlencoded" {
		return failure{"invalid_request", "the body must be form-encoded"}
	}
	// https://www.rfc-editor.org/rfc/rfc6749#section-3.2: no parameter more than once
	if name, found := repeated(r.PostForm); found {
		return failure{"invalid_request", name + " is given more than once"}
	}
	return checkResources(r.PostForm)
}

// authenticateClient accepts the one way that fits the client.
func (s *Server) authenticateClient(r *http.Request) error {
	if s.config.ClientAssertion != "" {
		return s.checkAssertion(r)
	}
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	method := "client_secret_post"
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		// https://www.rfc-editor.org/rfc/rfc6749#section-2.3: not more than one method in each request
		if secret != "" {
			return failure{"invalid_request", "the client authenticates in two ways"}
		}
		basicID, basicSecret, ok := basicCredentials(r)
		if !ok || s.config.ClientSecret == "" || id != "" && id != basicID {
			return failure{"invalid_client", "client authentication failed"}
		}
		id, secret = basicID, basicSecret
		method = "client_secret_basic"
	}
	if only := s.behaviour.authentication; only != "" && method != only {
		return failure{"invalid_client", "the client must authenticate with " + only}
	}
	// A public client has no secret, so it must not send one.
	if id != s.config.ClientID || secret != s.config.ClientSecret {
		return failure{"invalid_client", "client authentication failed"}
	}
	return nil
}

// basicCredentials reads a client's ID and secret, which are form-encoded before they are joined.
// https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
func basicCredentials(r *http.Request) (id, secret string, ok bool) {
	encodedID, encodedSecret, ok := r.BasicAuth()
	if !ok {
		return "", "", false
	}
	id, idErr := url.QueryUnescape(encodedID)
	secret, secretErr := url.QueryUnescape(encodedSecret)
	return id, secret, idErr == nil && secretErr == nil
}

// redeem exchanges a code.
// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
func (s *Server) redeem(form url.Values) (map[string]any, error) {
	for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
		if form.Get(name) == "" && (name != "code_verifier" || !s.behaviour.pkceOptional) {
			return nil, failure{"invalid_request", name + " is missing"}
		}
	}
	code, found := s.codes[form.Get("code")]
	if !found {
		return nil, failure{"invalid_grant", "unknown code"}
	}
	// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2: used twice, the code's tokens should be revoked
	if code.used {
		s.reuse++
		code.grant.revoked = true
		return nil, failure{"invalid_grant", "the code was used before"}
	}
	code.used = true // whatever is wrong with it, there is no second try
	switch {
	case s.config.Now().After(code.expiry):
		return nil, failure{"invalid_grant", "the code has expired"}
	// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3: identical to that of the authorization request
	case form.Get("redirect_uri") != code.redirectURI:
		return nil, failure{"invalid_grant", "redirect_uri is not that of the authorization request"}
	case code.challenge == "" && form.Has("code_verifier"):
		return nil, failure{"invalid_request", "code_verifier without a code_challenge"}
	case code.challenge != "" && !wellFormed(form.Get("code_verifier")) || code.challenge != "" && !code.matches(form.Get("code_verifier")):
		return nil, failure{"invalid_grant", "code_verifier does not match"}
	}
	token := ""
	if s.handsOverRefreshToken(login, code.grant) {
		token = s.newRefreshToken(code.grant)
	}
	return s.issueTokens(code.grant, login, code.grant.scope, token)
}

// wellFormed judges a code verifier.
// https://www.rfc-editor.org/rfc/rfc7636#section-4.1: 43 to 128 unreserved characters
func wellFormed(verifier string) bool {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	return len(verifier) >= 43 && len(verifier) <= 128 && strings.Trim(verifier, unreserved) == ""
}

// refresh exchanges a refresh token.
// https://www.rfc-editor.org/rfc/rfc6749#section-6
func (s *Server) refresh(form url.Values) (map[string]any, error) {
	presented := form.Get("refresh_token")
	if presented == "" {
		return nil, failure{"invalid_request", "refresh_token is missing"}
	}
	// https://www.rfc-editor.org/rfc/rfc7636#section-4.5: a code verifier belongs to a code
	if form.Has("code_verifier") {
		return nil, failure{"invalid_request", "code_verifier does not belong in a refresh"}
	}
	token, found := s.refreshTokens[presented]
	if !found {
		return nil, failure{"invalid_grant", "unknown refresh token"}
	}
	// https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2: used twice, the whole family is revoked
	if token.rotated {
		s.reuse++
		token.grant.revoked = token.grant.revoked || !s.behaviour.reuseTolerated
	}
	if token.grant.revoked {
		return nil, failure{"invalid_grant", "the refresh token was revoked"}
	}
	if s.expired(token) {
		return nil, failure{"invalid_grant", "the refresh token has expired"}
	}
	scope, err := narrowed(token.grant.scope, form.Get("scope"))
	if err != nil {
		return nil, err
	}
	return s.issueTokens(token.grant, refresh, scope, s.rotate(presented))
}

// narrowed is the scope of a refresh.
// https://www.rfc-editor.org/rfc/rfc6749#section-6: nothing that was not granted; left out means the same
func narrowed(granted, asked string) (string, error) {
	if asked == "" {
		return granted, nil
	}
	for _, scope := range strings.Fields(asked) {
		if !slices.Contains(strings.Fields(granted), scope) {
			return "", failure{"invalid_scope", "scope is wider than what was granted"}
		}
	}
	return asked, nil
}

// rotate uses a refresh token and returns the one to answer with.
func (s *Server) rotate(presented string) string {
	token := s.refreshTokens[presented]
	token.lastUsed = s.config.Now()
	switch {
	case !s.handsOverRefreshToken(refresh, token.grant):
		return "" // the client goes on with the old one
	case s.behaviour.rotationOff:
		return presented
	}
	token.rotated = true
	return s.newRefreshToken(token.grant)
}

// handsOverRefreshToken is false where Set keeps a refresh token of ours from reaching the client.
func (s *Server) handsOverRefreshToken(occasion occasion, grant *grant) bool {
	isAllowed := !s.behaviour.refreshByScope || slices.Contains(strings.Fields(grant.scope), offlineAccess)
	return isAllowed && !s.behaviour.refreshOff &&
		!s.behaviour.overridden("refresh_token", "token", string(occasion)+".token")
}

// issueTokens makes the members of a good answer; without a refresh token if that is "".
// https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse
func (s *Server) issueTokens(grant *grant, occasion occasion, scope, refreshToken string) (map[string]any, error) {
	accessToken, err := s.newAccessToken(grant)
	if err != nil {
		return nil, err
	}
	idToken, err := s.newIDToken(grant, occasion, accessToken)
	if err != nil {
		return nil, err
	}
	members := map[string]any{
		"access_token": accessToken,
		"token_type":   "Bearer",
		"expires_in":   int(s.behaviour.lifetime / time.Second),
		"scope":        scope,
		"id_token":     idToken,
	}
	if refreshToken != "" {
		members["refresh_token"] = refreshToken
	}
	s.behaviour.override(members, "token", string(occasion)+".token")
	for _, name := range []string{"access_token", "id_token", "refresh_token"} {
		if token, ok := members[name].(string); ok {
			s.keepSecret(token)
		}
	}
	return members, nil
}

// tokenError tells the client what went wrong.
// https://www.rfc-editor.org/rfc/rfc6749#section-5.2
func tokenError(err error) answer {
	failure, ok := errors.AsType[failure](err)
	if !ok {
		return page(http.StatusInternalServerError, err.Error())
	}
	status := http.StatusBadRequest
	if failure.code == "invalid_client" {
		status = http.StatusUnauthorized
	}
	answer := tokenAnswer(status, map[string]any{"error": failure.code, "error_description": failure.description})
	if status == http.StatusUnauthorized {
		answer.header.Set("WWW-Authenticate", `Basic realm="token"`)
	}
	return answer
}

// tokenAnswer may not be kept by anyone on its way.
// https://www.rfc-editor.org/rfc/rfc6749#section-5.1
func tokenAnswer(status int, members map[string]any) answer {
	answer := jsonAnswer(status, members)
	answer.header.Set("Cache-Control", "no-store")
	return answer
}
