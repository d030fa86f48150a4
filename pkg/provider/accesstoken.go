package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// An opaque access token whose answer says nothing of its end is used for so long.
const opaqueLifetime = time.Minute

// errAccessTokenRefused is in every error about an access token that was to be sent in place of the ID token.
var errAccessTokenRefused = errors.New("access token refused")

// chosen is the token that the API server gets: the ID token, or the access token where that was asked for.
func (p *Provider) chosen(ctx context.Context, from *metadata, got answer, verified claims) (token.IDToken, error) {
	if !p.config.UseAccessToken {
		return got.held(verified), nil
	}
	if !looksLikeJWT(got.accessToken.Reveal()) {
		return got.opaque(p.config.Issuer), nil
	}
	access, err := p.verifyAccessToken(ctx, from, got)
	if err != nil {
		return token.IDToken{}, err
	}
	chosen := got.held(access)
	chosen.Raw = got.accessToken
	return chosen, nil
}

// opaque is an access token that says nothing. Its end is what the provider's answer says of it.
func (a answer) opaque(issuer string) token.IDToken {
	lifetime := a.accessLifetime
	if lifetime <= 0 {
		lifetime = opaqueLifetime
	}
	return token.IDToken{Raw: a.accessToken, Issued: a.received, Expiry: a.received.Add(lifetime), Issuer: issuer}
}

// lifetimeOf reads expires_in, a number, though some providers send a string
// (https://www.rfc-editor.org/rfc/rfc6749#section-5.1).
func lifetimeOf(got *oauth2.Token) time.Duration {
	const longest = 1 << 31
	seconds, err := strconv.ParseFloat(fmt.Sprint(got.Extra("expires_in")), 64)
	if err != nil || seconds < 0 || seconds > longest {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// looksLikeJWT reports whether a text has three parts, the first of which is a JSON object.
func looksLikeJWT(text string) bool {
	parts := strings.Split(text, ".")
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	var object map[string]any
	return len(parts) == 3 && err == nil && json.Unmarshal(header, &object) == nil && object != nil
}

// verifyAccessToken holds the access token against the rules that kube-apiserver has for it
// (https://www.rfc-editor.org/rfc/rfc9068#section-4).
func (p *Provider) verifyAccessToken(ctx context.Context, from *metadata, got answer) (claims, error) {
	read, err := parseIDToken(got.accessToken.Reveal())
	if err != nil {
		return claims{}, accessTokenRefused(err)
	}
	want := expected{
		issuer:     p.config.Issuer,
		clientID:   p.config.ClientID,
		trusted:    p.config.audiences(),
		algorithms: from.signingAlgorithms(),
		types:      []string{"at+jwt", "application/at+jwt"},
		keys:       func(ctx context.Context, fresh bool) ([]key, bool, error) { return p.keys(ctx, from, fresh) },
		now:        got.issued,
	}
	err = checkAll(ctx, read, want, accessTokenRefused, checkTokenIssuer, checkAccessAudience, checkAlgorithm, checkExpiry, checkStart)
	if err != nil {
		return claims{}, err
	}
	return read.claims, nil
}

// audiences are those that an access token was asked for, or that the person trusts.
func (c Config) audiences() []string {
	asked := c.parameters()
	return slices.Concat(c.TrustedAudiences, asked["audience"], asked["resource"])
}

// checkAccessAudience wants one of the audiences that were asked for. Where none was, the token may be for any: what an
// access token is for is between provider and API server, and the client is often not in it.
func checkAccessAudience(got idToken, want expected) error {
	audience := got.claims.Audience
	if len(want.trusted) == 0 || slices.Contains(audience, want.clientID) ||
		slices.ContainsFunc(audience, func(one string) bool { return slices.Contains(want.trusted, one) }) {
		return nil
	}
	return failed("If you trust it, name it with --trusted-audience.", "expected audience (aud) %s, got %s",
		untrusted.QuotedList(want.trusted), untrusted.QuotedList(audience))
}

// warnOfAccessToken tells, at a login, why the API server may not take the token.
func (p *Provider) warnOfAccessToken(chosen token.IDToken) {
	switch {
	case !p.config.UseAccessToken:
	case !looksLikeJWT(chosen.Raw.Reveal()):
		p.config.Warn(errors.New("the access token is no JWT, so kube-apiserver cannot read it"))
	case len(p.config.audiences()) == 0 && !slices.Contains(chosen.Audience, p.config.ClientID):
		p.config.Warn(fmt.Errorf("the access token is for %s, not for %q; the API server must expect that audience",
			untrusted.QuotedList(chosen.Audience), p.config.ClientID))
	}
}

// accessTokenRefused wraps the first broken rule, and keeps the hint of a rule that has one.
func accessTokenRefused(err error) error {
	hint := "Nothing was stored. Leave out --oidc-use-access-token, or show this line to the provider's administrator."
	var failure *token.Error
	if errors.As(err, &failure) && len(failure.Hint) > 0 {
		hint = failure.Hint[0]
	}
	return failed(hint, "%w: %w", errAccessTokenRefused, err)
}
