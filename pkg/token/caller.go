package token

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Caller is the process that kubectl's request came from. The zero value is a person who runs the program by hand.
type Caller struct {
	PID     int    // of our parent
	Started string // when that began, in the words of the system; tells it from a later one with the same PID
	Server  string // the cluster it asks for, where it says so
}

// IsKnown reports whether there is a caller to be remembered.
func (c Caller) IsKnown() bool { return c.PID != 0 }

// Answer is an ID token that was given to a caller.
type Answer struct {
	Caller  Caller
	IDToken Secret    // which token, for comparison
	Told    time.Time // the expiry that the caller was told
	At      time.Time // when it was given
}

// Attempt is a login that was asked of a person and has not succeeded.
type Attempt struct {
	Caller Caller
	At     time.Time
}

// A cluster that refuses every token, for reasons of its own, must not cost a refresh token for each request.
const refusedPause = 10 * time.Second

// wasRefused reports whether the API server refused the stored token. client-go says nothing of a 401; but it asks again
// before the expiry that it was told only after one, and it does so from the same process. A call that began before
// the answer was given is merely a parallel one.
func (s *Source) wasRefused(ctx context.Context, key Key, stored IDToken) bool {
	if !s.Caller.IsKnown() {
		return false
	}
	answer, err := s.Store.Answer(ctx, key, s.Caller, stored.Raw)
	if err != nil || !s.Began.After(answer.At) || !s.Now().Before(answer.Told) {
		return false
	}
	last, err := s.Store.Refused(ctx, key)
	if err == nil && s.Now().Sub(last).Abs() < refusedPause {
		s.Log.Warn("the API server refuses the token, and refused the one before; it stays", "since", last)
		return false
	}
	s.Log.Info("the API server has refused the stored ID token", "answered", answer.At)
	s.note(s.Store.NoteRefused(ctx, key, s.Now()))
	return true
}

// Answered notes what was given to the caller, so that its next call can be understood.
func (s *Source) Answered(ctx context.Context, key Key, given IDToken, told time.Time) {
	if s.Caller.IsKnown() {
		s.note(s.Store.NoteAnswer(ctx, key, Answer{Caller: s.Caller, IDToken: given.Raw, Told: told, At: s.Now()}))
	}
}

// mayAsk decides, under the login lock, whether a window may be opened now. kubectl runs a failing plugin five times, and
// editors run kubectl again and again: what was ignored once is not asked again by those.
func (s *Source) mayAsk(ctx context.Context, key Key) error {
	attempt, err := s.Store.Attempt(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		s.note(err)
		return nil
	}
	sameParent := attempt.Caller.PID == s.Caller.PID && attempt.Caller.Started == s.Caller.Started
	switch {
	// This call waited for it, and shares its end; but one from the future was made before the clock was set back.
	case attempt.At.After(s.Began) && !attempt.At.After(s.Now()):
	case s.Caller.IsKnown() && (sameParent || !s.HasTerminal):
	default:
		return nil
	}
	return &Error{
		Kind: LoginNeeded,
		Err:  fmt.Errorf("login needed: the one asked for at %s was not completed", attempt.At.Format(time.TimeOnly)),
		Hint: []string{s.LoginHint},
	}
}

// note logs a note that could not be made or read. Notes make things better; nothing depends on them.
func (s *Source) note(err error) {
	if err != nil {
		s.Log.Warn("a note about this call is missing", "reason", err)
	}
}
