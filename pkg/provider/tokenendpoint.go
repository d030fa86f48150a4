package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// answer is what the token endpoint gave, of which nothing is verified yet.
type answer struct {
	idToken      token.Secret // empty if there was none
	accessToken  token.Secret
	refreshToken token.Secret // empty if there was none
	scopes       []string     // granted; empty if the answer does not say
	received     time.Time    // by our clock
	issued       time.Time    // by the provider's clock
	// accessLifetime is how long the access token lives; 0 if the answer does not say.
	accessLifetime time.Duration
}

// ask sends one form to the token endpoint and reads its answer. What is the noun for errors.
func (p *Provider) ask(ctx context.Context, what string, from *metadata, form url.Values) (answer, error) {
	client, err := p.client()
	if err != nil {
		return answer{}, err
	}
	authentication, err := p.authentication(from)
	if err != nil {
		return answer{}, err
	}
	if len(p.config.Resources) > 0 {
		form["resource"] = p.config.Resources // https://www.rfc-editor.org/rfc/rfc8707#section-2.2
	}
	observer := &observer{next: client.Transport, now: p.config.Now}
	observed := *client
	observed.Transport = observer
	// Of what x/oauth2 can send, this takes any form, also another grant_type.
	request := clientcredentials.Config{
		ClientID:       p.config.ClientID,
		ClientSecret:   authentication.secret.Reveal(),
		TokenURL:       from.TokenURL,
		EndpointParams: form,
		AuthStyle:      authentication.style,
	}
	started := time.Now()
	got, err := request.Token(context.WithValue(ctx, oauth2.HTTPClient, &observed))
	received := p.config.Now()
	p.config.Log.Info("asked the provider", "for", what, "status", observer.status, "took", time.Since(started))
	if err != nil {
		return answer{}, p.tokenError(what, err, observer)
	}
	if !strings.EqualFold(got.TokenType, "Bearer") {
		// https://www.rfc-editor.org/rfc/rfc6749#section-7.1
		return answer{}, failed("The provider must issue bearer tokens to this client.", "%s: unknown token type %q", what,
			printable(got.TokenType))
	}
	idToken, _ := got.Extra("id_token").(string)
	scope, _ := got.Extra("scope").(string)
	return answer{
		idToken:      token.NewSecret(idToken),
		accessToken:  token.NewSecret(got.AccessToken),
		refreshToken: token.NewSecret(got.RefreshToken),
		scopes:       strings.Fields(scope),
		received:     received,
		issued:       observer.dateOr(received),

		accessLifetime: lifetimeOf(got),
	}, nil
}

// tokenError sorts failures of the token endpoint: refused, busy or unreachable, not the provider.
func (p *Provider) tokenError(what string, err error, observed *observer) error {
	var refusal *oauth2.RetrieveError
	switch {
	case !observed.answered:
		return unreachable(what, hostOf(p.config.Issuer), err)
	case errors.As(err, &refusal) && refusal.ErrorCode == "invalid_target":
		return p.invalidTarget(what, refusal.ErrorDescription)
	case errors.As(err, &refusal) && refusal.ErrorCode != "":
		return oauthError(what, refusal, waitHint(observed.status, observed.wait))
	case observed.status < 200 || observed.status > 299:
		return wrongStatus(what, "the token endpoint", observed.status, observed.wait)
	case observed.html:
		return notTheProvider(what, "the token endpoint")
	default:
		return &token.Error{
			Kind: token.Unreachable,
			Err:  fmt.Errorf("%s: the token endpoint's answer cannot be read", what),
			Hint: []string{keptHint},
		}
	}
}

// oauthError maps https://www.rfc-editor.org/rfc/rfc6749#section-5.2. Wait is a hint for a provider that is busy.
func oauthError(what string, refusal *oauth2.RetrieveError, wait []string) error {
	err := fmt.Errorf("%s: the provider refused: %s", what, describe(refusal.ErrorCode, refusal.ErrorDescription))
	failure := &token.Error{Kind: token.Refused, Err: err}
	switch refusal.ErrorCode {
	case "invalid_grant":
		failure.Err = fmt.Errorf("%w: %w", token.ErrSessionEnded, err)
		failure.Hint = []string{"Log in again."}
	case "invalid_client", "unauthorized_client":
		failure.Hint = []string{"Check --oidc-client-id and --oidc-client-secret against the client's settings at the provider."}
	case "temporarily_unavailable", "server_error":
		failure.Kind, failure.Hint = token.Unreachable, append([]string{keptHint}, wait...)
	default:
		failure.Hint = []string{"Check the client's settings at the provider, or show this line to its administrator."}
		if status := refusal.Response.StatusCode; status == http.StatusTooManyRequests || status >= 500 {
			// A code of the provider's own; the status says what to make of it.
			failure.Kind, failure.Hint = token.Unreachable, append([]string{keptHint}, wait...)
		}
	}
	return failure
}

// describe joins an OAuth error code and its description.
func describe(code, description string) string {
	if description == "" {
		return printable(code)
	}
	return fmt.Sprintf("%s (%s)", printable(description), printable(code))
}

// observer notes what x/oauth2 does not tell of an answer.
type observer struct {
	next     http.RoundTripper
	now      func() time.Time
	answered bool
	status   int // any number: a server can even answer 000
	html     bool
	date     time.Time
	wait     time.Duration // for which it asks to be left alone
}

func (o *observer) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := o.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	o.answered = true
	o.status = response.StatusCode
	o.html = isHTML(response.Header)
	o.date, _ = http.ParseTime(response.Header.Get("Date"))
	o.wait = retryAfter(response.Header, o.now())
	if mediaType(response.Header) == "text/plain" {
		// x/oauth2 would take it for a form. Nothing but JSON is allowed here, and the refresh token is spent.
		response.Header.Set("Content-Type", "application/json")
	}
	return response, nil
}

func (o *observer) dateOr(fallback time.Time) time.Time {
	if o.date.IsZero() {
		return fallback
	}
	return o.date
}
