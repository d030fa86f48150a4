// Package storetest is the conformance suite of token stores: what every place to keep tokens must do. It runs against
// each backend, and against the operating system's real keychain.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Run runs the suite. Open returns a store over one and the same place each time it is called within a test, as two
// processes would open it; keys are chosen by the suite so that nothing else in the place is touched.
func Run(t *testing.T, open func(testing.TB) token.Store) {
	for name, test := range map[string]func(*testing.T, suite){
		"nothing is ErrNotFound":        nothingIsNotFound,
		"what was saved is read":        savedIsRead,
		"a refresh replaces":            refreshReplaces,
		"a refresh without an ID token": refreshWithoutIDToken,
		"a login without a session":     loginWithoutSession,
		"end forgets the session alone": endForgetsSession,
		"holdings are all there is":     holdingsAreAll,
		"forget forgets all of a key":   forgetForgetsAll,
		"keys are apart":                keysAreApart,
		"large values":                  largeValues,
		"odd characters":                oddCharacters,
		"a shared lock excludes":        lockExcludes,
		"locks are apart":               locksAreApart,
		"a lock's wait ends":            lockWaitEnds,
	} {
		t.Run(name, func(t *testing.T) {
			key := token.Key{Issuer: "https://op.example/" + t.Name(), ClientID: "kubernetes", Scopes: []string{"openid"}}
			test(t, suite{open: func() token.Store { return open(t) }, key: key})
		})
	}
}

type suite struct {
	open func() token.Store
	key  token.Key
}

// set is what a login could bring. Times are whole seconds, as records keep them.
func (s suite) set(name string) token.Set {
	now := time.Unix(1_800_000_000, 0)
	return token.Set{
		IDToken: token.IDToken{
			Raw:      token.NewSecret("id-token-" + name),
			Issued:   now,
			Expiry:   now.Add(time.Minute),
			Issuer:   s.key.Issuer,
			Audience: []string{s.key.ClientID},
		},
		Session: token.Session{
			RefreshToken: token.NewSecret("refresh-token-" + name),
			Subject:      "alice",
			Audience:     []string{s.key.ClientID},
			Nonce:        "nonce",
			AuthTime:     now,
			IssuedAt:     now.Add(time.Second),
		},
	}
}

func nothingIsNotFound(t *testing.T, s suite) {
	store := s.open()
	if _, err := store.IDToken(t.Context(), s.key); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("ID token: expected ErrNotFound, got %v", err)
	}
	if _, err := store.Session(t.Context(), s.key); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("session: expected ErrNotFound, got %v", err)
	}
	if err := store.End(t.Context(), s.key); err != nil {
		t.Errorf("end of nothing: %v", err)
	}
}

func savedIsRead(t *testing.T, s suite) {
	want := s.set("first")
	begin(t, s, want)
	expectIDToken(t, s, want.IDToken)
	expectSession(t, s, want.Session)
}

func refreshReplaces(t *testing.T, s suite) {
	begin(t, s, s.set("first"))
	want := s.set("second")
	if err := s.open().Renew(t.Context(), s.key, want); err != nil {
		t.Fatal(err)
	}
	expectIDToken(t, s, want.IDToken)
	expectSession(t, s, want.Session)
}

func refreshWithoutIDToken(t *testing.T, s suite) {
	begin(t, s, s.set("first"))
	want := s.set("second").Session
	if err := s.open().Renew(t.Context(), s.key, token.Set{Session: want}); err != nil {
		t.Fatal(err)
	}
	expectIDToken(t, s, s.set("first").IDToken)
	expectSession(t, s, want)
}

func loginWithoutSession(t *testing.T, s suite) {
	begin(t, s, s.set("first"))
	want := s.set("second")
	want.Session.RefreshToken = token.Secret{}
	begin(t, s, want)
	expectIDToken(t, s, want.IDToken)
	if _, err := s.open().Session(t.Context(), s.key); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("the session of the login before is still there: %v", err)
	}
}

func endForgetsSession(t *testing.T, s suite) {
	want := s.set("first")
	begin(t, s, want)
	if err := s.open().End(t.Context(), s.key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.open().Session(t.Context(), s.key); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("expected ErrNotFound, got %v", err)
	}
	expectIDToken(t, s, want.IDToken)
}

func holdingsAreAll(t *testing.T, s suite) {
	want := s.set("first")
	begin(t, s, want)
	held, err := s.open().Holdings(t.Context(), s.key)
	if err != nil || len(held.Sessions) != 1 || len(held.IDTokens) != 1 {
		t.Fatalf("expected one of each, got %+v, %v", held, err)
	}
	expectSecret(t, "refresh token", held.Sessions[0].RefreshToken, want.Session.RefreshToken)
	expectSecret(t, "ID token", held.IDTokens[0].Raw, want.IDToken.Raw)
	forget(t, s)
}

func forgetForgetsAll(t *testing.T, s suite) {
	other := s
	other.key.Scopes = []string{"openid", "groups"}
	begin(t, other, other.set("other"))
	begin(t, s, s.set("first"))
	store := s.open()
	caller := token.Caller{PID: 1}
	for _, err := range []error{
		store.NoteAttempt(t.Context(), s.key, token.Attempt{Caller: caller}),
		store.NoteAnswer(t.Context(), s.key, token.Answer{Caller: caller, IDToken: token.NewSecret("x"), At: time.Now()}),
		store.NoteRefused(t.Context(), s.key, time.Now()),
		store.NoteUnreachable(t.Context(), s.key, time.Now()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	forget(t, s)
	forget(t, s) // what is not there is no error
	_, idTokenErr := s.open().IDToken(t.Context(), s.key)
	_, sessionErr := s.open().Session(t.Context(), s.key)
	_, attemptErr := s.open().Attempt(t.Context(), s.key)
	_, answerErr := s.open().Answer(t.Context(), s.key, caller, token.NewSecret("x"))
	_, refusedErr := s.open().Refused(t.Context(), s.key)
	_, unreachableErr := s.open().Unreachable(t.Context(), s.key)
	for what, err := range map[string]error{
		"ID token": idTokenErr, "session": sessionErr, "attempt": attemptErr, "answer": answerErr, "refused": refusedErr,
		"unreachable": unreachableErr,
	} {
		if !errors.Is(err, token.ErrNotFound) {
			t.Errorf("%s: expected ErrNotFound, got %v", what, err)
		}
	}
	expectIDToken(t, other, other.set("other").IDToken)
	expectSession(t, other, other.set("other").Session)
	forget(t, other)
}

func forget(t *testing.T, s suite) {
	t.Helper()
	store := s.open()
	held, err := store.Holdings(t.Context(), s.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Forget(t.Context(), s.key, held); err != nil {
		t.Fatal(err)
	}
}

func keysAreApart(t *testing.T, s suite) {
	first, second := s, s
	second.key.Scopes = []string{"openid", "groups"}
	begin(t, first, first.set("first"))
	begin(t, second, second.set("second"))
	if err := first.open().End(t.Context(), first.key); err != nil {
		t.Fatal(err)
	}
	expectSession(t, second, second.set("second").Session)
}

// largeValues shrink and grow, so that places which split values leave nothing behind and mix nothing up.
func largeValues(t *testing.T, s suite) {
	for _, size := range []int{100, 9_000, 2_500, 30_000, 1} {
		want := s.set("large")
		want.IDToken.Raw = token.NewSecret(strings.Repeat("i", size))
		want.Session.RefreshToken = token.NewSecret(strings.Repeat("r", size))
		if err := s.open().Renew(t.Context(), s.key, want); err != nil {
			t.Fatalf("%d octets: %v", size, err)
		}
		expectIDToken(t, s, want.IDToken)
		expectSession(t, s, want.Session)
	}
}

func oddCharacters(t *testing.T, s suite) {
	want := s.set("odd")
	want.Session.Subject = "álice \"'`$(x)\\ \U0001F600\n"
	want.Session.RefreshToken = token.NewSecret("é \"'`$(x)\\ \n\t end ")
	begin(t, s, want)
	expectSession(t, s, want.Session)
}

func lockExcludes(t *testing.T, s suite) {
	const callers = 8
	var holders, most int
	var mutex sync.Mutex
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			unlock, err := s.open().Lock(t.Context(), s.key, token.Refresh)
			if err != nil {
				t.Error(err)
				return
			}
			mutex.Lock()
			holders++
			most = max(most, holders)
			mutex.Unlock()
			_, _ = s.open().Session(t.Context(), s.key) // gives the others time to break in
			mutex.Lock()
			holders--
			mutex.Unlock()
			unlock()
		})
	}
	all.Wait()
	if most != 1 {
		t.Errorf("%d held the lock at once", most)
	}
}

func locksAreApart(t *testing.T, s suite) {
	other := s
	other.key.ClientID = "other"
	for _, lock := range []struct {
		key     token.Key
		purpose token.Purpose
	}{{s.key, token.Login}, {s.key, token.Refresh}, {other.key, token.Login}} {
		unlock, err := s.open().Lock(t.Context(), lock.key, lock.purpose)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
	}
}

func lockWaitEnds(t *testing.T, s suite) {
	unlock, err := s.open().Lock(t.Context(), s.key, token.Login)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if again, err := s.open().Lock(ctx, s.key, token.Login); err == nil {
		again()
		t.Error("the lock was had twice")
	}
	unlock()
	unlock, err = s.open().Lock(t.Context(), s.key, token.Login)
	if err != nil {
		t.Fatalf("the lock was given back, but cannot be had: %v", err)
	}
	unlock()
}

func begin(t *testing.T, s suite, set token.Set) {
	t.Helper()
	if err := s.open().Begin(t.Context(), s.key, set); err != nil {
		t.Fatal(err)
	}
}

func expectIDToken(t *testing.T, s suite, want token.IDToken) {
	t.Helper()
	got, err := s.open().IDToken(t.Context(), s.key)
	if err != nil {
		t.Fatalf("ID token: %v", err)
	}
	expectSecret(t, "ID token", got.Raw, want.Raw)
	got.Raw, want.Raw = token.Secret{}, token.Secret{}
	expectEqual(t, "ID token", got, want)
}

func expectSession(t *testing.T, s suite, want token.Session) {
	t.Helper()
	got, err := s.open().Session(t.Context(), s.key)
	if err != nil {
		t.Fatalf("session: %v", err)
	}
	expectSecret(t, "refresh token", got.RefreshToken, want.RefreshToken)
	got.RefreshToken, want.RefreshToken = token.Secret{}, token.Secret{}
	expectEqual(t, "session", got, want)
}

func expectSecret(t *testing.T, what string, got, want token.Secret) {
	t.Helper()
	if !got.Equal(want) {
		t.Errorf("%s: expected %.40q, got %.40q", what, want.Reveal(), got.Reveal())
	}
}

func expectEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: expected %s, got %s", what, fmt.Sprint(want), fmt.Sprint(got))
	}
}
