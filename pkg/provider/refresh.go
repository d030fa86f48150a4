package provider

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Refresh uses the session's refresh token (https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokens).
func (p *Provider) Refresh(ctx context.Context, _ token.Key, session token.Session) (token.Set, error) {
	from, err := p.discover(ctx)
	if err != nil {
		return token.Set{}, err
	}
	got, err := p.ask(ctx, "refresh", func(ctx context.Context) (*oauth2.Token, error) {
		old := &oauth2.Token{RefreshToken: session.RefreshToken.Reveal()}
		return p.oauth2Client(from, "").TokenSource(ctx, old).Token()
	})
	if err != nil {
		return token.Set{}, err
	}
	renewed := session
	renewed.RefreshToken = got.refreshToken // x/oauth2 keeps the old one where the answer has none
	if got.idToken.IsEmpty() {
		return token.Set{Session: renewed}, nil
	}
	claims, err := p.verify(ctx, from, got, expected{previous: &session})
	if err != nil {
		return token.Set{}, err
	}
	return token.Set{IDToken: got.held(claims), Session: renewed}, nil
}
