package idp

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// assertionType is that of a JWT.
// https://www.rfc-editor.org/rfc/rfc7523#section-2.2
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// redeemPassword takes a person's name and password.
// https://www.rfc-editor.org/rfc/rfc6749#section-4.3.2
func (s *Server) redeemPassword(form url.Values) (map[string]any, error) {
	for _, name := range []string{"username", "password"} {
		if form.Get(name) == "" {
			return nil, failure{"invalid_request", name + " is missing"}
		}
	}
	if err := s.checkScope(form.Get("scope")); err != nil {
		return nil, err
	}
	user, found := s.config.Users[form.Get("username")]
	if !found || user.Password != form.Get("password") {
		return nil, failure{"invalid_grant", "wrong username or password"}
	}
	family := &grant{user: user, scope: form.Get("scope"), audience: s.audienceOf(form), authenticatedAt: s.config.Now()}
	refreshToken := ""
	if s.handsOverRefreshToken(login, family) {
		refreshToken = s.newRefreshToken(family)
	}
	return s.issueTokens(family, login, family.scope, refreshToken)
}

// redeemClientCredentials gives a client tokens of its own.
// https://www.rfc-editor.org/rfc/rfc6749#section-4.4.2
func (s *Server) redeemClientCredentials(form url.Values) (map[string]any, error) {
	// https://www.rfc-editor.org/rfc/rfc6749#section-4.4: only for confidential clients
	if s.config.ClientSecret == "" && s.config.ClientAssertion == "" {
		return nil, failure{"unauthorized_client", "a public client cannot use this grant"}
	}
	if err := s.checkScope(form.Get("scope")); err != nil {
		return nil, err
	}
	client := User{Subject: s.config.ClientID}
	family := &grant{user: client, scope: form.Get("scope"), audience: s.audienceOf(form), authenticatedAt: s.config.Now()}
	// https://www.rfc-editor.org/rfc/rfc6749#section-4.4.3: a refresh token should not be included
	return s.issueTokens(family, login, family.scope, "")
}

// checkAssertion authenticates a client by the assertion that others gave it.
// https://www.rfc-editor.org/rfc/rfc7523#section-2.2
func (s *Server) checkAssertion(r *http.Request) error {
	form := r.PostForm
	// https://www.rfc-editor.org/rfc/rfc6749#section-2.3: not more than one method in each request
	if r.Header.Get("Authorization") != "" || form.Has("client_secret") {
		return failure{"invalid_request", "the client authenticates in two ways"}
	}
	// https://www.rfc-editor.org/rfc/rfc7521#section-4.2: client_id is optional, but must not be another's
	if form.Has("client_id") && form.Get("client_id") != s.config.ClientID ||
		form.Get("client_assertion_type") != assertionType ||
		strings.Count(form.Get("client_assertion"), ".") != 2 ||
		form.Get("client_assertion") != s.behaviour.assertion {
		return failure{"invalid_client", "client authentication failed"}
	}
	return nil
}

// firstUser is the one who approves where nobody is named.
func (s *Server) firstUser() User {
	for _, username := range slices.Sorted(maps.Keys(s.config.Users)) {
		return s.config.Users[username]
	}
	return User{}
}
