package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// A person waits for the end of their logout, and other processes for the lock.
const maxRevocationWait = 5 * time.Second

// Revoke makes a token useless at the provider (https://www.rfc-editor.org/rfc/rfc7009#section-2.1).
func (p *Provider) Revoke(ctx context.Context, _ token.Key, kind token.TokenKind, secret token.Secret) error {
	from, cached, err := p.discover(ctx, false)
	if err != nil {
		return err
	}
	err = p.revoke(ctx, from, kind, secret)
	if cached && isNotFound(err) {
		// The endpoint may have moved since the metadata was fetched.
		if from, _, err = p.discover(ctx, true); err != nil {
			return err
		}
		err = p.revoke(ctx, from, kind, secret)
	}
	return err
}

func (p *Provider) revoke(ctx context.Context, from *metadata, kind token.TokenKind, secret token.Secret) error {
	if from.RevocationURL == "" {
		// https://www.rfc-editor.org/rfc/rfc8414#section-2: it is optional
		return fmt.Errorf("discovery: %w", token.ErrNoRevocation)
	}
	if err := checkEndpoint("revocation_endpoint", from.RevocationURL); err != nil {
		return err
	}
	answer, err := p.postRevocation(ctx, from, kind, secret)
	if err == nil && answer.status() == http.StatusServiceUnavailable {
		// https://www.rfc-editor.org/rfc/rfc7009#section-2.2.1: the token still exists; the provider may say when to try again
		if wait := answer.observed.wait; wait > 0 && wait <= maxRevocationWait && p.config.Sleep(ctx, wait) == nil {
			answer, err = p.postRevocation(ctx, from, kind, secret)
		}
	}
	if err != nil {
		return err
	}
	return p.judgeRevocation(answer)
}

func (p *Provider) postRevocation(ctx context.Context, from *metadata, kind token.TokenKind, secret token.Secret) (formAnswer, error) {
	authentication, err := p.authentication(from)
	if err != nil {
		return formAnswer{}, ours(err)
	}
	return p.postForm(ctx, "revocation", "the revocation endpoint", from.RevocationURL, authentication, url.Values{
		"token":           {secret.Reveal()},
		"token_type_hint": {string(kind)},
	})
}

// judgeRevocation takes status 200 for success, whatever comes with it
// (https://www.rfc-editor.org/rfc/rfc7009#section-2.2).
func (p *Provider) judgeRevocation(answer formAnswer) error {
	if answer.status() == http.StatusOK {
		return nil
	}
	err := p.endpointError("revocation", errors.Join(answer.refusal, answer.readErr), answer.observed)
	switch oauthCode(err) {
	case "invalid_token":
		// The standard has 200 for that, but Google says it so: the token is of no use.
		return nil
	case "unsupported_token_type":
		return fmt.Errorf("%w: %w", token.ErrUnsupportedTokenType, err)
	}
	return err
}
