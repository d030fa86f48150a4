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
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// logInByBrowser runs the authorization code flow in a browser of this machine
// (https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth).
func (p *Provider) logInByBrowser(ctx context.Context, from *metadata, scopes *scopeChoice, asking func()) (token.Set, error) {
	until := p.config.Now().Add(p.config.LoginTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, p.config.LoginTimeout, errTooLate)
	defer cancel()
	// Bound before the URL is built: the port is part of it.
	config, err := p.listenConfig()
	if err != nil {
		return token.Set{}, err
	}
	listener, err := listen(config)
	if err != nil {
		return token.Set{}, err
	}
	defer listener.Close()
	if listener.IsOpenToOthers() {
		// https://www.rfc-editor.org/rfc/rfc8252#section-8.3
		p.config.Warn(errors.New("other machines can reach the port of this login; --listen-address should name a loopback address"))
	}

	login := newLogin(p, from, scopes, listener.RedirectURI())
	asking()
	p.config.ShowLogin(ctx, Invitation{
		AuthorizationURL: login.authorizationURL(),
		Until:            until,
		RedirectURI:      listener.RedirectURI(),
		Port:             listener.Port(),
		OffersDeviceFlow: from.DeviceAuthURL != "",
	})
	var set token.Set
	var outcome error
	err = listener.Receive(ctx, login.state, func(response url.Values) loopback.Outcome {
		set, outcome = login.finish(ctx, response)
		if scopes.yields(outcome) {
			login = newLogin(p, from, scopes, listener.RedirectURI())
			return loopback.Outcome{Again: &loopback.Again{URL: login.authorizationURL(), State: login.state}}
		}
		return loopback.Outcome{Page: p.lastPage(set, outcome)}
	}, p.paste(func(code string) error {
		set, outcome = login.redeem(ctx, token.NewSecret(code))
		return notKnown(outcome)
	}))
	if err != nil {
		return token.Set{}, p.notAnswered(err)
	}
	return set, outcome
}

// listen binds the port at which a login waits for the browser's answer.
func listen(config loopback.Config) (*loopback.Listener, error) {
	listener, err := loopback.Listen(config)
	if err != nil {
		return nil, failed("Free the port, or name another with --listen-address; the provider must know it.", "%w", err)
	}
	return listener, nil
}

// TryPort returns the port at which a login could wait now, and frees it again. Only AuthCode needs one. An error says that
// none is free.
func (p *Provider) TryPort() (int, error) {
	listener, err := listen(loopback.Config{Addresses: p.config.ListenAddresses, RedirectURL: p.redirect})
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Port(), nil
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
	scopes   *scopeChoice
	client   *oauth2.Config
	state    string // https://www.rfc-editor.org/rfc/rfc6749#section-10.12
	nonce    string // https://openid.net/specs/openid-connect-core-1_0.html#NonceNotes
	verifier string // https://www.rfc-editor.org/rfc/rfc7636#section-4.1; empty without PKCE
}

func newLogin(p *Provider, from *metadata, scopes *scopeChoice, redirectURI string) *login {
	return &login{
		provider: p,
		metadata: from,
		scopes:   scopes,
		client: &oauth2.Config{
			ClientID:    p.config.ClientID,
			Endpoint:    oauth2.Endpoint{AuthURL: from.AuthURL},
			RedirectURL: redirectURI,
			Scopes:      scopes.asked,
		},
		state:    rand.Text(),
		nonce:    rand.Text(),
		verifier: p.newVerifier(),
	}
}

func (l *login) authorizationURL() string {
	address := l.client.AuthCodeURL(l.state, oidc.Nonce(l.nonce))
	parameters := l.provider.config.authorizationParameters()
	addChallenge(parameters, l.verifier)
	if len(parameters) > 0 {
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
	return l.redeem(ctx, code)
}

// redeem uses the code, once (https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3).
func (l *login) redeem(ctx context.Context, code token.Secret) (token.Set, error) {
	form := url.Values{
		"grant_type":   {"authorization_code"},
		"code":         {code.Reveal()},
		"redirect_uri": {l.client.RedirectURL},
	}
	addVerifier(form, l.verifier)
	got, err := l.provider.ask(ctx, "login", l.metadata, form)
	if err != nil {
		return token.Set{}, err
	}
	return l.provider.accept(ctx, l.metadata, l.scopes, got, l.nonce)
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
			"login: expected an answer of issuer %q, got one of %q", l.metadata.IssuerURL, untrusted.Printable(issuer))
	}
	if !sent && l.metadata.SendsIssuer {
		return token.Secret{}, failed("The provider says that it names itself in answers, but this one does not. Try again.",
			"login: expected an answer of issuer %q, got one without issuer (iss)", l.metadata.IssuerURL)
	}
	// Asked for was a code alone. Tokens in an address are in histories and logs
	// (https://www.rfc-editor.org/rfc/rfc9700#section-2.1.2).
	for _, name := range []string{"access_token", "id_token"} {
		if response.Has(name) {
			return token.Secret{}, failed("The provider must not put tokens into addresses; tell its administrator.",
				"login: the provider's answer has an %s in its address", name)
		}
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
	cause := &oauthFailure{code, description}
	switch code {
	case "access_denied":
		return refused("You, or a rule at the provider, said no. Ask its administrator if you should have access.",
			"login: denied: %w", cause)
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return refused("The provider wants to ask you something and was not allowed to. Log in again.",
			"login: the provider needs you: %w", cause)
	case "invalid_scope":
		return refused("Leave out the --oidc-extra-scope that the provider does not know.", "login: wrong scope: %w", cause)
	case "temporarily_unavailable", "server_error":
		return &token.Error{Kind: token.Unreachable, Err: fmt.Errorf("login: the provider has a problem: %w", cause),
			Hint: []string{"Try again in a minute."}}
	default:
		return refused("Check the client's settings at the provider: its ID, redirect URIs and grant types.",
			"login: the provider refused: %w", cause)
	}
}

// lastPage tells the person in the browser what the terminal tells.
func (p *Provider) lastPage(set token.Set, outcome error) loopback.Page {
	where := []loopback.Detail{
		{Name: "Issuer", Value: untrusted.Printable(p.config.Issuer)},
		{Name: "Cluster", Value: untrusted.Printable(p.config.Target)},
	}
	if outcome != nil {
		client := loopback.Detail{Name: "Client", Value: untrusted.Printable(p.config.ClientID)} // what an administrator asks for
		page := loopback.Page{Title: "You are not logged in", Lines: []string{outcome.Error()}, Details: append(where, client)}
		var failure *token.Error
		if errors.As(outcome, &failure) {
			page.Hints = failure.Hint
		}
		return page
	}
	subject := set.Session.Subject
	who := cmp.Or(set.IDToken.Person(), subject)
	person := []loopback.Detail{{Name: "User", Value: untrusted.Printable(who)}}
	if who != subject {
		person = append(person, loopback.Detail{Name: "Subject", Value: untrusted.Printable(subject)})
	}
	return loopback.Page{OK: true, Title: "You are logged in", Details: append(person, where...), Next: p.config.NextURL}
}
