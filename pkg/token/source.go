package token

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Store keeps tokens between processes. Its methods may be called from many processes at once; Lock orders them.
type Store interface {
	// IDToken returns the ID token last saved, or ErrNotFound.
	IDToken(context.Context, Key) (IDToken, error)
	// Session returns the session last saved, or ErrNotFound.
	Session(context.Context, Key) (Session, error)
	// Begin saves what a login brought and forgets whatever was there. An error means that some of it was not saved; the
	// caller's tokens are good all the same. It wraps ErrNotReplaced if some of what was there can still be read.
	Begin(context.Context, Key, Set) error
	// Renew saves what a refresh brought, the session first. It is for the session that Session has just returned.
	Renew(context.Context, Key, Set) error
	// End forgets the session, but not the ID token.
	End(context.Context, Key) error
	// Holdings returns all that is stored of the key, in every place.
	Holdings(context.Context, Key) (Holdings, error)
	// Forget forgets what Holdings has returned, and the notes. What it could not read stays, and is not used any more. An error
	// means that some of the rest is still there, or some of that still used.
	Forget(context.Context, Key, Holdings) error

	// Attempt returns the login that was asked for last and has not succeeded, or ErrNotFound. Begin forgets it.
	Attempt(context.Context, Key) (Attempt, error)
	// NoteAttempt notes that a person is being asked.
	NoteAttempt(context.Context, Key, Attempt) error
	// Answer returns when a caller was last given a token, or ErrNotFound.
	Answer(context.Context, Key, Caller, Secret) (Answer, error)
	// NoteAnswer notes what a caller was given.
	NoteAnswer(context.Context, Key, Answer) error
	// Refused returns when a token was last renewed because the API server refused it, or ErrNotFound.
	Refused(context.Context, Key) (time.Time, error)
	// NoteRefused notes that a token is renewed for that reason.
	NoteRefused(context.Context, Key, time.Time) error

	// Unreachable returns when a renewal last failed because the provider was out of reach, or ErrNotFound.
	Unreachable(context.Context, Key) (time.Time, error)
	// NoteUnreachable notes that.
	NoteUnreachable(context.Context, Key, time.Time) error

	// Lock excludes every other process with the same key and purpose until unlock is called. It fails when the context
	// ends or the wait gets hopeless (who waits for a refresh waits for the provider, so that is of the kind Unreachable),
	// and with ErrNoLock where no lock works.
	Lock(context.Context, Key, Purpose) (unlock func(), err error)
}

// Purpose is what a lock is held for. They are apart, so that nobody waits for a person who only needs a refresh.
type Purpose string

const (
	// Refresh guards the use and replacement of a refresh token: one round trip.
	Refresh Purpose = "refresh"
	// Login guards a login, which lasts as long as a person needs.
	Login Purpose = "login"
)

// Provider is the OpenID Provider.
type Provider interface {
	// Login asks a person and returns verified tokens. It calls asking when the person is about to be asked.
	Login(ctx context.Context, key Key, asking func()) (Set, error)
	// Refresh returns a verified ID token of the same person (an empty one where the provider gives none), and the
	// refresh token to use next, which is the old one where the provider does not rotate. The session may also come
	// beside an error, and must be saved then too. An error wraps ErrSessionEnded only if no retry can ever succeed, and ErrSpent
	// only if the session is used up and there is no other.
	// A context that ends stops it before and after the use of the refresh token, but never between request and answer.
	Refresh(context.Context, Key, Session) (Set, error)
	// UserInfo returns the claims that the provider answers to the set's access token. They are about the set's subject.
	// An error wraps ErrAccessTokenRefused if another access token may do.
	UserInfo(context.Context, Key, Set) (map[string]any, error)
	// Revoke makes a token useless at the provider. An error wraps ErrNoRevocation or ErrUnsupportedTokenType where the
	// provider cannot do that, and is an Error of another kind than Misused where it failed to.
	Revoke(context.Context, Key, TokenKind, Secret) error
}

// Source gives ID tokens: Stored first, then Obtain. It is for one call of the program.
type Source struct {
	Store    Store
	Provider Provider
	Now      func() time.Time
	// Warn tells the person about something that did not stop the call.
	Warn func(error)
	// Ended tells the person why the session that there was serves no more, before they are asked again; nil: nobody is told.
	Ended func(reason error)
	// Log takes the steps of the decision.
	Log *slog.Logger
	// ForceRefresh passes over the stored ID token.
	ForceRefresh bool

	// Caller is who asks.
	Caller Caller
	// Began is when this call began.
	Began time.Time
	// HasTerminal says whether a person can read what this call prints.
	HasTerminal bool
	// MayAsk says why a person may not be asked. It is called when a login is needed; nil: may.
	MayAsk func() error
	// LoginHint says how to log in where this call may not ask.
	LoginHint string

	refused Secret // the stored ID token, where the API server refused it
}

// Stored returns the stored ID token if it lives beyond its margin. It needs no network and no lock. A store that fails
// is not reported here: Obtain meets the same failure where it matters.
func (s *Source) Stored(ctx context.Context, key Key) (IDToken, bool) {
	if s.ForceRefresh {
		return IDToken{}, false
	}
	stored, ok := s.stored(ctx, key)
	if ok && s.wasRefused(ctx, key, stored) {
		s.refused = stored.Raw
		return IDToken{}, false
	}
	return stored, ok
}

// Obtain returns an ID token that is not in the store yet: a refreshed one, or that of a login.
func (s *Source) Obtain(ctx context.Context, key Key) (IDToken, error) {
	if key.Machine {
		return s.logInMachine(ctx, key)
	}
	renewed, err := s.renew(ctx, key)
	needed := &loginNeeded{}
	if !errors.As(err, &needed) {
		return renewed, err
	}
	s.Log.Info("a login is needed", "reason", err)
	if s.MayAsk != nil {
		if err := s.MayAsk(); err != nil {
			return IDToken{}, needed.before(err)
		}
	}
	return s.logIn(ctx, key, needed)
}

// logInMachine needs nobody, and has no session to renew.
func (s *Source) logInMachine(ctx context.Context, key Key) (IDToken, error) {
	idToken, err := s.logIn(ctx, key, &loginNeeded{errNoSession})
	if isUnreachable(err) {
		return s.lastLegs(ctx, key, err)
	}
	return idToken, err
}

// Login asks a person even though a session may exist, and saves the result. It fails where the next call could be served as
// whoever was logged in before. Where no part of it could be saved, an error that wraps ErrNotKept comes beside the ID token.
func (s *Source) Login(ctx context.Context, key Key) (IDToken, error) {
	unlock, err := s.lockLogin(ctx, key)
	if err != nil {
		return IDToken{}, err
	}
	defer unlock()
	set, err := s.askPerson(ctx, key)
	if err != nil {
		return IDToken{}, err
	}
	err = s.saveLogin(ctx, key, set)
	switch {
	case errors.Is(err, ErrNotReplaced):
		return IDToken{}, err
	case err != nil && !s.keeps(context.WithoutCancel(ctx), key, set):
		return set.IDToken, &Error{Err: fmt.Errorf("%w: %w", ErrNotKept, err), Hint: knownOf(err).Hint}
	}
	s.warn(err)
	return set.IDToken, nil
}

// keeps reports whether the store has any part of the set.
func (s *Source) keeps(ctx context.Context, key Key, set Set) bool {
	if stored, err := s.Store.IDToken(ctx, key); err == nil && stored.Raw.Equal(set.IDToken.Raw) {
		return true
	}
	session, err := s.Store.Session(ctx, key)
	return err == nil && session.RefreshToken.Equal(set.Session.RefreshToken)
}

// A clock may go back by this much, as time servers correct it, or differ between machines that share a home, before
// stored times are doubted.
const clockStep = 5 * time.Second

// loginNeeded is how renew says that there is no session to renew, and why.
type loginNeeded struct{ reason error }

func (e *loginNeeded) Error() string { return "login needed: " + e.reason.Error() }

// Unwrap returns the reason.
func (e *loginNeeded) Unwrap() error { return e.reason }

// errNoSession is the reason that says nothing new: a first login, or the next after one that was told.
var errNoSession = errors.New("no session is stored")

// before puts the reason before what keeps a person from being asked. The kind and what to do are the latter's.
func (e *loginNeeded) before(err error) error {
	if errors.Is(e.reason, errNoSession) {
		return err
	}
	known := knownOf(err)
	return &Error{Kind: known.Kind, Err: fmt.Errorf("%w; %w", e.reason, err), Hint: known.Hint}
}

func (s *Source) stored(ctx context.Context, key Key) (IDToken, bool) {
	stored, err := s.Store.IDToken(ctx, key)
	if err != nil {
		s.Log.Debug("no stored ID token", "reason", err)
		return IDToken{}, false
	}
	now := s.Now()
	return stored, stored.LivesAt(now) && now.Before(stored.UseUntil()) && !s.isRefused(stored)
}

func (s *Source) isRefused(stored IDToken) bool {
	return !s.refused.IsEmpty() && stored.Raw.Equal(s.refused)
}

// news returns an ID token that another process stored while this one waited for a lock.
func (s *Source) news(ctx context.Context, key Key) (IDToken, bool) {
	stored, ok := s.stored(ctx, key)
	if !ok || s.ForceRefresh && stored.Issued.Before(s.Began) {
		return IDToken{}, false
	}
	s.Log.Info("another process has renewed the ID token", "until", stored.UseUntil())
	return stored, true
}

// renew refreshes under the lock, where nobody has done so meanwhile.
func (s *Source) renew(ctx context.Context, key Key) (IDToken, error) {
	unlock, noLock, err := s.lockRefresh(ctx, key)
	if isUnreachable(err) {
		return s.lastLegs(ctx, key, err)
	}
	if err != nil {
		return IDToken{}, err
	}
	defer unlock()
	if stored, ok := s.news(ctx, key); ok {
		return stored, nil
	}
	if err := s.triedByOthers(ctx, key); err != nil {
		return s.lastLegs(ctx, key, err)
	}
	set, err := s.useSession(ctx, key, noLock)
	ctx = context.WithoutCancel(ctx)
	s.noteUnreachable(ctx, key, err)
	if isUnreachable(err) || errors.Is(err, ErrUnreadSession) {
		return s.lastLegs(ctx, key, err)
	}
	if err != nil {
		return IDToken{}, err
	}
	if set.IDToken.Raw.IsEmpty() {
		return s.lastLegs(ctx, key, &loginNeeded{errors.New("the provider returns no ID token on a refresh")})
	}
	return set.IDToken, nil
}

// A network that drops packets costs each attempt its whole time limit. Who has waited for longer than this shares the
// outcome of the attempt that it waited for, so that many calls do not fail one after another.
const sharedAttempt = 10 * time.Second

// triedByOthers returns why the provider need not be asked now: another process could not reach it while this one waited
// for the lock.
func (s *Source) triedByOthers(ctx context.Context, key Key) error {
	if s.Now().Sub(s.Began) < sharedAttempt {
		return nil
	}
	tried, err := s.Store.Unreachable(ctx, key)
	if err != nil || !tried.After(s.Began) || tried.After(s.Now()) {
		return nil
	}
	return &Error{
		Kind: Unreachable,
		Err:  fmt.Errorf("the provider could not be reached: another process tried until %s", tried.Format(time.TimeOnly)),
		Hint: []string{"Nothing stored is lost; try again later."},
	}
}

// noteUnreachable leaves out a provider that was reached, but does not publish a new key yet.
func (s *Source) noteUnreachable(ctx context.Context, key Key, err error) {
	if isUnreachable(err) && !errors.Is(err, ErrKeyUnknown) {
		s.note(s.Store.NoteUnreachable(ctx, key, s.Now()))
	}
}

// lockRefresh also says why there is no lock where none can be had, which is no error for every provider.
func (s *Source) lockRefresh(ctx context.Context, key Key) (unlock func(), noLock, err error) {
	unlock, err = s.Store.Lock(ctx, key, Refresh)
	if errors.Is(err, ErrNoLock) {
		return func() {}, err, nil
	}
	return unlock, nil, err
}

// errReplaced says that the store has another session than the one that was used.
var errReplaced error = &Error{
	Err:  errors.New("another process has replaced the session"),
	Hint: []string{"Try again."},
}

// useSession refreshes; the lock must be held, or noLock say why not. A session that was replaced meanwhile, by a process that
// could not lock, gives way to the one that replaced it.
func (s *Source) useSession(ctx context.Context, key Key, noLock error) (Set, error) {
	set, err := s.useStoredSession(ctx, key, noLock)
	if errors.Is(err, errReplaced) {
		s.Log.Info("trying again", "reason", err)
		return s.useStoredSession(ctx, key, noLock)
	}
	return set, err
}

func (s *Source) useStoredSession(ctx context.Context, key Key, noLock error) (Set, error) {
	session, err := s.Store.Session(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return Set{}, &loginNeeded{errNoSession}
	}
	if err != nil {
		return Set{}, WithLoginHint(err, s.LoginHint)
	}
	if noLock != nil && !session.Static {
		return Set{}, noLock // two refreshes at once would end the session
	}
	return s.refresh(ctx, key, session)
}

// refresh asks the provider, and has the store follow what it answered, even if the call was interrupted meanwhile. It fails with
// errReplaced, and leaves the store as it is, where that has another session by now.
func (s *Source) refresh(ctx context.Context, key Key, session Session) (Set, error) {
	set, err := s.Provider.Refresh(ctx, key, session)
	ctx = context.WithoutCancel(ctx)
	switch {
	case errors.Is(err, ErrSessionEnded):
		return Set{}, cmp.Or[error](s.endRefused(ctx, key, session), &loginNeeded{err})
	case errors.Is(err, ErrSpent):
		return Set{}, cmp.Or(s.endRefused(ctx, key, session), err)
	case set.Session.RefreshToken.IsEmpty():
		return set, err
	}
	if replaced := s.saveRenewed(ctx, key, session, set); replaced != nil {
		return Set{}, replaced
	}
	return set, err // the session may have come beside an error
}

// saveRenewed saves what a refresh of the session brought: the old refresh token was spent as soon as the provider had read the
// request, and the new one exists nowhere else. But what has replaced the session stays: it is of a login that could not wait,
// perhaps of another person.
func (s *Source) saveRenewed(ctx context.Context, key Key, session Session, set Set) error {
	stored, err := s.Store.Session(ctx, key)
	if errors.Is(err, ErrNotFound) || err == nil && !stored.RefreshToken.Equal(session.RefreshToken) {
		return errReplaced
	}
	s.warn(s.Store.Renew(ctx, key, set))
	return nil
}

// endRefused forgets a session that the provider takes no more, or that must not be sent again. A process that could not lock may
// have renewed it, so the store is asked whether it is still the same; one that cannot say keeps what it has.
func (s *Source) endRefused(ctx context.Context, key Key, session Session) error {
	stored, err := s.Store.Session(ctx, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		s.Log.Warn("the session that was refused is not forgotten", "reason", err)
		return nil
	case !stored.RefreshToken.Equal(session.RefreshToken):
		return errReplaced
	}
	s.warn(s.Store.End(ctx, key))
	return nil
}

// lastLegs returns the stored ID token although it is within its margin, if it lives at all; else err. Better a token
// that may arrive too late than none.
func (s *Source) lastLegs(ctx context.Context, key Key, err error) (IDToken, error) {
	stored, readErr := s.Store.IDToken(ctx, key)
	if readErr != nil || s.ForceRefresh || s.isRefused(stored) || !stored.LivesAt(s.Now()) {
		return IDToken{}, err
	}
	s.Log.Warn("the stored ID token is used up to its end", "until", stored.Expiry, "reason", err)
	return stored, nil
}

// logIn shares a login with the processes that wait for the same one: whoever comes second takes the first one's result,
// also if it is none.
func (s *Source) logIn(ctx context.Context, key Key, needed *loginNeeded) (IDToken, error) {
	unlock, err := s.lockLogin(ctx, key)
	if err != nil {
		return IDToken{}, err
	}
	defer unlock()
	if stored, ok := s.news(ctx, key); ok {
		return stored, nil
	}
	if key.Machine {
		return s.askAsMachine(ctx, key)
	}
	if err := s.mayAsk(ctx, key); err != nil {
		return IDToken{}, needed.before(err)
	}
	if s.Ended != nil && !errors.Is(needed, errNoSession) {
		s.Ended(needed.reason)
	}
	return s.askAndSave(ctx, key)
}

func (s *Source) askAsMachine(ctx context.Context, key Key) (IDToken, error) {
	if err := s.triedByOthers(ctx, key); err != nil {
		return IDToken{}, err
	}
	idToken, err := s.askAndSave(ctx, key)
	s.noteUnreachable(ctx, key, err)
	return idToken, err
}

// lockLogin goes on without a lock where there can be none: two windows are no harm.
func (s *Source) lockLogin(ctx context.Context, key Key) (func(), error) {
	unlock, err := s.Store.Lock(ctx, key, Login)
	if errors.Is(err, ErrNoLock) {
		s.Warn(err)
		return func() {}, nil
	}
	return unlock, err
}

// askAndSave logs in for a call that needs a token. That is good, and not lost, whatever comes of the save.
func (s *Source) askAndSave(ctx context.Context, key Key) (IDToken, error) {
	set, err := s.askPerson(ctx, key)
	if err != nil {
		return IDToken{}, err
	}
	s.warn(s.saveLogin(ctx, key, set))
	return set.IDToken, nil
}

// askPerson asks, or logs in as a machine.
func (s *Source) askPerson(ctx context.Context, key Key) (Set, error) {
	return s.Provider.Login(ctx, key, func() {
		s.note(s.Store.NoteAttempt(ctx, key, Attempt{Caller: s.Caller, At: s.Now()}))
	})
}

// saveLogin saves what a login brought, even if the call was interrupted meanwhile. The refresh lock is taken for that alone, never
// while a person is busy. A process that holds it for too long does not keep a login from being saved; see saveRenewed for what
// becomes of its own.
func (s *Source) saveLogin(ctx context.Context, key Key, set Set) error {
	ctx = context.WithoutCancel(ctx)
	unlock, err := s.Store.Lock(ctx, key, Refresh)
	switch {
	case err == nil:
		defer unlock()
	case !errors.Is(err, ErrNoLock):
		s.Warn(fmt.Errorf("%w; the login is saved without it", err))
	}
	return s.Store.Begin(ctx, key, set)
}

// warn tells the person about a failure, if it is one.
func (s *Source) warn(err error) {
	if err != nil {
		s.Warn(err)
	}
}
