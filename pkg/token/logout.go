package token

import (
	"context"
	"errors"
	"time"
)

// Holdings is what a store holds of one identity, in all of its places.
type Holdings struct {
	Sessions []Session
	IDTokens []IDToken
	Unread   error // why a place could not be read that may hold the session; nil: there is none
	// Silent are the names of all places that could not be read. Nobody has revoked what is there, so it must not get lost.
	Silent []string
}

// TokenKind says what a token is to the provider (https://www.rfc-editor.org/rfc/rfc7009#section-2.1).
type TokenKind string

const (
	// RefreshToken is the hint for refresh tokens.
	RefreshToken TokenKind = "refresh_token"
	// AccessToken is the hint for access tokens.
	AccessToken TokenKind = "access_token"
)

// Revocation is what became of a token that the provider was asked to revoke.
type Revocation struct {
	Kind TokenKind
	Err  error // nil: it is of no use any more
}

// Others may wait for the refresh lock meanwhile.
const revocationTimeout = 30 * time.Second

// Logout revokes what can be revoked, tells what came of it, and forgets the identity whatever that was. All of it
// happens under the refresh lock: a refresh that is under way stores its new session before, where it is found and
// revoked too, and the next one finds none. An error says that something is still stored.
func (s *Source) Logout(ctx context.Context, key Key, tell func(Revocation)) (Holdings, error) {
	unlock, noLock, err := s.lockRefresh(ctx, key)
	if err != nil {
		return Holdings{}, err
	}
	defer unlock()
	if noLock != nil {
		s.Warn(noLock)
	}
	held, err := s.Store.Holdings(ctx, key)
	if err != nil {
		return Holdings{}, err
	}
	if err := s.revokeAll(ctx, key, held, tell); err != nil {
		return Holdings{}, err
	}
	return held, s.Store.Forget(context.WithoutCancel(ctx), key, held)
}

// revokeAll begins with the refresh tokens: a provider ends their access tokens with them
// (https://www.rfc-editor.org/rfc/rfc7009#section-2.1). An error is one of this side, such as Ctrl-C or a client secret
// that is not there: the person can mend it and try again, so nothing must be forgotten yet.
func (s *Source) revokeAll(ctx context.Context, key Key, held Holdings, tell func(Revocation)) error {
	limited, cancel := context.WithTimeout(ctx, revocationTimeout)
	defer cancel()
	for _, token := range revocable(key, held) {
		err := s.Provider.Revoke(limited, key, token.kind, token.secret)
		if errors.Is(err, ErrNoRevocation) {
			s.useUpAll(limited, key, held.Sessions, tell, err)
			return nil // which goes for the others too
		}
		if err != nil && (ctx.Err() != nil || isOurs(err)) {
			return err
		}
		tell(Revocation{token.kind, err})
		if isUnreachable(err) {
			return nil // as it is for the others
		}
	}
	return nil
}

// useUpAll ends refresh tokens that work once, where they cannot be revoked: each is used, and what replaces it is thrown
// away, so that whoever has a copy has nothing (https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2). Of one that works
// again and again this is not possible.
func (s *Source) useUpAll(ctx context.Context, key Key, sessions []Session, tell func(Revocation), cause error) {
	if len(sessions) == 0 {
		tell(Revocation{AccessToken, cause})
	}
	for _, session := range sessions {
		outcome := cause
		if !session.Static && s.useUp(ctx, key, session) {
			outcome = ErrUsedUp
		}
		tell(Revocation{RefreshToken, outcome})
	}
}

func (s *Source) useUp(ctx context.Context, key Key, session Session) bool {
	set, err := s.Provider.Refresh(ctx, key, session)
	next := set.Session.RefreshToken // may come beside an error
	return errors.Is(err, ErrSessionEnded) || errors.Is(err, ErrSpent) || !next.IsEmpty() && !next.Equal(session.RefreshToken)
}

type revocableToken struct {
	kind   TokenKind
	secret Secret
}

// revocable are the tokens that a provider can revoke. An ID token is none; an access token is kept only in its place.
func revocable(key Key, held Holdings) []revocableToken {
	var tokens []revocableToken
	for _, session := range held.Sessions {
		tokens = append(tokens, revocableToken{RefreshToken, session.RefreshToken})
	}
	for _, idToken := range held.IDTokens {
		if key.AccessToken {
			tokens = append(tokens, revocableToken{AccessToken, idToken.Raw})
		}
	}
	return tokens
}

// isOurs reports whether a failure says nothing of the provider.
func isOurs(err error) bool {
	var failure *Error
	isProviders := errors.Is(err, ErrNoRevocation) || errors.Is(err, ErrUnsupportedTokenType) ||
		errors.As(err, &failure) && failure.Kind != Misused
	return !isProviders
}
