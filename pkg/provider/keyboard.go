package provider

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// logInByKeyboard runs the authorization code flow with a person who brings the answer: the code that the provider's page
// shows, or the address that the browser was sent to.
func (p *Provider) logInByKeyboard(ctx context.Context, from *metadata, scopes *scopeChoice, asking func()) (token.Set, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.config.LoginTimeout, errTooLate)
	defer cancel()
	set, err := p.askForCode(ctx, from, scopes, asking)
	if scopes.yields(err) { // said, since the person has to begin again
		p.config.Warn(fmt.Errorf("the provider refused the scope %s; open another URL, which asks without it", offlineAccess))
		return p.askForCode(ctx, from, scopes, asking)
	}
	return set, err
}

func (p *Provider) askForCode(ctx context.Context, from *metadata, scopes *scopeChoice, asking func()) (token.Set, error) {
	login := newLogin(p, from, scopes, p.config.RedirectURL)
	asking()
	typed, err := p.config.AskCode(ctx, login.authorizationURL())
	if err != nil {
		return token.Set{}, p.notAnswered(err)
	}
	// Terminals put brackets around pasted text where a program has asked for that and not taken it back.
	typed = strings.NewReplacer("\x1b[200~", "", "\x1b[201~", "").Replace(typed)
	code, err := login.typedCode(strings.TrimSpace(typed))
	if err != nil {
		return token.Set{}, err
	}
	return login.redeem(ctx, code)
}

// typedCode reads what a person brought. An address is held against state and issuer; a code alone says neither, and is
// bound to this login by PKCE and nonce (https://www.rfc-editor.org/rfc/rfc9700#section-4.7.1).
func (l *login) typedCode(typed string) (token.Secret, error) {
	address, err := url.Parse(typed)
	switch {
	case typed == "":
		return token.Secret{}, failed("Run the command again.", "login: no code was typed")
	case err == nil && address.Scheme != "" && (address.Query().Has("code") || address.Query().Has("error")):
		response := address.Query()
		if len(response["state"]) != 1 || !equal(response.Get("state"), l.state) {
			// https://www.rfc-editor.org/rfc/rfc6749#section-10.12
			return token.Secret{}, failed("Copy the address that belongs to the URL printed last.",
				"login: the address is not the answer to this login (state)")
		}
		return l.code(response)
	case strings.ContainsAny(typed, " \t") || untrusted.Printable(typed) != typed:
		return token.Secret{}, failed("Copy the code alone, or the whole address of the page.", "login: that is not a code")
	}
	if text, err := url.PathUnescape(typed); err == nil {
		typed = text // it was copied from an address
	}
	return token.NewSecret(typed), nil
}
