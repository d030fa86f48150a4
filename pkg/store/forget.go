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
	silent := map[vault]error{}
	for _, place := range s.places {
		unread := s.addHoldings(ctx, place, key, &held)
		silence, err := s.judge(ctx, place, sessionName(key), unread)
		if err != nil {
			return token.Holdings{}, err
		}
		if unread != nil {
			held.Silent = append(held.Silent, string(place.place(ctx, "")))
		}
		if silence != nil {
			silent[place] = silence
		}
	}
	for _, place := range s.places {
		if cause := silent[place]; cause != nil {
			s.addSilent(place.(*noted).notes, sessionName(key), cause, &held)
		}
	}
	return held, nil
}

// addSilent says what becomes of what a keychain may have that fails.
func (s *Store) addSilent(notes keychainNotes, name string, cause error, held *token.Holdings) {
	switch {
	case notes.isHeld(name) && held.Unread != nil:
		held.Unread = fmt.Errorf("%w; %w", cause, held.Unread)
	case notes.isHeld(name):
		held.Unread = fmt.Errorf("%w; %w", cause, token.ErrUnreadSession)
	case notes.isSpent(name):
		s.config.Warn(fmt.Errorf("%w; an earlier session may be in it: it is not used any more, but not revoked either", cause))
	case len(held.Sessions) > 0: // and no note says that the keychain ever had one
		s.config.Log.Info("a place is passed over", "reason", cause)
	default:
		s.config.Warn(fmt.Errorf("%w; what it may hold stays", cause))
	}
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
// and a note without which a silent one cannot be borne; a keychain may be silent, and a kernel's keyring that never had this
// session is passed over, since there often is none.
func (s *Store) judge(ctx context.Context, place vault, name string, err error) (silent, failure error) {
	switch {
	case err == nil:
		return nil, nil
	case ctx.Err() != nil || errors.Is(err, errNote) || !s.mayBeSilent(place):
		return nil, err
	case place.place(ctx, "") == InKernelKeyring && !place.(*noted).notes.exist(name):
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
		if where := place.place(ctx, ""); slices.Contains(held.Silent, string(where)) {
			failures = append(failures, spendSilent(place, where, sessionName(key)))
			continue
		}
		for _, name := range []string{sessionName(key), idTokenName(key)} {
			if _, err := removeOwn(ctx, place, name); err != nil {
				failures = append(failures, fmt.Errorf("what is stored could not be removed: %w", err))
			}
		}
	}
	s.forgetNotes(key)
	return errors.Join(failures...)
}

// spendSilent takes out of use what a place may have that failed.
func spendSilent(place vault, where Place, name string) error {
	keychain, isKeychain := place.(*noted)
	if !isKeychain {
		return nil
	}
	if err := keychain.notes.spend(name); err != nil {
		return &token.Error{
			Err:  fmt.Errorf("a session that the %s may have is neither revoked nor out of use: %w", where, err),
			Hint: []string{"Log out again when that place works."},
		}
	}
	return nil
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
