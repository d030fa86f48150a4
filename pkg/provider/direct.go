package provider

import (
	"context"
	"net/url"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// logInByPassword sends the person's password (https://www.rfc-editor.org/rfc/rfc6749#section-4.3.2), which
// https://www.rfc-editor.org/rfc/rfc9700#section-2.4 forbids for good reasons. It is here for those who ask for it by
// name because their provider offers nothing else.
func (p *Provider) logInByPassword(ctx context.Context, from *metadata, scopes *scopeChoice, asking func()) (token.Set, error) {
	username, password := p.config.Username, p.config.Password
	known := username != "" && !password.IsEmpty()
	if !known {
		asking()
		var err error
		if username, password, err = p.askPassword(ctx); err != nil {
			return token.Set{}, p.notAnswered(err)
		}
	}
	form := p.directForm("password", scopes)
	form.Set("username", username)
	form.Set("password", password.Reveal())
	got, err := p.ask(ctx, "login", from, form)
	if scopes.yields(err) { // here, so that nobody types twice
		form.Set("scope", scopes.form())
		got, err = p.ask(ctx, "login", from, form)
	}
	if known && isKind(err, token.Refused) {
		// kubectl calls a failing plugin again and again, and enough wrong passwords lock an account.
		asking()
	}
	if code := oauthCode(err); code == "invalid_grant" || code == "access_denied" { // the second is Dex's
		err = refused("Check the username and the password.", "login: the provider refused: %s", oauthText(err))
	}
	if err != nil {
		return token.Set{}, err
	}
	return p.accept(ctx, from, scopes, got, "")
}

// askPassword does not wait for ever: others wait for this login.
func (p *Provider) askPassword(ctx context.Context) (username string, password token.Secret, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.config.LoginTimeout, errTooLate)
	defer cancel()
	return p.config.AskPassword(ctx)
}

// directForm asks the token endpoint for what other ways ask elsewhere.
func (p *Provider) directForm(grantType string, scopes *scopeChoice) url.Values {
	form := p.config.target()
	form.Set("grant_type", grantType)
	form.Set("scope", scopes.form())
	return form
}

// logInAsClient gets a token for the client itself (https://www.rfc-editor.org/rfc/rfc6749#section-4.4).
func (p *Provider) logInAsClient(ctx context.Context, from *metadata, scopes *scopeChoice) (token.Set, error) {
	got, err := p.ask(ctx, "login", from, p.directForm("client_credentials", scopes))
	if err != nil {
		return token.Set{}, err
	}
	set, err := p.accept(ctx, from, scopes, got, "")
	// A provider should not give one (https://www.rfc-editor.org/rfc/rfc6749#section-4.4.3): what it is good for can be had
	// again at any time.
	set.Session.RefreshToken = token.Secret{}
	return set, err
}
