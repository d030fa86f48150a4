package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
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
	observer := p.observe(client.Transport, "the token endpoint")
	observed := *client
	observed.Transport = observer
	maps.Copy(form, authentication.parameters)
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
		return answer{}, p.endpointError(what, err, observer)
	}
	if !strings.EqualFold(got.TokenType, "Bearer") {
		// https://www.rfc-editor.org/rfc/rfc6749#section-7.1
		return answer{}, failed("The provider must issue bearer tokens to this client.", "%s: unknown token type %q", what,
			untrusted.Printable(got.TokenType))
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

// endpointError sorts failures of an endpoint: refused, busy or unreachable, not the provider.
func (p *Provider) endpointError(what string, err error, observed *observer) error {
	var refusal *oauth2.RetrieveError
	switch {
	case !observed.answered:
		return unreachable(what, observed.host, err)
	case errors.As(err, &refusal) && refusal.ErrorCode == "invalid_target":
		return p.invalidTarget(what, refusal.ErrorDescription)
	case errors.As(err, &refusal) && refusal.ErrorCode != "":
		return oauthError(what, refusal, waitHint(observed.status, observed.wait))
	case observed.status < 200 || observed.status > 299:
		return wrongStatus(what, observed.endpoint, observed.status, observed.wait)
	case observed.html:
		return notTheProvider(what, observed.endpoint)
	default:
		return &token.Error{
			Kind: token.Unreachable,
			Err:  fmt.Errorf("%s: %s's answer cannot be read", what, observed.endpoint),
			Hint: []string{keptHint},
		}
	}
}

// oauthError maps https://www.rfc-editor.org/rfc/rfc6749#section-5.2. Wait is a hint for a provider that is busy.
func oauthError(what string, refusal *oauth2.RetrieveError, wait []string) error {
	err := fmt.Errorf("%s: the provider refused: %w", what, &oauthFailure{refusal.ErrorCode, refusal.ErrorDescription})
	failure := &token.Error{Kind: token.Refused, Err: err}
	switch refusal.ErrorCode {
	case "invalid_grant":
		failure.Hint = []string{"Log in again."}
	case "invalid_client", "unauthorized_client":
		failure.Hint = []string{"Check --oidc-client-id and --oidc-client-secret or --client-assertion-file against the client's settings at the provider. " +
			"If it lists several ways to authenticate, name that of this client with --oidc-client-auth-method."}
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

// oauthFailure is an OAuth error code and its description, both in a stranger's words.
type oauthFailure struct{ code, description string }

func (e *oauthFailure) Error() string { return describe(e.code, e.description) }

// oauthCode is the OAuth error code in an error, or empty.
func oauthCode(err error) string {
	var failure *oauthFailure
	if !errors.As(err, &failure) {
		return ""
	}
	return failure.code
}

// oauthText is what an OAuth error says.
func oauthText(err error) string {
	var failure *oauthFailure
	if !errors.As(err, &failure) {
		return ""
	}
	return failure.Error()
}

// describe joins an OAuth error code and its description.
func describe(code, description string) string {
	if description == "" {
		return untrusted.Printable(code)
	}
	return fmt.Sprintf("%s (%s)", untrusted.Printable(description), untrusted.Printable(code))
}

// observer notes what x/oauth2 does not tell of an answer.
type observer struct {
	next     http.RoundTripper
	now      func() time.Time
	endpoint string // its name in errors
	host     string // that was asked
	answered bool
	status   int // any number: a server can even answer 000
	html     bool
	date     time.Time
	wait     time.Duration // for which it asks to be left alone
}

func (p *Provider) observe(next http.RoundTripper, endpoint string) *observer {
	return &observer{next: next, now: p.config.Now, endpoint: endpoint}
}

func (o *observer) RoundTrip(request *http.Request) (*http.Response, error) {
	o.host = request.URL.Host
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
