package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Holdings implements token.Store. A login with another mode may have left something in a place that a lookup would not
// come to, so each is asked; so is a keychain whose session was ended while it failed.
func (s *Store) Holdings(ctx context.Context, key token.Key) (token.Holdings, error) {
	var held token.Holdings
	var silent error
	for _, place := range s.places {
		unread := s.addHoldings(ctx, place, key, &held)
		silence, err := s.judge(ctx, place, unread)
		if err != nil {
			return token.Holdings{}, err
		}
		if unread != nil {
			held.Silent = append(held.Silent, string(place.place(ctx, "")))
		}
		if silence != nil {
			silent = silence
		}
	}
	switch name := sessionName(key); {
	case silent == nil:
	case s.notes.isHeld(name):
		held.Unread = fmt.Errorf("%w; %w", silent, token.ErrUnreadSession)
	case s.notes.isSpent(name):
		s.config.Warn(fmt.Errorf("%w; an earlier session may be in it: it is not used any more, but not revoked either", silent))
	case len(held.Sessions) > 0: // and no note says that the keychain ever had one
		s.config.Log.Info("a place is passed over", "reason", silent)
	default:
		s.config.Warn(fmt.Errorf("%w; what it may hold stays", silent))
	}
	return held, nil
}

func (s *Store) addHoldings(ctx context.Context, place vault, key token.Key, held *token.Holdings) error {
	text, err := s.readOwn(ctx, place, sessionName(key))
	if err != nil {
		return err
	}
	if text != nil {
		if session, err := decodeSessionIf(checkToRevoke, text, key); err == nil {
			held.Sessions = append(held.Sessions, session)
		} else {
			_ = s.unreadable(err)
		}
	}
	if text, err = s.readOwn(ctx, place, idTokenName(key)); err != nil || text == nil {
		return err
	}
	if idToken, err := decodeIDTokenIf(checkToRevoke, text, key); err == nil {
		held.IDTokens = append(held.IDTokens, idToken)
	} else {
		_ = s.unreadable(err)
	}
	return nil
}

// readOwn returns nil where nothing of ours is.
func (s *Store) readOwn(ctx context.Context, place vault, name string) ([]byte, error) {
	text, err := place.get(ctx, name)
	switch {
	case errors.Is(err, token.ErrNotFound):
		return nil, nil
	case errors.Is(err, errNotOurs):
		_ = s.unreadable(err)
		return nil, nil
	}
	return text, err
}

// judge tells the failures of places apart: one that must work is a failure; so is an interrupt, which says nothing of the place,
// and a note without which a silent one cannot be borne; the keychain may be silent; and a kernel that lets nobody have keys here
// never did.
func (s *Store) judge(ctx context.Context, place vault, err error) (silent, failure error) {
	switch {
	case err == nil:
		return nil, nil
	case ctx.Err() != nil || errors.Is(err, errNote) || !s.mayBeSilent(place):
		return nil, err
	case place.place(ctx, "") == InKernelKeyring:
		s.config.Log.Info("a place is passed over", "reason", err)
		return nil, nil
	}
	return err, nil
}

// mayBeSilent reports whether a place need not answer: where there is no keychain, there is nothing in it.
func (s *Store) mayBeSilent(place vault) bool {
	_, isDisk := place.(*disk)
	return s.config.Mode == Auto && !isDisk
}

// Forget implements token.Store.
func (s *Store) Forget(ctx context.Context, key token.Key, held token.Holdings) error {
	var failures []error
	for _, place := range s.places {
		if slices.Contains(held.Silent, string(place.place(ctx, ""))) {
			continue
		}
		for _, name := range []string{sessionName(key), idTokenName(key)} {
			if _, err := removeOwn(ctx, place, name); err != nil {
				failures = append(failures, fmt.Errorf("what is stored could not be removed: %w", err))
			}
		}
	}
	if slices.Contains(held.Silent, string(InKeychain)) {
		if err := s.notes.spend(sessionName(key)); err != nil {
			failures = append(failures, &token.Error{
				Err:  fmt.Errorf("a session that the keychain may have is neither revoked nor out of use: %w", err),
				Hint: []string{"Log out again when the keychain works."},
			})
		}
	}
	s.forgetNotes(key)
	return errors.Join(failures...)
}

// removeOwn removes a value unless somebody else has put it there, also one that cannot be read, and the parts of one of
// which some are missing. It returns what reading the value said before, too.
func removeOwn(ctx context.Context, place vault, name string) (readErr, err error) {
	_, readErr = place.get(ctx, name)
	if errors.Is(readErr, errNotOurs) {
		return readErr, nil
	}
	return readErr, place.remove(ctx, name)
}
