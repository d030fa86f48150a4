package idp

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// shortestNonce holds 128 random bits in base64url.
const shortestNonce = 22

// authorize is the authorization endpoint: it logs a user in and sends the browser back with a code.
func (s *Server) authorize(r *http.Request) answer {
	query := r.URL.Query()
	if err := s.checkRedirect(query); err != nil {
		return page(http.StatusBadRequest, err.Error())
	}
	if err := s.checkAuthorizationRequest(query); err != nil {
		return s.refuse(query, err)
	}
	if s.config.Form {
		return s.logIn(r, query)
	}
	username, err := s.approve(query.Get("login_hint"))
	if err != nil {
		return s.refuse(query, err)
	}
	return s.grantCode(query, s.config.Users[username])
}

// checkRedirect finds the mistakes for which the browser must not be sent on.
// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1: a bad redirection URI or client must not be redirected to
func (s *Server) checkRedirect(query url.Values) error {
	if len(query["client_id"]) != 1 || query.Get("client_id") != s.config.ClientID {
		return errors.New("unknown client_id")
	}
	if len(query["redirect_uri"]) != 1 || !s.registered(query.Get("redirect_uri")) {
		return errors.New("redirect_uri is not registered")
	}
	return nil
}

func (s *Server) registered(redirectURI string) bool {
	if s.config.RedirectURIs != nil {
		// https://www.rfc-editor.org/rfc/rfc9700#section-4.1.3: exact string matching
		return slices.Contains(s.config.RedirectURIs, redirectURI)
	}
	return isLoopback(redirectURI, s.behaviour.redirectScheme)
}

// isLoopback takes any port (https://www.rfc-editor.org/rfc/rfc8252#section-7.3).
func isLoopback(redirectURI, scheme string) bool {
	u, err := url.Parse(redirectURI)
	return err == nil && u.Scheme == scheme && u.User == nil && !strings.Contains(redirectURI, "#") &&
		slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}

// checkAuthorizationRequest finds the mistakes that the client is told of.
func (s *Server) checkAuthorizationRequest(query url.Values) error {
	// https://www.rfc-editor.org/rfc/rfc6749#section-3.1: no parameter more than once
	if name, found := repeated(query); found {
		return failure{"invalid_request", name + " is given more than once"}
	}
	// https://www.rfc-editor.org/rfc/rfc6749#section-3.1.1
	switch query.Get("response_type") {
	case "code":
	case "":
		return failure{"invalid_request", "response_type is missing"}
	default:
		return failure{"unsupported_response_type", "response_type must be code"}
	}
	if err := s.checkScope(query.Get("scope")); err != nil {
		return err
	}
	// https://www.rfc-editor.org/rfc/rfc9700#section-2.1: state against forged answers
	if query.Get("state") == "" {
		return failure{"invalid_request", "state is missing"}
	}
	// https://openid.net/specs/openid-connect-core-1_0.html#NonceNotes: entropy enough not to be guessed
	if len(query.Get("nonce")) < shortestNonce {
		return failure{"invalid_request", "nonce is missing or too short"}
	}
	hasChallenge := query.Has("code_challenge") || query.Has("code_challenge_method")
	if hasChallenge || !s.behaviour.pkceOptional {
		if err := checkChallenge(query); err != nil {
			return err
		}
	}
	if err := checkResources(query); err != nil {
		return err
	}
	// https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest: none may not show a login page
	if slices.Contains(strings.Fields(query.Get("prompt")), "none") {
		return failure{"login_required", "there is no session"}
	}
	return nil
}

// checkChallenge wants PKCE with a hash.
func checkChallenge(query url.Values) error {
	// https://www.rfc-editor.org/rfc/rfc7636#section-4.3: a missing method means plain
	if query.Get("code_challenge_method") != "S256" {
		return failure{"invalid_request", "code_challenge_method must be S256"}
	}
	// https://www.rfc-editor.org/rfc/rfc7636#section-4.2: BASE64URL(SHA256(...)), 43 characters without padding
	hash, err := base64.RawURLEncoding.Strict().DecodeString(query.Get("code_challenge"))
	if err != nil || len(hash) != 32 {
		return failure{"invalid_request", "code_challenge must be 43 characters of base64url"}
	}
	return nil
}

// approve chooses a user without asking.
func (s *Server) approve(hint string) (username string, err error) {
	for _, username := range slices.Sorted(maps.Keys(s.config.Users)) {
		if hint == "" || hint == username || hint == s.config.Users[username].Email {
			return username, nil
		}
	}
	return "", failure{"access_denied", "login_hint names no user"}
}

// logIn shows the login form, or judges what was typed into it.
func (s *Server) logIn(r *http.Request, query url.Values) answer {
	if r.Method == http.MethodGet {
		return loginForm(query.Get("login_hint"), "")
	}
	username := r.PostForm.Get("username")
	user, found := s.config.Users[username]
	if !found || user.Password != r.PostForm.Get("password") {
		return loginForm(username, "Wrong username or password.")
	}
	return s.grantCode(query, user)
}

// loginFormPage is posted to its own address, which holds the authorization request.
const loginFormPage = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Log in</title>
<h1>Log in</h1>
{{with .Message}}<p role="alert">{{.}}</p>{{end}}
<form method="post">
<p><label>Username <input name="username" autocomplete="username" value="{{.Username}}"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><button id="submit" type="submit">Log in</button></p>
</form>
</html>
`

func loginForm(username, message string) answer {
	var body bytes.Buffer
	form, err := template.New("login").Parse(loginFormPage)
	if err == nil {
		err = form.Execute(&body, map[string]string{"Username": username, "Message": message})
	}
	if err != nil {
		return page(http.StatusInternalServerError, err.Error())
	}
	return htmlAnswer(http.StatusOK, body.Bytes())
}

// grantCode is the good end of an authorization request.
func (s *Server) grantCode(query url.Values, user User) answer {
	if s.behaviour.overrides["authorize"]["error"] != nil {
		return s.respond(query, map[string]any{})
	}
	code := rand.Text()
	s.codes[code] = &authorizationCode{
		grant: &grant{
			user:            user,
			scope:           query.Get("scope"),
			nonce:           query.Get("nonce"),
			audience:        s.audienceOf(query),
			authenticatedAt: s.config.Now(),
		},
		redirectURI: query.Get("redirect_uri"),
		challenge:   query.Get("code_challenge"),
		expiry:      s.config.Now().Add(codeLifetime),
	}
	return s.respond(query, map[string]any{"code": code})
}

// refuse is the bad end of an authorization request.
// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
func (s *Server) refuse(query url.Values, err error) answer {
	parameters := map[string]any{"error": "server_error"}
	if failure, ok := errors.AsType[failure](err); ok {
		parameters = map[string]any{"error": failure.code, "error_description": failure.description}
	}
	return s.respond(query, parameters)
}

// respond sends the browser back to the client.
func (s *Server) respond(query url.Values, parameters map[string]any) answer {
	// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2: the exact state received
	if state := query.Get("state"); state != "" {
		parameters["state"] = state
	}
	// https://www.rfc-editor.org/rfc/rfc9207#section-2: error responses too
	parameters["iss"] = s.issuer
	s.behaviour.override(parameters, "authorize")

	location, err := url.Parse(query.Get("redirect_uri"))
	if err != nil {
		return page(http.StatusBadRequest, "redirect_uri is not registered")
	}
	// https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2: a query that is there must be retained
	response := location.Query()
	for name, value := range parameters {
		response.Set(name, fmt.Sprint(value))
	}
	s.keepSecret(response.Get("code"))
	location.RawQuery = response.Encode()
	// https://www.rfc-editor.org/rfc/rfc9700#section-4.12: 303, so that no browser repeats the password
	return redirectAnswer(http.StatusSeeOther, location.String())
}
