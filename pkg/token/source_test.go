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
)

// world is a store and a provider that write down what is asked of them, in order.
type world struct {
	calls   []string
	now     time.Time
	idToken *IDToken
	session *Session

	login       func() (Set, error)
	refresh     func(Session) (Set, error)
	sessionErr  error
	saveErr     error
	beforeLocks func(Purpose) // what other processes do while we wait
}

var key = Key{Issuer: "https://op.example", ClientID: "kubernetes", Scopes: []string{"openid"}}

func newWorld() *world {
	w := &world{now: time.Unix(1_800_000_000, 0)}
	w.login = func() (Set, error) { return w.set("login"), nil }
	w.refresh = func(Session) (Set, error) { return w.set("refreshed"), nil }
	return w
}

// set is fresh at the world's time.
func (w *world) set(name string) Set {
	return Set{
		IDToken: IDToken{Raw: NewSecret("id-" + name), Issued: w.now, Expiry: w.now.Add(time.Minute)},
		Session: Session{RefreshToken: NewSecret("rt-" + name), Subject: "alice"},
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
		Store: w, Provider: w, Now: func() time.Time { return w.now },
		Warn: func(err error) { w.note("warn: %v", err) }, Log: slog.New(slog.DiscardHandler),
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

func (w *world) Session(context.Context, Key) (Session, error) {
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

func (w *world) Lock(_ context.Context, _ Key, purpose Purpose) (func(), error) {
	if w.beforeLocks != nil {
		w.beforeLocks(purpose)
	}
	w.note("lock %s", purpose)
	return func() { w.note("unlock %s", purpose) }, nil
}

func (w *world) Login(context.Context, Key) (Set, error) {
	w.note("LOGIN")
	return w.login()
}

func (w *world) Refresh(_ context.Context, _ Key, session Session) (Set, error) {
	w.note("REFRESH %s", session.RefreshToken.Reveal())
	return w.refresh(session)
}

func unreachable() error {
	return &Error{Kind: Unreachable, Err: errors.New("cannot reach op.example")}
}
func ended() error { return fmt.Errorf("%w: invalid_grant", ErrSessionEnded) }

// Each row is a situation, what is done about it, in order, and what comes of it.
func TestSource(t *testing.T) {
	t.Parallel()
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
			calls: "lock refresh, REFRESH rt-old, end, unlock refresh, " +
				"lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
			token: "id-login",
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
			calls: "lock refresh, REFRESH rt-old, renew rt-new, unlock refresh, " +
				"lock login, LOGIN, lock refresh, begin rt-login, unlock refresh, unlock login",
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
