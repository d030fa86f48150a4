package provider

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/loopback"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Login runs the authorization code flow in a browser (https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth).
func (p *Provider) Login(ctx context.Context, _ token.Key, asking func()) (token.Set, error) {
	from, _, err := p.discover(ctx, true) // a person's time is worth a request
	if err != nil {
		return token.Set{}, err
	}
	until := p.config.Now().Add(p.config.LoginTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, p.config.LoginTimeout, errTooLate)
	defer cancel()
	// Bound before the URL is built: the port is part of it.
	listener, err := loopback.Listen(p.listenConfig())
	if err != nil {
		return token.Set{}, failed("Free the port, or name another with --listen-address; the provider must know it.", "%w", err)
	}
	defer listener.Close()
	if p.config.InsecureSkipTLSVerify {
		p.config.Warn(errors.New("the provider's certificate is not checked (--insecure-skip-tls-verify); anybody on the way can read your tokens"))
	}
	if listener.IsOpenToOthers() {
		// https://www.rfc-editor.org/rfc/rfc8252#section-8.3
		p.config.Warn(errors.New("other machines can reach the port of this login; --listen-address should name a loopback address"))
	}

	p.checkListed(from)
	p.warnOfResources()
	login := newLogin(p, from, listener.RedirectURI())
	asking()
	p.config.ShowLogin(ctx, login.authorizationURL(), until)
	var set token.Set
	var outcome error
	err = listener.Receive(ctx, login.state, func(response url.Values) loopback.Page {
		set, outcome = login.finish(ctx, response)
		return p.lastPage(set, outcome)
	})
	if err != nil {
		return token.Set{}, p.notAnswered(err)
	}
	return set, outcome
}

var errTooLate = errors.New("nobody logged in")

func (p *Provider) notAnswered(err error) error {
	switch {
	case errors.Is(err, errTooLate):
		return &token.Error{Kind: token.Refused, Err: fmt.Errorf("login: nobody logged in within %s", p.config.LoginTimeout),
			Hint: []string{"Run the command again, or give yourself more time with --authentication-timeout-sec."}}
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("login: %w", errInterrupted)
	default:
		return fmt.Errorf("login: %w", err)
	}
}

// login is one attempt. Its three random values belong to it alone and are never used again.
type login struct {
	provider *Provider
	metadata *metadata
	client   *oauth2.Config
	state    string // https://www.rfc-editor.org/rfc/rfc6749#section-10.12
	nonce    string // https://openid.net/specs/openid-connect-core-1_0.html#NonceNotes
	verifier string // https://www.rfc-editor.org/rfc/rfc7636#section-4.1
}

func newLogin(p *Provider, from *metadata, redirectURI string) *login {
	return &login{
		provider: p,
		metadata: from,
		client: &oauth2.Config{
			ClientID:    p.config.ClientID,
			Endpoint:    oauth2.Endpoint{AuthURL: from.AuthURL},
			RedirectURL: redirectURI,
			Scopes:      p.config.scopes(),
		},
		state:    rand.Text(),
		nonce:    rand.Text(),
		verifier: oauth2.GenerateVerifier(),
	}
}

func (l *login) authorizationURL() string {
	address := l.client.AuthCodeURL(l.state, oidc.Nonce(l.nonce), oauth2.S256ChallengeOption(l.verifier))
	if parameters := l.provider.config.parameters(); len(parameters) > 0 {
		address += "&" + parameters.Encode()
	}
	return address
}

// finish turns the authorization response into verified tokens.
func (l *login) finish(ctx context.Context, response url.Values) (token.Set, error) {
	code, err := l.code(response)
	if err != nil {
		return token.Set{}, err
	}
	// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
	got, err := l.provider.ask(ctx, "login", l.metadata, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code.Reveal()},
		"redirect_uri":  {l.client.RedirectURL},
		"code_verifier": {l.verifier},
	})
	if err != nil {
		return token.Set{}, err
	}
	if got.idToken.IsEmpty() {
		// https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse
		return token.Set{}, failed("Check that the client may use OpenID Connect, not just OAuth 2.0, and the scope openid.",
			"login: the provider's answer has no ID token")
	}
	asked := wanted{acrValues: l.provider.config.ACRValues, maxAge: l.provider.config.MaxAge}
	claims, err := l.provider.verify(ctx, l.metadata, got, expected{nonce: l.nonce, login: asked})
	if err != nil {
		return token.Set{}, err
	}
	set := got.set(claims, l.nonce)
	if set.IDToken, err = l.provider.chosen(ctx, l.metadata, got, claims); err != nil {
		return token.Set{}, err
	}
	l.provider.checkClock(got)
	l.provider.checkGranted(got)
	l.provider.warnOfAccessToken(set.IDToken)
	return set, nil
}

// code reads the authorization response. Whether it came from our issuer is settled first, for errors too
// (https://www.rfc-editor.org/rfc/rfc9207#section-2.4), then that no parameter is ambiguous
// (https://www.rfc-editor.org/rfc/rfc6749#section-3.1).
func (l *login) code(response url.Values) (token.Secret, error) {
	for _, name := range []string{"code", "iss", "error"} {
		if len(response[name]) > 1 {
			return token.Secret{}, failed("Tell the provider's administrator.", "login: the provider's answer has more than one %s", name)
		}
	}
	issuer, sent := response.Get("iss"), response.Has("iss")
	if sent && issuer != l.metadata.IssuerURL {
		return token.Secret{}, failed("The answer came from another provider. Somebody may be attacking this login.",
			"login: expected an answer of issuer %q, got one of %q", l.metadata.IssuerURL, printable(issuer))
	}
	if !sent && l.metadata.SendsIssuer {
		return token.Secret{}, failed("The provider says that it names itself in answers, but this one does not. Try again.",
			"login: expected an answer of issuer %q, got one without issuer (iss)", l.metadata.IssuerURL)
	}
	if response.Get("error") == "invalid_target" {
		return token.Secret{}, l.provider.invalidTarget("login", response.Get("error_description"))
	}
	if response.Has("error") {
		return token.Secret{}, authorizationError(response.Get("error"), response.Get("error_description"))
	}
	if response.Get("code") == "" {
		return token.Secret{}, failed("Tell the provider's administrator.", "login: the provider's answer has no code")
	}
	return token.NewSecret(response.Get("code")), nil
}

// authorizationError maps https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1 and
// https://openid.net/specs/openid-connect-core-1_0.html#AuthError.
func authorizationError(code, description string) error {
	cause := describe(code, description)
	switch code {
	case "access_denied":
		return refused("You, or a rule at the provider, said no. Ask its administrator if you should have access.",
			"login: denied: %s", cause)
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return refused("The provider wants to ask you something and was not allowed to. Log in again.",
			"login: the provider needs you: %s", cause)
	case "invalid_scope":
		return refused("Leave out the --oidc-extra-scope that the provider does not know.", "login: wrong scope: %s", cause)
	case "temporarily_unavailable", "server_error":
		return &token.Error{Kind: token.Unreachable, Err: fmt.Errorf("login: the provider has a problem: %s", cause),
			Hint: []string{"Try again in a minute."}}
	default:
		return refused("Check the client's settings at the provider: its ID, redirect URIs and grant types.",
			"login: the provider refused: %s", cause)
	}
}

// lastPage tells the person in the browser what the terminal tells.
func (p *Provider) lastPage(set token.Set, outcome error) loopback.Page {
	if outcome == nil {
		who := set.Session.Subject
		if claims, err := set.IDToken.Claims(); err == nil {
			who = cmp.Or(whoIs(claims), who)
		}
		page := loopback.Page{OK: true, Title: "You are logged in", Lines: []string{"As " + printable(who) + "."}}
		if p.config.Target != "" {
			page.Lines = append(page.Lines, "To "+printable(p.config.Target)+".")
		}
		page.Lines = append(page.Lines, "You can close this window and go back to the terminal.")
		return page
	}
	page := loopback.Page{Title: "You are not logged in", Lines: []string{outcome.Error()}}
	var failure *token.Error
	if errors.As(outcome, &failure) {
		page.Lines = append(page.Lines, failure.Hint...)
	}
	return page
}
