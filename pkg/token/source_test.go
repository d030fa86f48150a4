package token

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// world is a store and a provider that write down what is asked of them, in order.
type world struct {
	calls   []string
	now     time.Time
	idToken *IDToken
	session *Session
	attempt *Attempt
	answer  *Answer
	refused time.Time
	failed  time.Time // when the provider was last out of reach
	lockErr error     // for the refresh lock
	noLock  bool

	login      func() (Set, error)
	refresh    func(Session) (Set, error)
	sessionErr error
	// userInfoErrs are those of the first requests.
	userInfoErrs []error
	saveErr      error
	beforeLocks  func(Purpose) // what other processes do while we wait
	held         Holdings
	revoke       func(context.Context, Secret) error
	forgetErr    error
}

var key = Key{Issuer: "https://op.example", ClientID: "kubernetes", Scopes: []string{"openid"}}

// kubectl is a process that asks.
var kubectl = Caller{PID: 7, Started: "then", Server: "https://c.example"}

var worldTime = time.Unix(1_800_000_000, 0)

// clock is how an error shows a time.
func clock(offset time.Duration) string { return worldTime.Add(offset).Format(time.TimeOnly) }

func newWorld() *world {
	w := &world{now: worldTime}
	w.login = func() (Set, error) { return w.set("login"), nil }
	w.refresh = func(Session) (Set, error) { return w.set("refreshed"), nil }
	return w
}

// set is fresh at the world's time.
func (w *world) set(name string) Set {
	return Set{
		IDToken: IDToken{Raw: NewSecret("id-" + name), Issued: w.now, Expiry: w.now.Add(time.Minute)},
		Session: Session{RefreshToken: NewSecret("rt-" + name), Subject: "alice"},

		AccessToken: NewSecret("at-" + name),
	}
}

// holds puts a set that was got some time ago into the store.
func (w *world) holds(name string, age time.Duration) *world {
	set := w.set(name)
	set.IDToken.Issued, set.IDToken.Expiry = set.IDToken.Issued.Add(-age), set.IDToken.Expiry.Add(-age)
	w.idToken, w.session = &set.IDToken, &set.Session
	return w
}

func (w *world) source() *Source {
	return &Source{
		Store: w, Provider: w, Now: func() time.Time { return w.now }, Began: w.now, LoginHint: "Run: login",
		Warn: func(err error) { w.note("warn: %v", err) }, Ended: func(reason error) { w.note("ended: %v", reason) },
		Log: slog.New(slog.DiscardHandler),
	}
}

func (w *world) note(format string, arguments ...any) {
	w.calls = append(w.calls, fmt.Sprintf(format, arguments...))
}

func (w *world) IDToken(context.Context, Key) (IDToken, error) {
	if w.idToken == nil {
		return IDToken{}, ErrNotFound
	}
	return *w.idToken, nil
}

func (w *world) Session(ctx context.Context, _ Key) (Session, error) {
	if ctx.Err() != nil {
		return Session{}, ctx.Err() // as a keychain says
	}
	if w.sessionErr != nil {
		return Session{}, w.sessionErr
	}
	if w.session == nil {
		return Session{}, ErrNotFound
	}
	return *w.session, nil
}

func (w *world) Begin(ctx context.Context, _ Key, set Set) error { return w.save(ctx, "begin", set) }
func (w *world) Renew(ctx context.Context, _ Key, set Set) error { return w.save(ctx, "renew", set) }

func (w *world) save(ctx context.Context, verb string, set Set) error {
	w.note("%s %s", verb, set.Session.RefreshToken.Reveal())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if w.saveErr != nil {
		return w.saveErr
	}
	w.session = &set.Session
	if !set.IDToken.Raw.IsEmpty() {
		w.idToken = &set.IDToken
	}
	return nil
}

func (w *world) End(context.Context, Key) error {
	w.note("end")
	w.session = nil
	return nil
}

func (w *world) Holdings(context.Context, Key) (Holdings, error) {
	w.note("holdings")
	return w.held, w.sessionErr
}

func (w *world) Forget(ctx context.Context, _ Key, _ Holdings) error {
	w.note("forget")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.held = Holdings{}
	return w.forgetErr
}

func (w *world) Revoke(ctx context.Context, _ Key, kind TokenKind, secret Secret) error {
	w.note("REVOKE %s %s", kind, secret.Reveal())
	if w.revoke == nil {
		return nil
	}
	return w.revoke(ctx, secret)
}

func (w *world) Lock(_ context.Context, _ Key, purpose Purpose) (func(), error) {
	if w.beforeLocks != nil {
		w.beforeLocks(purpose)
	}
	if w.lockErr != nil && purpose == Refresh {
		return nil, w.lockErr
	}
	if w.noLock {
		return nil, fmt.Errorf("%w: read-only", ErrNoLock)
	}
	w.note("lock %s", purpose)
	return func() { w.note("unlock %s", purpose) }, nil
}

func (w *world) Login(_ context.Context, _ Key, asking func()) (Set, error) {
	w.note("LOGIN")
	asking()
	return w.login()
}

func (w *world) Attempt(context.Context, Key) (Attempt, error) {
	if w.attempt == nil {
		return Attempt{}, ErrNotFound
	}
	return *w.attempt, nil
}

func (w *world) NoteAttempt(_ context.Context, _ Key, attempt Attempt) error {
	w.attempt = &attempt
	return nil
}

func (w *world) Answer(_ context.Context, _ Key, caller Caller, idToken Secret) (Answer, error) {
	if w.answer == nil || w.answer.Caller != caller || !w.answer.IDToken.Equal(idToken) {
		return Answer{}, ErrNotFound
	}
	return *w.answer, nil
}

func (w *world) NoteAnswer(_ context.Context, _ Key, answer Answer) error {
	w.answer = &answer
	return nil
}

func (w *world) Refused(context.Context, Key) (time.Time, error) {
	if w.refused.IsZero() {
		return time.Time{}, ErrNotFound
	}
	return w.refused, nil
}

func (w *world) NoteRefused(_ context.Context, _ Key, at time.Time) error {
	w.refused = at
	return nil
}

func (w *world) Unreachable(context.Context, Key) (time.Time, error) {
	if w.failed.IsZero() {
		return time.Time{}, ErrNotFound
	}
	return w.failed, nil
}

func (w *world) NoteUnreachable(_ context.Context, _ Key, at time.Time) error {
	w.failed = at
	return nil
}

func (w *world) Refresh(_ context.Context, _ Key, session Session) (Set, error) {
	w.note("REFRESH %s", session.RefreshToken.Reveal())
	return w.refresh(session)
}

func (w *world) UserInfo(_ context.Context, _ Key, set Set) (map[string]any, error) {
	w.note("USERINFO %s %s", set.AccessToken.Reveal(), set.Session.Subject)
	if len(w.userInfoErrs) > 0 {
		err := w.userInfoErrs[0]
		w.userInfoErrs = w.userInfoErrs[1:]
		return nil, err
	}
	return map[string]any{"sub": set.Session.Subject}, nil
}

func unreachable() error {
	return &Error{Kind: Unreachable, Err: errors.New("cannot reach op.example")}
}
func ended() error { return fmt.Errorf("%w: invalid_grant", ErrSessionEnded) }

// Each row is a situation, what is done about it, in order, and what comes of it.
func TestSource(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "EXC-08", "IDT-27", "RFR-02", "RFR-10", "RFR-11", "RFR-12", "STO-09", "STO-11", "STO-14")
	for name, test := range map[string]struct {
		given func(*world, *Source)
		calls string
		token string // or:
		err   string
	}{
		"nothing stored": {
			calls: "lock refresh, unlock refresh, lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			token: "id-login",
		},
		"a good ID token needs no lock": {
			given: func(w *world, _ *Source) { w.holds("old", 49*time.Second) },
			token: "id-old",
		},
		"within the margin it is refreshed, and saved under the lock": {
			given: func(w *world, _ *Source) { w.holds("old", 50*time.Second) },
			calls: "lock refresh, REFRESH rt-old, renew rt-refreshed, unlock refresh",
			token: "id-refreshed",
		},
		"forced": {
			given: func(w *world, s *Source) { w.holds("old", time.Second); s.ForceRefresh = true },
			calls: "lock refresh, REFRESH rt-old, renew rt-refreshed, unlock refresh",
			token: "id-refreshed",
		},
		"another process refreshed while we waited": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Minute)
				w.beforeLocks = func(Purpose) { w.holds("other", 0) }
			},
			calls: "lock refresh, unlock refresh",
			token: "id-other",
		},
		"another process logged in while we waited": {
			given: func(w *world, _ *Source) {
				w.beforeLocks = func(purpose Purpose) {
					if purpose == Login {
						w.holds("other", 0)
					}
				}
			},
			calls: "lock refresh, unlock refresh, lock login, unlock login",
			token: "id-other",
		},
		"unreachable, and the old token still lives": {
			given: func(w *world, _ *Source) {
				w.holds("old", 55*time.Second).refresh = func(Session) (Set, error) { return Set{}, unreachable() }
			},
			calls: "lock refresh, REFRESH rt-old, unlock refresh",
			token: "id-old",
		},
		"unreachable: no login, and the session stays": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) { return Set{}, unreachable() }
			},
			calls: "lock refresh, REFRESH rt-old, unlock refresh",
			err:   "cannot reach op.example",
		},
		"waited for others in vain, and the old token still lives": {
			given: func(w *world, _ *Source) { w.holds("old", 55*time.Second).lockErr = unreachable() },
			token: "id-old",
		},
		"waited for others in vain": {
			given: func(w *world, _ *Source) { w.holds("old", time.Hour).lockErr = unreachable() },
			err:   "cannot reach op.example",
		},
		"interrupted while waiting": {
			given: func(w *world, _ *Source) { w.holds("old", 55*time.Second).lockErr = errors.New("interrupted") },
			err:   "interrupted",
		},
		"another process could not reach the provider while we waited long": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour)
				w.beforeLocks = func(Purpose) { w.now = w.now.Add(20 * time.Second); w.failed = w.now }
			},
			calls: "lock refresh, unlock refresh",
			err:   "the provider could not be reached: another process tried until " + clock(20*time.Second),
		},
		"the same, and the old token still lives": {
			given: func(w *world, _ *Source) {
				w.holds("old", 29*time.Minute).idToken.Expiry = w.now.Add(30 * time.Second)
				w.beforeLocks = func(Purpose) { w.now = w.now.Add(20 * time.Second); w.failed = w.now }
			},
			calls: "lock refresh, unlock refresh",
			token: "id-old",
		},
		"another process could not reach the provider a moment ago": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour)
				w.beforeLocks = func(Purpose) { w.now = w.now.Add(time.Second); w.failed = w.now }
			},
			calls: "lock refresh, REFRESH rt-old, renew rt-refreshed, unlock refresh",
			token: "id-refreshed",
		},
		"another process could not reach the provider before this call": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).failed = w.now
				w.beforeLocks = func(Purpose) { w.now = w.now.Add(20 * time.Second) }
			},
			calls: "lock refresh, REFRESH rt-old, renew rt-refreshed, unlock refresh",
			token: "id-refreshed",
		},
		"an answer that breaks a rule is no reason to use the old token": {
			given: func(w *world, _ *Source) {
				w.holds("old", 55*time.Second).refresh = func(Session) (Set, error) { return Set{}, errors.New("wrong subject") }
			},
			calls: "lock refresh, REFRESH rt-old, unlock refresh",
			err:   "wrong subject",
		},
		"the session has ended": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) { return Set{}, ended() }
			},
			calls: "lock refresh, REFRESH rt-old, end, unlock refresh, lock login, " +
				"ended: session ended: invalid_grant, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			token: "id-login",
		},
		"the session has ended, and nobody may be asked": {
			given: func(w *world, s *Source) {
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) { return Set{}, ended() }
				s.MayAsk = func() error { return errors.New("CI") }
			},
			calls: "lock refresh, REFRESH rt-old, end, unlock refresh",
			err:   "session ended: invalid_grant; CI",
		},
		"the session has ended, and kubectl has asked before": {
			given: func(w *world, s *Source) {
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) { return Set{}, ended() }
				s.Caller = kubectl
				w.attempt = &Attempt{Caller: kubectl, At: w.now.Add(-time.Hour)}
			},
			calls: "lock refresh, REFRESH rt-old, end, unlock refresh, lock login, unlock login",
			err:   "session ended: invalid_grant; login needed: the one asked for at " + clock(-time.Hour) + " was not completed",
		},
		"the session has ended, and another process logged in while we waited": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) { return Set{}, ended() }
				w.beforeLocks = func(purpose Purpose) {
					if purpose == Login {
						w.holds("other", 0)
					}
				}
			},
			calls: "lock refresh, REFRESH rt-old, end, unlock refresh, lock login, unlock login",
			token: "id-other",
		},
		"the session was renewed by somebody without our lock": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).refresh = func(session Session) (Set, error) {
					if session.RefreshToken.Reveal() == "rt-old" {
						w.session = &Session{RefreshToken: NewSecret("rt-newer")}
						return Set{}, ended()
					}
					return w.set("refreshed"), nil
				}
			},
			calls: "lock refresh, REFRESH rt-old, REFRESH rt-newer, renew rt-refreshed, unlock refresh",
			token: "id-refreshed",
		},
		"somebody who could not wait for our lock has logged in meanwhile": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).refresh = func(session Session) (Set, error) {
					if session.RefreshToken.Reveal() == "rt-old" {
						w.session = &Session{RefreshToken: NewSecret("rt-bob"), Subject: "bob"}
						return w.set("late"), nil
					}
					return w.set("bob-refreshed"), nil
				}
			},
			calls: "lock refresh, REFRESH rt-old, REFRESH rt-bob, renew rt-bob-refreshed, unlock refresh",
			token: "id-bob-refreshed",
		},
		"the same, and that login brought no session": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) {
					w.holds("bob", 0).session = nil
					return w.set("late"), nil
				}
			},
			calls: "lock refresh, REFRESH rt-old, unlock refresh, lock login, unlock login",
			token: "id-bob",
		},
		"the same again and again": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) {
					w.now = w.now.Add(time.Second)
					w.session = &Session{RefreshToken: NewSecret("rt-" + w.now.Format(time.TimeOnly)), Subject: "bob"}
					return w.set("late"), nil
				}
			},
			calls: "lock refresh, REFRESH rt-old, REFRESH rt-" + clock(time.Second) + ", unlock refresh",
			err:   "another process has replaced the session",
		},
		"nobody can say whether the session was replaced, and what came exists nowhere else": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) {
					w.sessionErr = errors.New("keychain locked")
					return w.set("refreshed"), nil
				}
			},
			calls: "lock refresh, REFRESH rt-old, renew rt-refreshed, unlock refresh",
			token: "id-refreshed",
		},
		"the session has ended, and so has the one that replaced it": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) {
					w.session = &Session{RefreshToken: NewSecret("rt-newer")}
					return Set{}, ended()
				}
			},
			calls: "lock refresh, REFRESH rt-old, REFRESH rt-newer, end, unlock refresh, " +
				"lock login, ended: session ended: invalid_grant, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			token: "id-login",
		},
		"both have ended, and a third has come meanwhile": {
			given: func(w *world, _ *Source) {
				names := []string{"second", "third"}
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) {
					w.session = &Session{RefreshToken: NewSecret("rt-" + names[0])}
					names = names[1:]
					return Set{}, ended()
				}
			},
			calls: "lock refresh, REFRESH rt-old, REFRESH rt-second, unlock refresh",
			err:   "another process has replaced the session",
		},
		"the session has ended, and nobody can say whether there is another": {
			given: func(w *world, s *Source) {
				s.MayAsk = func() error { return errors.New("CI") }
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) {
					w.sessionErr = errors.New("keychain locked")
					return Set{}, ended()
				}
			},
			calls: "lock refresh, REFRESH rt-old, unlock refresh",
			err:   "session ended: invalid_grant; CI",
		},
		"nothing can be kept of the answer: the refresh token that it cost is not sent again": {
			given: func(w *world, _ *Source) {
				w.holds("old", 55*time.Second).refresh = func(Session) (Set, error) { return Set{}, fmt.Errorf("wrong subject; %w", ErrSpent) }
			},
			calls: "lock refresh, REFRESH rt-old, end, unlock refresh",
			err:   "wrong subject; your session ends with that",
		},
		"an ID token that cannot be used, and the session that came with it": {
			given: func(w *world, _ *Source) {
				w.holds("old", 55*time.Second).refresh = func(Session) (Set, error) {
					return Set{Session: w.set("new").Session}, errors.New("issued in the future")
				}
			},
			calls: "lock refresh, REFRESH rt-old, renew rt-new, unlock refresh",
			err:   "issued in the future",
		},
		"a refresh without ID token keeps the new session and the old token": {
			given: func(w *world, _ *Source) {
				w.holds("old", 55*time.Second).refresh = func(Session) (Set, error) {
					return Set{Session: Session{RefreshToken: NewSecret("rt-new")}}, nil
				}
			},
			calls: "lock refresh, REFRESH rt-old, renew rt-new, unlock refresh",
			token: "id-old",
		},
		"a refresh without ID token, and the old one has ended": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Hour).refresh = func(Session) (Set, error) {
					return Set{Session: Session{RefreshToken: NewSecret("rt-new")}}, nil
				}
			},
			calls: "lock refresh, REFRESH rt-old, renew rt-new, unlock refresh, lock login, " +
				"ended: the provider returns no ID token on a refresh, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			token: "id-login",
		},
		"a save that fails costs nobody the token": {
			given: func(w *world, _ *Source) {
				w.holds("old", time.Minute)
				w.saveErr = errors.New("disk full")
			},
			calls: "lock refresh, REFRESH rt-old, renew rt-refreshed, warn: disk full, unlock refresh",
			token: "id-refreshed",
		},
		"a store that fails is not one that is empty": {
			given: func(w *world, _ *Source) { w.sessionErr = errors.New("keychain locked") },
			calls: "lock refresh, unlock refresh",
			err:   "keychain locked",
		},
		"a place fails that may have the session, and the old token still lives": {
			given: func(w *world, _ *Source) {
				w.holds("old", 55*time.Second).sessionErr = fmt.Errorf("keychain locked; %w", ErrUnreadSession)
			},
			calls: "lock refresh, unlock refresh",
			token: "id-old",
		},
		"asked again by the same process, after the answer and before the expiry: it was refused": {
			given: func(w *world, s *Source) {
				w.holds("old", 20*time.Second)
				s.Caller = kubectl
				w.answer = &Answer{Caller: kubectl, IDToken: w.idToken.Raw, Told: w.now.Add(time.Second), At: w.now.Add(-time.Second)}
			},
			calls: "lock refresh, REFRESH rt-old, renew rt-refreshed, unlock refresh",
			token: "id-refreshed",
		},
		"refused, and another process has renewed meanwhile": {
			given: func(w *world, s *Source) {
				w.holds("old", 20*time.Second)
				s.Caller = kubectl
				w.answer = &Answer{Caller: kubectl, IDToken: w.idToken.Raw, Told: w.now.Add(time.Second), At: w.now.Add(-time.Second)}
				w.beforeLocks = func(Purpose) { w.holds("other", 0) }
			},
			calls: "lock refresh, unlock refresh",
			token: "id-other",
		},
		"refused and unreachable: the refused token is not served": {
			given: func(w *world, s *Source) {
				w.holds("old", 20*time.Second).refresh = func(Session) (Set, error) { return Set{}, unreachable() }
				s.Caller = kubectl
				w.answer = &Answer{Caller: kubectl, IDToken: w.idToken.Raw, Told: w.now.Add(time.Second), At: w.now.Add(-time.Second)}
			},
			calls: "lock refresh, REFRESH rt-old, unlock refresh",
			err:   "cannot reach op.example",
		},
		"refused twice within ten seconds: the cluster has other reasons": {
			given: func(w *world, s *Source) {
				w.holds("old", 20*time.Second).refused = w.now.Add(-9 * time.Second)
				s.Caller = kubectl
				w.answer = &Answer{Caller: kubectl, IDToken: w.idToken.Raw, Told: w.now.Add(time.Second), At: w.now.Add(-time.Second)}
			},
			token: "id-old",
		},
		"asked again after the told expiry": {
			given: func(w *world, s *Source) {
				w.holds("old", 20*time.Second)
				s.Caller = kubectl
				w.answer = &Answer{Caller: kubectl, IDToken: w.idToken.Raw, Told: w.now, At: w.now.Add(-time.Second)}
			},
			token: "id-old",
		},
		"asked by a parallel call of the same process": {
			given: func(w *world, s *Source) {
				w.holds("old", 20*time.Second)
				s.Caller = kubectl
				w.answer = &Answer{Caller: kubectl, IDToken: w.idToken.Raw, Told: w.now.Add(time.Second), At: w.now}
			},
			token: "id-old",
		},
		"asked by another process with the same PID": {
			given: func(w *world, s *Source) {
				w.holds("old", 20*time.Second)
				s.Caller = Caller{PID: kubectl.PID, Started: "later"}
				w.answer = &Answer{Caller: kubectl, IDToken: w.idToken.Raw, Told: w.now.Add(time.Second), At: w.now.Add(-time.Second)}
			},
			token: "id-old",
		},
		"no lock can be had, and the provider rotates": {
			given: func(w *world, _ *Source) { w.holds("old", time.Minute).noLock = true },
			err:   "no lock can be had: read-only",
		},
		"no lock can be had, and the provider does not rotate": {
			given: func(w *world, _ *Source) { w.holds("old", time.Minute).noLock = true; w.session.Static = true },
			calls: "REFRESH rt-old, renew rt-refreshed",
			token: "id-refreshed",
		},
		"no lock can be had, and no session is there": {
			given: func(w *world, _ *Source) { w.noLock = true },
			calls: "warn: no lock can be had: read-only, LOGIN, begin rt-login",
			token: "id-login",
		},
		"nobody may be asked": {
			given: func(_ *world, s *Source) { s.MayAsk = func() error { return errors.New("CI") } },
			calls: "lock refresh, unlock refresh",
			err:   "CI",
		},
		"kubectl runs a failing plugin again": {
			given: func(w *world, s *Source) {
				s.Caller, s.HasTerminal = kubectl, true
				w.attempt = &Attempt{Caller: kubectl, At: w.now.Add(-time.Hour)}
			},
			calls: "lock refresh, unlock refresh, lock login, unlock login",
			err:   "login needed: the one asked for at " + clock(-time.Hour) + " was not completed",
		},
		"another kubectl at a terminal asks anew": {
			given: func(w *world, s *Source) {
				s.Caller, s.HasTerminal = Caller{PID: 8}, true
				w.attempt = &Attempt{Caller: kubectl, At: w.now.Add(-time.Hour)}
			},
			calls: "lock refresh, unlock refresh, lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			token: "id-login",
		},
		"another kubectl in the background does not": {
			given: func(w *world, s *Source) {
				s.Caller = Caller{PID: 8}
				w.attempt = &Attempt{Caller: kubectl, At: w.now.Add(-time.Hour)}
			},
			calls: "lock refresh, unlock refresh, lock login, unlock login",
			err:   "login needed: the one asked for at " + clock(-time.Hour) + " was not completed",
		},
		"the first one in the background does": {
			given: func(_ *world, s *Source) { s.Caller = kubectl },
			calls: "lock refresh, unlock refresh, lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			token: "id-login",
		},
		"run by hand, it asks again": {
			given: func(w *world, _ *Source) { w.attempt = &Attempt{Caller: kubectl, At: w.now.Add(-time.Second)} },
			calls: "lock refresh, unlock refresh, lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			token: "id-login",
		},
		"run by hand after the clock was set back, it asks again": {
			given: func(w *world, _ *Source) { w.attempt = &Attempt{Caller: kubectl, At: w.now.Add(time.Hour)} },
			calls: "lock refresh, unlock refresh, lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			token: "id-login",
		},
		"run by hand, it shares the end of the login that it waited for": {
			given: func(w *world, _ *Source) {
				w.beforeLocks = func(purpose Purpose) {
					if purpose == Login {
						w.now = w.now.Add(time.Second)
						w.attempt = &Attempt{At: w.now}
					}
				}
			},
			calls: "lock refresh, unlock refresh, lock login, unlock login",
			err:   "login needed: the one asked for at " + clock(time.Second) + " was not completed",
		},
		"a clock that was set back by an hour": {
			given: func(w *world, _ *Source) { w.holds("old", -time.Hour) },
			calls: "lock refresh, REFRESH rt-old, renew rt-refreshed, unlock refresh",
			token: "id-refreshed",
		},
		"a clock that was set back by an hour, and the provider is out of reach": {
			given: func(w *world, _ *Source) {
				w.holds("old", -time.Hour).refresh = func(Session) (Set, error) { return Set{}, unreachable() }
			},
			calls: "lock refresh, REFRESH rt-old, unlock refresh",
			err:   "cannot reach op.example",
		},
		"a login that fails stores nothing": {
			given: func(w *world, _ *Source) { w.login = func() (Set, error) { return Set{}, errors.New("denied") } },
			calls: "lock refresh, unlock refresh, lock login, LOGIN, unlock login",
			err:   "denied",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := newWorld()
			source := world.source()
			if test.given != nil {
				test.given(world, source)
			}
			got, ok := source.Stored(t.Context(), key)
			var err error
			if !ok {
				got, err = source.Obtain(t.Context(), key)
			}
			if test.err == "" && (err != nil || got.Raw.Reveal() != test.token) {
				t.Errorf("expected %s, got %q, %v", test.token, got.Raw.Reveal(), err)
			}
			if test.err != "" && (err == nil || err.Error() != test.err) {
				t.Errorf("expected error %q, got %v", test.err, err)
			}
			if calls := strings.Join(world.calls, ", "); calls != test.calls {
				t.Errorf("expected %s\ngot %s", test.calls, calls)
			}
		})
	}
}

// Ctrl-C between request and save waits for the save: the old refresh token is spent by then.
func TestInterruptedRefreshIsSaved(t *testing.T) {
	t.Parallel()
	world := newWorld().holds("old", time.Minute)
	ctx, interrupt := context.WithCancel(t.Context())
	world.refresh = func(Session) (Set, error) {
		interrupt()
		return world.set("refreshed"), nil
	}
	if _, err := world.source().Obtain(ctx, key); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(world.calls, func(call string) bool { return strings.HasPrefix(call, "warn") }) ||
		world.session.RefreshToken.Reveal() != "rt-refreshed" {
		t.Errorf("the new refresh token was lost: %v", world.calls)
	}
}

// A login that leaves what was there before is none: the next call could be served as somebody else. The token that a call waits
// for is good all the same.
func TestLoginThatDoesNotReplace(t *testing.T) {
	t.Parallel()
	world := newWorld()
	world.saveErr = fmt.Errorf("%w: disk full", ErrNotReplaced)
	if _, err := world.source().Login(t.Context(), key); !errors.Is(err, ErrNotReplaced) {
		t.Errorf("expected an error, got %v", err)
	}
	world.calls = nil
	got, err := world.source().Obtain(t.Context(), key)
	if err != nil || got.Raw.Reveal() != "id-login" || !slices.Contains(world.calls, "warn: "+world.saveErr.Error()) {
		t.Errorf("got %q, %v; %v", got.Raw.Reveal(), err, world.calls)
	}
}

// Ctrl-C while the refusal is on its way keeps nobody from looking what it was that was refused.
func TestInterruptedRefusalEndsNoOtherSession(t *testing.T) {
	t.Parallel()
	world := newWorld().holds("old", time.Hour)
	ctx, interrupt := context.WithCancel(t.Context())
	world.refresh = func(Session) (Set, error) {
		world.session = &Session{RefreshToken: NewSecret("rt-newer")}
		interrupt()
		return Set{}, ended()
	}
	_, err := world.source().Obtain(ctx, key)
	if !errors.Is(err, context.Canceled) || world.session == nil || world.session.RefreshToken.Reveal() != "rt-newer" {
		t.Errorf("the newer session is lost: %v, %v", world.calls, err)
	}
}

// A login is what the person has done last, so it is saved also where a process holds the refresh lock and hangs: whoever is
// served next is the one who has logged in.
func TestLoginIsSavedThoughTheRefreshLockIsHeld(t *testing.T) {
	t.Parallel()
	world := newWorld().holds("alice", time.Second)
	world.lockErr = &Error{Kind: Unreachable, Err: errors.New("lock: process 7 has held it since 12:00:00")}
	world.login = func() (Set, error) { return world.set("bob"), nil }
	if _, err := world.source().Login(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	const want = "lock login, LOGIN, warn: lock: process 7 has held it since 12:00:00; the login is saved without it, begin rt-bob, unlock login"
	if calls := strings.Join(world.calls, ", "); calls != want {
		t.Errorf("expected %s\ngot %s", want, calls)
	}
	if served, ok := world.source().Stored(t.Context(), key); !ok || served.Raw.Reveal() != "id-bob" {
		t.Errorf("the next call serves %q", served.Raw.Reveal())
	}
}

// A client has no session: it logs in anew each time, whoever may be asked, and bears a provider that is away.
func TestMachine(t *testing.T) {
	t.Parallel()
	machine := key
	machine.Machine = true
	world := newWorld().holds("old", 55*time.Second)
	source := world.source()
	got, err := source.Obtain(t.Context(), machine)
	const want = "lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login"
	if calls := strings.Join(world.calls, ", "); err != nil || got.Raw.Reveal() != "id-login" || calls != want {
		t.Errorf("expected %s\ngot %s, %v", want, calls, err)
	}

	for age, wanted := range map[time.Duration]string{55 * time.Second: "id-old", time.Hour: ""} {
		world := newWorld().holds("old", age)
		world.login = func() (Set, error) { return Set{}, unreachable() }
		got, err := world.source().Obtain(t.Context(), machine)
		if got.Raw.Reveal() != wanted || (err == nil) != (wanted != "") {
			t.Errorf("a token of %s: expected %q, got %q, %v", age, wanted, got.Raw.Reveal(), err)
		}
	}
}

// Clients wait for each other as persons' sessions do, and share what keeps them from the provider.
func TestMachineSharesWhatItWaitedFor(t *testing.T) {
	t.Parallel()
	machine := key
	machine.Machine = true
	world := newWorld()
	source := world.source()
	world.beforeLocks = func(Purpose) { world.now = world.now.Add(20 * time.Second); world.failed = world.now }
	_, err := source.Obtain(t.Context(), machine)
	if calls := strings.Join(world.calls, ", "); !isUnreachable(err) || calls != "lock login, unlock login" {
		t.Errorf("got %s, %v", calls, err)
	}

	world = newWorld()
	world.login = func() (Set, error) { return Set{}, unreachable() }
	if _, err := world.source().Obtain(t.Context(), machine); err == nil || !world.failed.Equal(world.now) {
		t.Errorf("it is not noted: %v, %v", world.failed, err)
	}
}

// A provider that has answered was reached, though the key of its token cannot be had yet.
func TestUnknownKeyIsNotNoted(t *testing.T) {
	t.Parallel()
	world := newWorld().holds("old", time.Hour)
	world.refresh = func(Session) (Set, error) {
		return Set{Session: world.set("refreshed").Session}, &Error{Kind: Unreachable, Err: fmt.Errorf("%w: 7", ErrKeyUnknown)}
	}
	if _, err := world.source().Obtain(t.Context(), key); !isUnreachable(err) || !world.failed.IsZero() {
		t.Errorf("got %v, noted %v", err, world.failed)
	}
}

// What a call may exit with and hint at is not the refresh's, which the provider refused, but that of the login.
func TestEndedSessionKeepsKindAndHint(t *testing.T) {
	t.Parallel()
	world := newWorld().holds("old", time.Hour)
	world.refresh = func(Session) (Set, error) {
		return Set{}, fmt.Errorf("%w: %w", ErrSessionEnded, &Error{Kind: Refused, Err: errors.New("invalid_grant"), Hint: []string{"Log in again."}})
	}
	source := world.source()
	nobody := errors.New("CI")
	source.MayAsk = func() error { return &Error{Kind: LoginNeeded, Err: nobody, Hint: []string{"Run: login"}} }
	_, err := source.Obtain(t.Context(), key)
	var failure *Error
	if !errors.As(err, &failure) || failure.Kind != LoginNeeded || !slices.Equal(failure.Hint, []string{"Run: login"}) || !errors.Is(err, nobody) {
		t.Errorf("got %#v", err)
	}
}

// A login that nobody asked for a token wants to be kept. One part is enough, and the token comes all the same.
func TestLogin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given   func(*world)
		calls   string
		notKept bool
	}{
		"kept": {
			given: func(*world) {},
			calls: "lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
		},
		"one part is not": {
			given: func(w *world) { w.saveErr = errors.New("disk full"); w.session = new(w.set("login").Session) },
			calls: "lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, warn: disk full, unlock login",
		},
		"nothing is": {
			given:   func(w *world) { w.saveErr = errors.New("disk full") },
			calls:   "lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			notKept: true,
		},
		"nothing new is": {
			given:   func(w *world) { w.holds("old", 0).saveErr = errors.New("disk full") },
			calls:   "lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			notKept: true,
		},
		"others hold the lock for too long": {
			given: func(w *world) { w.lockErr = unreachable() },
			calls: "lock login, LOGIN, warn: cannot reach op.example; the login is saved without it, begin rt-login, unlock login",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := newWorld()
			test.given(world)
			got, err := world.source().Login(t.Context(), key)
			var failure *Error
			if got.Raw.Reveal() != "id-login" || errors.Is(err, ErrNotKept) != test.notKept || (err != nil) != test.notKept ||
				errors.As(err, &failure) && failure.Kind != Failed {
				t.Errorf("got %q, %v", got.Raw.Reveal(), err)
			}
			if calls := strings.Join(world.calls, ", "); calls != test.calls {
				t.Errorf("expected %s\ngot %s", test.calls, calls)
			}
		})
	}
}
