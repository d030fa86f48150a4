package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// verify holds the answer's ID token against what is known of the issuer, the client and this request.
func (p *Provider) verify(ctx context.Context, from *metadata, got answer, want expected) (claims, error) {
	want.issuer = p.config.Issuer
	want.clientID = p.config.ClientID
	want.trusted = p.config.TrustedAudiences
	want.algorithms = from.signingAlgorithms()
	want.keys = func(ctx context.Context, fresh bool) ([]key, bool, error) { return p.keys(ctx, from, fresh) }
	want.now = got.issued
	want.accessToken = got.accessToken
	return verifyIDToken(ctx, got.idToken.Reveal(), want)
}

// A clock that is further off makes other programs fail, so it is worth a word.
const tolerableSkew = time.Minute

// checkClock tells a person whose clock is wrong. The login works all the same.
func (p *Provider) checkClock(got answer) {
	skew := got.issued.Sub(got.received).Round(time.Second)
	switch {
	case skew > tolerableSkew:
		p.config.Warn(fmt.Errorf("this machine's clock is %s behind the provider's", skew))
	case skew < -tolerableSkew:
		p.config.Warn(fmt.Errorf("this machine's clock is %s ahead of the provider's", -skew))
	}
}

// session is what a login began. A machine's answer may have had no ID token.
func (a answer) session(verified claims, nonce string) token.Session {
	return token.Session{
		RefreshToken: a.refreshToken,
		Subject:      verified.Subject,
		Audience:     verified.Audience,
		Nonce:        nonce,
		IssuedAt:     verified.IssuedAt.or(time.Time{}),
		AuthTime:     verified.AuthTime.or(time.Time{}),
	}
}

// held is the ID token as it is kept. Its end is moved to our clock: what counts is the time from the provider's answer
// to the expiry, both by the provider's clock, so that a laptop whose clock is wrong works all the same.
func (a answer) held(verified claims) token.IDToken {
	return token.IDToken{
		Raw:      a.idToken,
		Issued:   a.received,
		Expiry:   a.received.Add(verified.Expiry.Sub(a.issued)),
		Issuer:   verified.Issuer,
		Audience: verified.Audience,
	}
}
