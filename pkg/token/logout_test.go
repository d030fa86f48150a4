package token

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// withHoldings is a world that holds sessions of these names, and an ID token.
func withHoldings(names ...string) *world {
	w := newWorld()
	for _, name := range names {
		set := w.set(name)
		w.held.Sessions = append(w.held.Sessions, set.Session)
		w.held.IDTokens = []IDToken{set.IDToken}
	}
	return w
}

// Each row is what is stored and what the provider says, what is done about it, in order, and what comes of it.
func TestLogout(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "REV-02", "REV-04", "REV-07")
	around := func(steps ...string) []string {
		return slices.Concat([]string{"lock refresh", "holdings"}, steps, []string{"unlock refresh"})
	}
	answers := func(err error) func(context.Context, Secret) error {
		return func(context.Context, Secret) error { return err }
	}
	errMisused := &Error{Kind: Misused, Err: errors.New("no such file")}
	errFailed := &Error{Err: errors.New("answered 404")}
	for name, test := range map[string]struct {
		world *world
		key   Key
		want  []string
		err   string
	}{
		"revoked under the lock, then forgotten": {world: withHoldings("a"), want: around("REVOKE refresh_token rt-a", "told <nil>", "forget")},
		"nothing stored":                         {world: withHoldings(), want: around("forget")},
		"two places": {
			world: withHoldings("a", "b"),
			want:  around("REVOKE refresh_token rt-a", "told <nil>", "REVOKE refresh_token rt-b", "told <nil>", "forget"),
		},
		"an access token is kept": {
			world: withHoldings("a"), key: Key{AccessToken: true},
			want: around("REVOKE refresh_token rt-a", "told <nil>", "REVOKE access_token id-a", "told <nil>", "forget"),
		},
		"unreachable: said, then forgotten; the next would not be reached either": {
			world: func() *world { w := withHoldings("a", "b"); w.revoke = answers(unreachable()); return w }(),
			want:  around("REVOKE refresh_token rt-a", "told cannot reach op.example", "forget"),
		},
		"no endpoint: used up": {
			world: func() *world { w := withHoldings("a", "b"); w.revoke = answers(ErrNoRevocation); return w }(),
			want:  around("REVOKE refresh_token rt-a", "REFRESH rt-a", "told used up", "REFRESH rt-b", "told used up", "forget"),
		},
		"no endpoint, and the answer is no good": {
			world: func() *world {
				w := withHoldings("a")
				w.revoke, w.refresh = answers(ErrNoRevocation), func(Session) (Set, error) { return Set{}, ErrSpent }
				return w
			}(),
			want: around("REVOKE refresh_token rt-a", "REFRESH rt-a", "told used up", "forget"),
		},
		"no endpoint, and it works again and again": {
			world: func() *world {
				w := withHoldings("a")
				w.revoke, w.held.Sessions[0].Static = answers(ErrNoRevocation), true
				return w
			}(),
			want: around("REVOKE refresh_token rt-a", "told no revocation endpoint", "forget"),
		},
		"one kind is not supported: the other may be": {
			world: func() *world {
				w := withHoldings("a")
				w.revoke = answers(fmt.Errorf("%w: unsupported_token_type", ErrUnsupportedTokenType))
				return w
			}(),
			key: Key{AccessToken: true},
			want: around("REVOKE refresh_token rt-a", "told tokens of this kind cannot be revoked: unsupported_token_type",
				"REVOKE access_token id-a", "told tokens of this kind cannot be revoked: unsupported_token_type", "forget"),
		},
		"refused": {
			world: func() *world { w := withHoldings("a"); w.revoke = answers(errFailed); return w }(),
			want:  around("REVOKE refresh_token rt-a", "told answered 404", "forget"),
		},
		"what the person can mend keeps everything": {
			world: func() *world { w := withHoldings("a"); w.revoke = answers(errMisused); return w }(),
			want:  around("REVOKE refresh_token rt-a"), err: "no such file",
		},
		"a fault of ours too": {
			world: func() *world { w := withHoldings("a"); w.revoke = answers(errors.New("odd")); return w }(),
			want:  around("REVOKE refresh_token rt-a"), err: "odd",
		},
		"a store that fails": {
			world: func() *world { w := withHoldings("a"); w.sessionErr = errors.New("locked"); return w }(),
			want:  around(), err: "locked",
		},
		"not all can be forgotten": {
			world: func() *world { w := withHoldings("a"); w.forgetErr = errors.New("read-only"); return w }(),
			want:  around("REVOKE refresh_token rt-a", "told <nil>", "forget"), err: "read-only",
		},
		"no lock": {
			world: func() *world { w := withHoldings("a"); w.noLock = true; return w }(),
			want: []string{"warn: no lock can be had: read-only", "holdings", "REVOKE refresh_token rt-a", "told <nil>",
				"forget"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := test.world
			_, err := w.source().Logout(t.Context(), test.key, func(r Revocation) { w.note("told %v", r.Err) })
			if got := fmt.Sprint(err); err == nil && test.err != "" || err != nil && got != test.err {
				t.Errorf("expected %q, got %v", test.err, err)
			}
			if !slices.Equal(w.calls, test.want) {
				t.Errorf("expected\n%q, got\n%q", test.want, w.calls)
			}
		})
	}
}

// What a refresh stored while the logout waited for its lock is what is revoked.
func TestLogoutReadsUnderTheLock(t *testing.T) {
	t.Parallel()
	w := withHoldings("old")
	w.beforeLocks = func(Purpose) { w.held = withHoldings("new").held }
	held, err := w.source().Logout(t.Context(), key, func(Revocation) {})
	if err != nil || len(held.Sessions) != 1 || !slices.Contains(w.calls, "REVOKE refresh_token rt-new") {
		t.Errorf("%v, %q", err, w.calls)
	}
}

// Ctrl-C before the provider has answered leaves everything for another try; after that all is removed.
func TestInterruptedLogout(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer  error
		forgets bool
	}{
		"before": {unreachable(), false},
		"after":  {nil, true},
	} {
		w := withHoldings("a")
		ctx, cancel := context.WithCancel(t.Context())
		w.revoke = func(context.Context, Secret) error { cancel(); return test.answer }
		_, err := w.source().Logout(ctx, key, func(Revocation) {})
		if (err == nil) != test.forgets || slices.Contains(w.calls, "forget") != test.forgets {
			t.Errorf("%s: %v, %q", name, err, w.calls)
		}
	}
}

// Others wait for the lock, so the provider has a bounded time.
func TestLogoutIsBounded(t *testing.T) {
	t.Parallel()
	w := withHoldings("a")
	w.revoke = func(ctx context.Context, _ Secret) error {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("no deadline")
		}
		return nil
	}
	if _, err := w.source().Logout(t.Context(), key, func(Revocation) {}); err != nil {
		t.Error(err)
	}
}
