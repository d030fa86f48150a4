package token

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func accessTokenRefused() error { return &Error{Kind: Refused, Err: ErrAccessTokenRefused} }

// The session is renewed and saved under the lock, UserInfo is asked after that, and nobody is ever asked to log in.
func TestUserInfo(t *testing.T) {
	t.Parallel()
	const once = "lock refresh, REFRESH rt-old, renew rt-refreshed, unlock refresh, USERINFO at-refreshed alice"
	const again = "lock refresh, REFRESH rt-refreshed, renew rt-refreshed, unlock refresh"
	for name, test := range map[string]struct {
		given func(*world)
		calls string
		err   string
		kind  Kind
	}{
		"a good ID token makes no difference": {
			given: func(w *world) { w.holds("old", 0) },
			calls: once,
		},
		"nor does one that another process has just stored": {
			given: func(w *world) {
				w.holds("old", time.Minute)
				w.beforeLocks = func(Purpose) { w.holds("old", -time.Second) }
			},
			calls: once,
		},
		"a refresh without an ID token": {
			given: func(w *world) {
				w.holds("old", 0).refresh = func(Session) (Set, error) {
					set := w.set("refreshed")
					set.IDToken = IDToken{}
					return set, nil
				}
			},
			calls: once,
		},
		"no session": {
			calls: "lock refresh, unlock refresh",
			err:   "login needed: no session is stored",
			kind:  LoginNeeded,
		},
		"the session has ended": {
			given: func(w *world) { w.holds("old", 0).refresh = func(Session) (Set, error) { return Set{}, ended() } },
			calls: "lock refresh, REFRESH rt-old, end, unlock refresh",
			err:   "login needed: session ended: invalid_grant",
			kind:  LoginNeeded,
		},
		"unreachable, though the ID token lives": {
			given: func(w *world) { w.holds("old", 0).refresh = func(Session) (Set, error) { return Set{}, unreachable() } },
			calls: "lock refresh, REFRESH rt-old, unlock refresh",
			err:   "cannot reach op.example",
			kind:  Unreachable,
		},
		"no lock, and the provider rotates": {
			given: func(w *world) { w.holds("old", 0).noLock = true },
			err:   "no lock can be had: read-only",
		},
		"the access token is refused once": {
			given: func(w *world) { w.holds("old", 0).userInfoErrs = []error{accessTokenRefused()} },
			calls: once + ", " + again + ", USERINFO at-refreshed alice",
		},
		"the access token is refused always": {
			given: func(w *world) { w.holds("old", 0).userInfoErrs = []error{accessTokenRefused(), accessTokenRefused()} },
			calls: once + ", " + again + ", USERINFO at-refreshed alice",
			err:   "access token refused",
			kind:  Refused,
		},
		"other failures are not tried again": {
			given: func(w *world) { w.holds("old", 0).userInfoErrs = []error{unreachable()} },
			calls: once,
			err:   "cannot reach op.example",
			kind:  Unreachable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := newWorld()
			if test.given != nil {
				test.given(world)
			}
			got, err := world.source().UserInfo(t.Context(), key)
			if test.err == "" && (err != nil || got["sub"] != "alice") {
				t.Errorf("got %v, %v", got, err)
			}
			if test.err != "" && (got != nil || err == nil || err.Error() != test.err) {
				t.Errorf("expected error %q, got %v, %v", test.err, got, err)
			}
			var failure *Error
			if test.kind != Failed && (!errors.As(err, &failure) || failure.Kind != test.kind) {
				t.Errorf("expected kind %d, got %v", test.kind, failure)
			}
			if test.kind == LoginNeeded && fmt.Sprint(failure.Hint) != "[Run: login]" {
				t.Errorf("got hints %q", failure.Hint)
			}
			if calls := strings.Join(world.calls, ", "); calls != test.calls {
				t.Errorf("expected %s\ngot %s", test.calls, calls)
			}
		})
	}
}

func TestLivesAt(t *testing.T) {
	t.Parallel()
	idToken := IDToken{Raw: NewSecret("id"), Issued: worldTime, Expiry: worldTime.Add(time.Minute)}
	for offset, want := range map[time.Duration]bool{
		0: true, 59 * time.Second: true, time.Minute: false, time.Hour: false,
		-4 * time.Second: true, -time.Hour: false, // the clock was set back
	} {
		if got := idToken.LivesAt(worldTime.Add(offset)); got != want {
			t.Errorf("after %s: got %t", offset, got)
		}
	}
}
