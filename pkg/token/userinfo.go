package token

import (
	"context"
	"errors"
)

// UserInfo renews the session, whatever is stored, and asks the provider with the access token that came with it who the
// person is. Nobody is asked to log in. An access token that is refused is replaced once
// (https://www.rfc-editor.org/rfc/rfc6750#section-3.1).
func (s *Source) UserInfo(ctx context.Context, key Key) (map[string]any, error) {
	claims, err := s.freshUserInfo(ctx, key)
	if errors.Is(err, ErrAccessTokenRefused) {
		s.Log.Info("trying again with another access token", "reason", err)
		return s.freshUserInfo(ctx, key)
	}
	return claims, err
}

func (s *Source) freshUserInfo(ctx context.Context, key Key) (map[string]any, error) {
	set, err := s.renewSession(ctx, key)
	if needed := (&loginNeeded{}); errors.As(err, &needed) {
		return nil, &Error{Kind: LoginNeeded, Err: err, Hint: []string{s.LoginHint}}
	}
	if err != nil {
		return nil, err
	}
	return s.Provider.UserInfo(ctx, key, set)
}

func (s *Source) renewSession(ctx context.Context, key Key) (Set, error) {
	unlock, noLock, err := s.lockRefresh(ctx, key)
	if err != nil {
		return Set{}, err
	}
	defer unlock()
	return s.useSession(ctx, key, noLock)
}
