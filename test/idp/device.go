package idp

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	deviceGrantType    = "urn:ietf:params:oauth:grant-type:device_code"
	deviceCodeLifetime = 10 * time.Minute
	// https://www.rfc-editor.org/rfc/rfc8628#section-3.2: what a client must assume where the answer names no interval
	defaultInterval = 5 * time.Second
)

// deviceCode is a login that a person approves elsewhere.
type deviceCode struct {
	grant     *grant
	challenge string // empty without PKCE
	expiry    time.Time
	interval  time.Duration
	lastPoll  time.Time // at first: when the code was issued
	polls     int
	used      bool
}

// authorizeDevice is the device authorization endpoint.
// https://www.rfc-editor.org/rfc/rfc8628#section-3.1
func (s *Server) authorizeDevice(r *http.Request) answer {
	members, err := s.issueDeviceCode(r)
	if err != nil {
		return tokenError(err)
	}
	return tokenAnswer(http.StatusOK, members)
}

func (s *Server) issueDeviceCode(r *http.Request) (map[string]any, error) {
	if err := checkTokenRequest(r); err != nil {
		return nil, err
	}
	if err := s.authenticateClient(r); err != nil {
		return nil, err
	}
	if err := s.checkDeviceRequest(r.PostForm); err != nil {
		return nil, err
	}
	now, value, userCode := s.config.Now(), rand.Text(), rand.Text()[:4]+"-"+rand.Text()[:4]
	members := map[string]any{
		"device_code":               value,
		"user_code":                 userCode,
		"verification_uri":          s.url(DevicePage),
		"verification_uri_complete": s.url(DevicePage) + "?user_code=" + userCode,
		"expires_in":                int(deviceCodeLifetime / time.Second),
		"interval":                  int(defaultInterval / time.Second),
	}
	s.behaviour.override(members, "device")
	s.deviceCodes[value] = &deviceCode{
		grant: &grant{
			user:            s.firstUser(),
			scope:           r.PostForm.Get("scope"),
			audience:        s.audienceOf(r.PostForm),
			authenticatedAt: now,
		},
		challenge: r.PostForm.Get("code_challenge"),
		expiry:    now.Add(secondsOf(members["expires_in"], deviceCodeLifetime)),
		interval:  secondsOf(members["interval"], defaultInterval),
		lastPoll:  now,
	}
	s.keepSecret(value)
	return members, nil
}

// checkDeviceRequest finds what does not belong in a device authorization request.
func (s *Server) checkDeviceRequest(form url.Values) error {
	if err := s.checkScope(form.Get("scope")); err != nil {
		return err
	}
	// https://www.rfc-editor.org/rfc/rfc8628#section-3.1 knows none of these
	for _, name := range []string{"nonce", "state", "redirect_uri", "response_type"} {
		if form.Has(name) {
			return failure{"invalid_request", name + " does not belong in a device authorization request"}
		}
	}
	if form.Has("code_challenge") || form.Has("code_challenge_method") {
		return checkChallenge(form)
	}
	return nil
}

// redeemDeviceCode answers one poll.
// https://www.rfc-editor.org/rfc/rfc8628#section-3.4
func (s *Server) redeemDeviceCode(form url.Values) (map[string]any, error) {
	code, found := s.deviceCodes[form.Get("device_code")]
	if !found || code.used {
		return nil, failure{"invalid_grant", "unknown device code"}
	}
	now := s.config.Now()
	early := now.Before(code.lastPoll.Add(code.interval))
	code.lastPoll = now
	code.polls++
	switch {
	case code.challenge != "" && (!wellFormed(form.Get("code_verifier")) || !matches(form.Get("code_verifier"), code.challenge)):
		return nil, failure{"invalid_grant", "code_verifier does not match"}
	case code.challenge == "" && form.Has("code_verifier"):
		return nil, failure{"invalid_request", "code_verifier without a code_challenge"}
	case !now.Before(code.expiry):
		return nil, failure{"expired_token", "the device code has expired"}
	case early || code.polls <= s.behaviour.slowDowns:
		// https://www.rfc-editor.org/rfc/rfc8628#section-3.5: for this and all subsequent requests
		code.interval += 5 * time.Second
		return nil, failure{"slow_down", "the client polls too often"}
	case s.behaviour.approval == "denied":
		return nil, failure{"access_denied", "the person said no"}
	case s.behaviour.approval == "never" || code.polls <= s.behaviour.slowDowns+s.behaviour.approvalAfter:
		return nil, failure{"authorization_pending", "the person has not answered yet"}
	}
	code.used = true
	refreshToken := ""
	if s.handsOverRefreshToken(login, code.grant) {
		refreshToken = s.newRefreshToken(code.grant)
	}
	return s.issueTokens(code.grant, login, code.grant.scope, refreshToken)
}

// devicePage is where a person would enter the code. Whether it is approved is up to Set.
func (s *Server) devicePage(*http.Request) answer {
	return page(http.StatusOK, "Enter the code that your device shows.")
}

// secondsOf reads a number of seconds from an answer, as a client would.
func secondsOf(value any, fallback time.Duration) time.Duration {
	switch value := value.(type) {
	case int:
		return time.Duration(value) * time.Second
	case json.Number:
		if seconds, err := value.Float64(); err == nil {
			return time.Duration(seconds * float64(time.Second))
		}
	case string:
		if parsed, err := time.ParseDuration(cmp.Or(value, "0") + "s"); err == nil {
			return parsed
		}
	}
	return fallback
}

// checkScope judges what is asked for, in any grant.
// https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest: the scope must contain openid
func (s *Server) checkScope(scope string) error {
	if refused := s.behaviour.refusedScope; refused != "" && slices.Contains(strings.Fields(scope), refused) {
		return failure{"invalid_scope", refused + " is not allowed for this client"}
	}
	others := func(scope string) bool { return scope != "openid" }
	if len(slices.DeleteFunc(strings.Fields(scope), others)) != 1 {
		return failure{"invalid_scope", "scope must contain openid exactly once"}
	}
	return nil
}
