package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Refresh uses the session's refresh token (https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokens). It is
// one request where metadata and keys are kept from before.
func (p *Provider) Refresh(ctx context.Context, _ token.Key, session token.Session) (token.Set, error) {
	from, cached, err := p.discover(ctx, false)
	if err != nil {
		return token.Set{}, err
	}
	got, err := p.spend(ctx, from, session)
	if cached && isNotFound(err) {
		// Keys or endpoint may have moved since the metadata was fetched. Nothing was spent on a page that is not there.
		if from, cached, err = p.discover(ctx, true); err != nil {
			return token.Set{}, err
		}
		got, err = p.spend(ctx, from, session)
	}
	if err != nil {
		return token.Set{}, err
	}
	renewed := session
	renewed.RefreshToken = got.refreshToken // x/oauth2 keeps the old one where the answer has none
	renewed.Static = got.refreshToken.Equal(session.RefreshToken)
	idToken, verified, err := p.verifyRefreshed(ctx, from, got, session)
	if cached && (isNotFound(err) || errors.Is(err, token.ErrKeyUnknown)) {
		if now, _, failure := p.discover(ctx, true); failure == nil && now.JWKSURL != from.JWKSURL {
			idToken, verified, err = p.verifyRefreshed(ctx, now, got, session)
		}
	}
	switch {
	case err == nil:
		renewed.IssuedAt = verified.IssuedAt.or(session.IssuedAt)
		renewed.AuthTime = verified.AuthTime.or(session.AuthTime)
		return token.Set{IDToken: idToken, Session: renewed, AccessToken: got.accessToken}, nil
	case errors.Is(err, token.ErrKeyUnknown):
		// A provider that has just changed its keys can sign with one that its caches do not show yet.
		err = &token.Error{Kind: token.Unreachable, Err: err, Hint: []string{keptHint}}
	case isUntimely(err):
		err = failed("Your session goes on: try again. If this comes back, show this line to the provider's administrator.", "%w", err)
	case errors.Is(err, errTokenRefused), errors.Is(err, errAccessTokenRefused):
		return token.Set{}, lost(err, renewed)
	}
	// The key could not be had, or the token is out of its time. That says nothing against the session, and the old refresh token is
	// spent.
	return token.Set{Session: renewed}, err
}

// lost is for an answer that may be another person's. Whose its refresh token is nobody knows, so that is not kept either; where
// it was to replace the one before, that is spent.
func lost(err error, renewed token.Session) error {
	if renewed.Static {
		return err
	}
	return withHint(fmt.Errorf("%w; %w", err, token.ErrSpent), "The next call asks you to log in.")
}

// spend uses the refresh token once metadata and keys are there, since an answer that cannot be verified is lost.
func (p *Provider) spend(ctx context.Context, from *metadata, session token.Session) (answer, error) {
	if _, _, err := p.keys(ctx, from, false); err != nil {
		return answer{}, err
	}
	return p.refresh(ctx, from, session)
}

// verifyRefreshed returns the token to serve, which is none where the answer has no ID token and the access token is not
// asked for, and the claims of the ID token, if there was one.
func (p *Provider) verifyRefreshed(ctx context.Context, from *metadata, got answer,
	session token.Session) (idToken token.IDToken, verified claims, err error) {
	if got.idToken.IsEmpty() && !p.config.UseAccessToken {
		return token.IDToken{}, claims{}, nil
	}
	if !got.idToken.IsEmpty() {
		if verified, err = p.verify(ctx, from, got, expected{previous: &session}); err != nil {
			return token.IDToken{}, claims{}, err
		}
	}
	idToken, err = p.chosen(ctx, from, got, verified)
	return idToken, verified, err
}

// refresh stops for a context that ends while it connects, but not once the request may be under way: the answer is the
// only copy of the next refresh token. The HTTP client's own deadline bounds it.
func (p *Provider) refresh(ctx context.Context, from *metadata, session token.Session) (answer, error) {
	got, err := p.ask(cancelledOnlyByDial(ctx), "refresh", from, url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {session.RefreshToken.Reveal()},
	})
	if endsSession(err) {
		err = fmt.Errorf("%w: %w", token.ErrSessionEnded, err)
	}
	return got, err
}

// endsSession reports whether a refresh token was refused for good (https://www.rfc-editor.org/rfc/rfc6749#section-5.2), or
// until the person has been asked something (https://openid.net/specs/openid-connect-core-1_0.html#AuthError), as Entra ID
// does. Dex and ZITADEL say invalid_request of a refresh token that has expired or was used, as they do of other faults:
// the status and the words tell them apart (https://github.com/dexidp/dex/blob/v2.45.1/server/refreshhandlers.go and
// https://github.com/zitadel/zitadel/blob/0a08c854a86853b8bd682785cc1752e1ca4c9f2a/internal/api/oidc/error.go).
func endsSession(err error) bool {
	switch oauthCode(err) {
	case "invalid_grant", "interaction_required", "login_required", "consent_required":
		return true
	case "invalid_request":
		words := strings.ReplaceAll(strings.ToLower(oauthText(err)), " ", "")
		return isKind(err, token.Refused) && strings.Contains(words, "refreshtoken")
	}
	return false
}

func isNotFound(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.code == http.StatusNotFound
}
