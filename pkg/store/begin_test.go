package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// stubborn is a vault in which nothing can be saved, or nothing can be forgotten.
type stubborn struct {
	vault
	setErr, removeErr error
}

func (s stubborn) set(ctx context.Context, name string, value []byte) error {
	if s.setErr != nil {
		return s.setErr
	}
	return s.vault.set(ctx, name, value)
}

func (s stubborn) remove(ctx context.Context, name string) error {
	if s.removeErr != nil {
		return s.removeErr
	}
	return s.vault.remove(ctx, name)
}

// loginOf is what a person's login brings.
func loginOf(person string) token.Set {
	now := time.Now()
	return token.Set{
		IDToken: token.IDToken{Raw: token.NewSecret("id-" + person), Issued: now, Expiry: now.Add(time.Hour), Issuer: key.Issuer, Audience: []string{key.ClientID}},
		Session: token.Session{RefreshToken: token.NewSecret("rt-" + person), Subject: person},
	}
}

// After bob's login nothing of alice's is served, whatever fails; or else the login says so. A process that is killed between
// two saves leaves what it leaves where the second one fails.
func TestBeginLeavesNothingOfTheLoginBefore(t *testing.T) {
	t.Parallel()
	full, taken := errors.New("no space left on device"), errors.New("used by another process")
	const nobody = ""
	for name, test := range map[string]struct {
		sessions, idTokens stubborn
		withoutSession     bool // bob's login brings no refresh token
		session, idToken   string
		fails, notReplaced bool
	}{
		"all works":                                    {session: "rt-bob", idToken: "id-bob"},
		"no ID token can be saved":                     {idTokens: stubborn{setErr: full}, session: "rt-bob", idToken: nobody, fails: true},
		"no session can be saved":                      {sessions: stubborn{setErr: full}, session: nobody, idToken: "id-bob", fails: true},
		"nothing can be saved":                         {sessions: stubborn{setErr: full}, idTokens: stubborn{setErr: full}, fails: true},
		"nothing can be forgotten, but it is replaced": {sessions: stubborn{removeErr: taken}, idTokens: stubborn{removeErr: taken}, session: "rt-bob", idToken: "id-bob"},
		"the ID token can neither be forgotten nor be replaced": {
			idTokens: stubborn{removeErr: taken, setErr: full}, session: "rt-bob", idToken: "id-alice", fails: true, notReplaced: true,
		},
		"the session can neither be forgotten nor be replaced": {
			sessions: stubborn{removeErr: taken, setErr: full}, session: "rt-alice", idToken: "id-bob", fails: true, notReplaced: true,
		},
		"the session cannot be forgotten, and there is no other": {
			sessions: stubborn{removeErr: taken}, withoutSession: true, session: "rt-alice", idToken: "id-bob", fails: true, notReplaced: true,
		},
		"there is no other session": {withoutSession: true, session: nobody, idToken: "id-bob"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := openStore(t, Config{Mode: Disk, Directory: t.TempDir(), Locks: t.TempDir()})
			if err := store.Begin(t.Context(), key, loginOf("alice")); err != nil {
				t.Fatal(err)
			}
			test.sessions.vault, test.idTokens.vault = store.sessions, store.idTokens
			store.sessions, store.idTokens = test.sessions, test.idTokens
			bob := loginOf("bob")
			if test.withoutSession {
				bob.Session.RefreshToken = token.Secret{}
			}
			err := store.Begin(t.Context(), key, bob)
			if (err != nil) != test.fails || errors.Is(err, token.ErrNotReplaced) != test.notReplaced {
				t.Errorf("got error %v", err)
			}
			session, _ := store.Session(t.Context(), key)
			if got := session.RefreshToken.Reveal(); got != test.session {
				t.Errorf("expected session %q, got %q", test.session, got)
			}
			idToken, _ := store.IDToken(t.Context(), key)
			if got := idToken.Raw.Reveal(); got != test.idToken {
				t.Errorf("expected ID token %q, got %q", test.idToken, got)
			}
		})
	}
}
