package idp

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// endSession is the endpoint to which a browser is sent to end a session. There is none here to be ended, so this judges
// the request and sends the browser back.
// https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
func (s *Server) endSession(r *http.Request) answer {
	request := r.URL.Query()
	if r.Method == http.MethodPost {
		request = r.PostForm
	}
	if err := s.checkEndSession(request); err != nil {
		// https://openid.net/specs/openid-connect-rpinitiated-1_0.html#ValidationAndErrorHandling: no redirect then
		return page(http.StatusBadRequest, err.Error())
	}
	switch {
	case request.Get("id_token_hint") == "":
		return page(http.StatusOK, "Do you want to log out?")
	case request.Get("post_logout_redirect_uri") == "":
		return page(http.StatusOK, "You are logged out.")
	}
	return s.sendBack(request)
}

func (s *Server) checkEndSession(request url.Values) error {
	if name, found := repeated(request); found {
		return errors.New(name + " is given more than once")
	}
	if id := request.Get("client_id"); id != "" && id != s.config.ClientID {
		return errors.New("unknown client_id")
	}
	if hint := request.Get("id_token_hint"); hint != "" {
		if err := s.checkHint(hint); err != nil {
			return err
		}
	}
	if uri := request.Get("post_logout_redirect_uri"); uri != "" && !s.registeredAfterLogout(uri) {
		return errors.New("post_logout_redirect_uri is not registered")
	}
	return nil
}

// checkHint takes an ID token of ours, for our client. The client_id of the request has been held against that one.
// https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout: also one that has expired
func (s *Server) checkHint(hint string) error {
	algorithms := []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
	token, err := jose.ParseSignedCompact(hint, algorithms)
	if err != nil {
		return errors.New("id_token_hint is not an ID token")
	}
	payload, err := token.Verify(s.keys.byAlg[token.Signatures[0].Header.Algorithm].Public())
	if err != nil {
		return errors.New("id_token_hint has a wrong signature")
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Audience any    `json:"aud"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Issuer != s.issuer {
		return errors.New("id_token_hint has another issuer")
	}
	list, _ := claims.Audience.([]any)
	if claims.Audience != s.config.ClientID && !slices.Contains(list, any(s.config.ClientID)) {
		return errors.New("id_token_hint is for another client")
	}
	return nil
}

func (s *Server) registeredAfterLogout(uri string) bool {
	if s.config.PostLogoutRedirectURIs != nil {
		return slices.Contains(s.config.PostLogoutRedirectURIs, uri)
	}
	return isLoopback(uri, "http")
}

// sendBack returns the state as it came.
// https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RedirectionAfterLogout
func (s *Server) sendBack(request url.Values) answer {
	location, err := url.Parse(request.Get("post_logout_redirect_uri"))
	if err != nil {
		return page(http.StatusBadRequest, "post_logout_redirect_uri is not registered")
	}
	parameters := map[string]any{}
	if state := request.Get("state"); state != "" {
		parameters["state"] = state
	}
	s.behaviour.override(parameters, "end-session")
	query := location.Query()
	for name, value := range parameters {
		query.Set(name, fmt.Sprint(value))
	}
	location.RawQuery = query.Encode()
	return redirectAnswer(http.StatusSeeOther, location.String())
}
