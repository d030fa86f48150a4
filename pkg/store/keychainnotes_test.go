package store

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// What the notes say after each thing that can happen to a session in the keychain.
func TestKeychainNotes(t *testing.T) {
	t.Parallel()
	set := func(v vault) error { return v.set(context.Background(), nameOfSession, []byte("value")) }
	remove := func(v vault) error { return v.remove(context.Background(), nameOfSession) }
	setIDToken := func(v vault) error { return v.set(context.Background(), "id"+idTokenEnd, []byte("value")) }
	type step struct {
		fails bool
		do    func(vault) error
	}
	for name, test := range map[string]struct {
		steps []step
		notes []string
	}{
		"saved":                        {[]step{{false, set}}, []string{heldNote}},
		"saved again":                  {[]step{{false, set}, {false, set}}, []string{heldNote}},
		"not saved":                    {[]step{{true, set}}, nil},
		"not saved again":              {[]step{{false, set}, {true, set}}, []string{heldNote}},
		"removed":                      {[]step{{false, set}, {false, remove}}, nil},
		"not removed":                  {[]step{{false, set}, {true, remove}}, []string{spentNote}},
		"not removed, then saved":      {[]step{{false, set}, {true, remove}, {false, set}}, []string{heldNote}},
		"not removed, then not saved":  {[]step{{false, set}, {true, remove}, {true, set}}, []string{spentNote}},
		"removed at last":              {[]step{{false, set}, {true, remove}, {true, remove}, {false, remove}}, nil},
		"never there, and not removed": {[]step{{true, remove}}, nil},
		"an ID token can be had again": {[]step{{false, setIDToken}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			notes := newThreePlaces(t).chain.notes
			works := newMapKeychain(0)
			for _, step := range test.steps {
				items := works.items()
				if step.fails {
					items = refusingKeychain()
				}
				err := step.do(&noted{newKeychain(InKeychain, items), notes})
				if failed := err != nil; failed != step.fails {
					t.Errorf("expected a failure: %t, got %v", step.fails, err)
				}
			}
			entries, err := os.ReadDir(notes.folders[0].path)
			if err != nil {
				t.Fatal(err)
			}
			var names, want []string
			for _, entry := range entries {
				names = append(names, entry.Name())
			}
			for _, note := range test.notes {
				want = append(want, "id."+note)
			}
			if !slices.Equal(names, want) {
				t.Errorf("expected %q, got %q", want, names)
			}
		})
	}
}

// A process that dies while it saves leaves a note and perhaps no session, which must not keep anybody from a login.
func TestKeychainNoteWithoutSession(t *testing.T) {
	t.Parallel()
	config := Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: refusingKeychain()}
	func() {
		defer func() { _ = recover() }()
		notes := openStore(t, config).notes
		_ = (&noted{&dying{}, notes}).set(t.Context(), sessionName(key), nil)
	}()
	if _, err := openStore(t, config).Session(t.Context(), key); err == nil || errors.Is(err, token.ErrNotFound) {
		t.Errorf("it may be there: %v", err)
	}
	config.Keychain = newMapKeychain(0).items()
	store := openStore(t, config)
	if _, err := store.Session(t.Context(), key); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("it is not there: %v", err)
	}
	beginSession(t, store, "refresh")
	if _, err := store.Session(t.Context(), key); err != nil {
		t.Error(err)
	}
}

// dying is a vault in which the process dies.
type dying struct{ memory }

func (*dying) set(context.Context, string, []byte) error { panic("killed") }
