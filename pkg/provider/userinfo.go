package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

const userInfoEndpoint = "the UserInfo endpoint"

// UserInfo asks who the person is (https://openid.net/specs/openid-connect-core-1_0.html#UserInfo). What is answered about
// anybody else is discarded.
func (p *Provider) UserInfo(ctx context.Context, _ token.Key, set token.Set) (map[string]any, error) {
	from, _, err := p.discover(ctx, false)
	if err != nil {
		return nil, err
	}
	if from.UserInfoURL == "" {
		// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata: it is recommended, not required
		return nil, failed("Your ID token has claims too; leave out --userinfo.", "userinfo: the provider has no UserInfo endpoint")
	}
	if err := checkEndpoint("userinfo_endpoint", from.UserInfoURL); err != nil {
		return nil, err
	}
	got, err := p.askUserInfo(ctx, from.UserInfoURL, set.AccessToken)
	if err != nil {
		return nil, err
	}
	payload, err := p.userInfoPayload(ctx, from, got)
	if err != nil {
		return nil, err
	}
	return readUserInfo(payload, set.Session.Subject)
}

// userInfoAnswer is a good answer of the UserInfo endpoint, of which nothing is verified yet.
type userInfoAnswer struct {
	mediaType string
	body      []byte
	issued    time.Time // by the provider's clock
}

// askUserInfo sends the access token in the header, where nobody logs it
// (https://www.rfc-editor.org/rfc/rfc6750#section-2.1), and to the endpoint alone: no redirect is followed.
func (p *Provider) askUserInfo(ctx context.Context, address string, accessToken token.Secret) (userInfoAnswer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return userInfoAnswer{}, fmt.Errorf("userinfo: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+accessToken.Reveal())
	request.Header.Set("Accept", "application/json, application/jwt")
	client, err := p.client()
	if err != nil {
		return userInfoAnswer{}, err
	}
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	started := time.Now()
	response, err := direct.Do(request)
	if err != nil {
		return userInfoAnswer{}, unreachable("userinfo", hostOf(address), err)
	}
	defer func() { _ = response.Body.Close() }()
	p.config.Log.Info("asked the provider", "for", "userinfo", "status", response.StatusCode, "took", time.Since(started))
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return userInfoAnswer{}, unreachable("userinfo", hostOf(address), err)
	}
	if response.StatusCode != http.StatusOK {
		return userInfoAnswer{}, userInfoError(response, p.config.Now())
	}
	if isHTML(response.Header) {
		return userInfoAnswer{}, notTheProvider("userinfo", userInfoEndpoint)
	}
	got := userInfoAnswer{body: body, issued: p.config.Now()}
	got.mediaType, _, _ = mime.ParseMediaType(response.Header.Get("Content-Type"))
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		got.issued = date
	}
	return got, nil
}

// userInfoError sorts failures: refused (https://www.rfc-editor.org/rfc/rfc6750#section-3.1), or not able to answer.
func userInfoError(response *http.Response, now time.Time) error {
	status, code := &statusError{response.StatusCode}, bearerError(response.Header)
	switch {
	case status.code == http.StatusUnauthorized && code == "invalid_token":
		return refused("The provider does not take access tokens that it has just issued. Tell its administrator.",
			"userinfo: %w (%s)", token.ErrAccessTokenRefused, code)
	case code == "insufficient_scope":
		return refused("Ask for more with --oidc-extra-scope, such as profile or email.", "userinfo: %s %w (%s)",
			userInfoEndpoint, status, code)
	case status.code >= 500 || status.code == http.StatusTooManyRequests:
		return wrongStatus("userinfo", userInfoEndpoint, status.code, retryAfter(response.Header, now))
	case status.code >= 400:
		return refused("Show this line to the provider's administrator.", "userinfo: %s %w", userInfoEndpoint, status)
	}
	return failed("Tell the provider's administrator.", "userinfo: %s %w", userInfoEndpoint, status)
}

// bearerError is the error code of a challenge (https://www.rfc-editor.org/rfc/rfc6750#section-3). Its description is
// left out: it could repeat the token.
func bearerError(header http.Header) string {
	for _, challenge := range header.Values("WWW-Authenticate") {
		scheme, parameters, _ := strings.Cut(challenge, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		for parameter := range strings.SplitSeq(parameters, ",") {
			if name, value, _ := strings.Cut(strings.TrimSpace(parameter), "="); strings.EqualFold(name, "error") {
				return strings.Trim(value, `"`)
			}
		}
	}
	return ""
}

// userInfoPayload is the JSON object of an answer, which the provider has signed where it is a JWT
// (https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse).
func (p *Provider) userInfoPayload(ctx context.Context, from *metadata, got userInfoAnswer) ([]byte, error) {
	switch got.mediaType {
	case "application/json":
		return got.body, nil
	case "application/jwt":
		return verifyUserInfo(ctx, string(bytes.TrimSpace(got.body)), expected{
			issuer:     p.config.Issuer,
			clientID:   p.config.ClientID,
			trusted:    p.config.TrustedAudiences,
			algorithms: from.userInfoAlgorithms(),
			keys:       func(ctx context.Context, fresh bool) ([]key, bool, error) { return p.keys(ctx, from, fresh) },
			now:        got.issued,
		})
	}
	return nil, userInfoRefused(fmt.Errorf("expected application/json or application/jwt, got %q", untrusted.Printable(got.mediaType)))
}

// verifyUserInfo holds a signed answer against the rules for an ID token that apply to it
// (https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse), and returns its payload.
func verifyUserInfo(ctx context.Context, raw string, want expected) ([]byte, error) {
	got, err := parseIDToken(raw)
	if errors.Is(err, errEncrypted) {
		return nil, userInfoRefused(errEncrypted) // no key of ours was ever registered
	}
	if err != nil {
		return nil, userInfoRefused(err)
	}
	rules := []func(idToken, expected) error{checkTokenIssuer, checkAudience, checkAlgorithm, checkStart}
	if got.claims.Expiry != nil { // https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
		rules = append(rules, checkExpiry)
	}
	for _, rule := range rules {
		if err := rule(got, want); err != nil {
			return nil, userInfoRefused(err)
		}
	}
	if err := checkSignature(ctx, got, want, userInfoRefused); err != nil {
		return nil, err
	}
	return got.payload, nil
}

// readUserInfo returns the claims, if they are about the person of the ID token
// (https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse).
func readUserInfo(payload []byte, subject string) (map[string]any, error) {
	var claims map[string]any
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber() // as the provider wrote them
	if err := decoder.Decode(&claims); err != nil || claims == nil {
		return nil, userInfoRefused(errors.New("it is not a JSON object"))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, userInfoRefused(errors.New("it is more than a JSON object"))
	}
	answered, ok := claims["sub"].(string)
	if !ok {
		return nil, userInfoRefused(errors.New("it has no subject (sub)"))
	}
	if answered != subject {
		return nil, userInfoRefused(fmt.Errorf("the session belongs to subject (sub) %q, but it is about %q", untrusted.Printable(subject),
			untrusted.Printable(answered)))
	}
	return claims, nil
}

// userInfoRefused wraps the first broken rule.
func userInfoRefused(err error) error {
	return failed("Nothing of the answer is shown. Show this line to the provider's administrator.",
		"userinfo: answer of %s refused: %w", userInfoEndpoint, err)
}
