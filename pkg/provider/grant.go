package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Grant is a way to log in.
type Grant string

// The ways to log in. The first is the zero value.
const (
	AuthCode          Grant = ""                   // in a browser on this machine
	AuthCodeKeyboard  Grant = "authcode-keyboard"  // in any browser; the person brings the code
	DeviceCode        Grant = "device-code"        // in any browser; nothing is to be brought
	Password          Grant = "password"           // this program sees the password
	ClientCredentials Grant = "client-credentials" // the client itself, and no person
)

// Login logs in by the configured grant. It asks for the metadata anew: a person's time is worth a request.
func (p *Provider) Login(ctx context.Context, _ token.Key, asking func()) (token.Set, error) {
	if err := p.TryCredential(); err != nil {
		return token.Set{}, err
	}
	from, _, err := p.discover(ctx, true)
	if err != nil {
		return token.Set{}, err
	}
	if p.config.InsecureSkipTLSVerify {
		p.config.Warn(errors.New("the provider's certificate is not checked (--insecure-skip-tls-verify); anybody on the way can read your tokens"))
	}
	if err := p.checkPKCE(from); err != nil {
		return token.Set{}, err
	}
	p.checkListed(from)
	p.warnOfResources()
	scopes := p.chooseScopes(from)
	set, err := p.logIn(ctx, from, scopes, asking)
	if scopes.yields(err) {
		set, err = p.logIn(ctx, from, scopes, asking)
	}
	if code := oauthCode(err); code == "unauthorized_client" || code == "unsupported_grant_type" {
		err = withHint(err, "The client may not log in this way. Allow it at the provider, or choose another --grant-type.")
	}
	return set, err
}

func (p *Provider) logIn(ctx context.Context, from *metadata, scopes *scopeChoice, asking func()) (token.Set, error) {
	switch p.config.Grant {
	case AuthCode:
		return p.logInByBrowser(ctx, from, scopes, asking)
	case AuthCodeKeyboard:
		return p.logInByKeyboard(ctx, from, scopes, asking)
	case DeviceCode:
		return p.logInByDevice(ctx, from, scopes, asking)
	case Password:
		return p.logInByPassword(ctx, from, scopes, asking)
	case ClientCredentials:
		return p.logInAsClient(ctx, from, scopes)
	}
	return token.Set{}, fmt.Errorf("unknown grant %q", p.config.Grant)
}

// accept verifies what a login brought. The nonce is the one that was sent, or empty.
func (p *Provider) accept(ctx context.Context, from *metadata, scopes *scopeChoice, got answer, nonce string) (token.Set, error) {
	var verified claims
	switch {
	case !got.idToken.IsEmpty():
		var err error
		asked := wanted{acrValues: p.config.ACRValues, maxAge: p.config.MaxAge}
		if verified, err = p.verify(ctx, from, got, expected{nonce: nonce, login: asked}); err != nil {
			return token.Set{}, err
		}
		if err := p.checkAccount(got.idToken); err != nil {
			return token.Set{}, err
		}
	case !p.config.Grant.isForMachines() || !p.config.UseAccessToken:
		// https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse
		return token.Set{}, failed(p.config.Grant.withoutIDToken(), "login: the provider's answer has no ID token")
	}
	chosen, err := p.chosen(ctx, from, got, verified)
	if err != nil {
		return token.Set{}, err
	}
	p.checkClock(got)
	p.checkGranted(got)
	p.checkRefreshable(got, scopes)
	p.warnOfAccessToken(chosen)
	return token.Set{IDToken: chosen, Session: got.session(verified, nonce)}, nil
}

// isForMachines reports whether no person logs in. Such an answer promises an access token alone
// (https://www.rfc-editor.org/rfc/rfc6749#section-4.4.3).
func (g Grant) isForMachines() bool { return g == ClientCredentials }

// withoutIDToken says what to do about an answer that has none.
func (g Grant) withoutIDToken() string {
	if g.isForMachines() {
		return "Many providers give clients an access token alone. Allow the client the scope openid, or give kubectl the access token with --oidc-use-access-token."
	}
	return "Check that the client may use OpenID Connect, not just OAuth 2.0, and the scope openid."
}
