package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
			notes := newThreePlaces(t).notes
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
				want = append(want, notes.name(nameOfSession, note))
			}
			if !slices.Equal(names, want) {
				t.Errorf("expected %q, got %q", want, names)
			}
		})
	}
}

// A note is changed in the folder where it is, so that a full disk or another folder's state cannot keep both or none.
func TestKeychainNoteChangesInItsFolder(t *testing.T) {
	t.Parallel()
	home, fallback := t.TempDir(), filepath.Join(t.TempDir(), "fallback")
	store := openStore(t, Config{Mode: Auto, Locks: home, FallbackLocks: fallback, Keychain: refusingKeychain()})
	if err := (folders{{path: fallback}}).write(notesOf(store).name(nameOfSession, heldNote), nil); err != nil {
		t.Fatal(err)
	}
	if err := notesOf(store).spend(nameOfSession); err != nil || !notesOf(store).isSpent(nameOfSession) {
		t.Errorf("it is not spent: %v", err)
	}
	if err := notesOf(store).hold(nameOfSession); err != nil || !notesOf(store).isHeld(nameOfSession) {
		t.Errorf("it is not held: %v", err)
	}
	if made, err := os.ReadDir(home); err != nil || len(made) > 0 {
		t.Errorf("a note is elsewhere now: %v, %v", made, err)
	}
}

// notesOf are those on the keychain.
func notesOf(store *Store) keychainNotes { return store.places[0].(*noted).notes }

// obstruct keeps a note from being made.
func obstruct(t *testing.T, config Config, note string) {
	t.Helper()
	name := notesOf(openStore(t, config)).name(sessionName(key), note)
	if err := os.MkdirAll(filepath.Join(config.Locks, name, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// Who is told that a session is not used any more must be able to rely on it.
func TestKeychainNoteThatCannotBeSpent(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*Store) error{
		"logout": func(store *Store) error {
			held, err := store.Holdings(context.Background(), key)
			if err != nil || held.Unread == nil {
				return nil
			}
			return store.Forget(context.Background(), key, held)
		},
		"clean": func(store *Store) error { _, err := store.Clean(context.Background()); return err },
		"end":   func(store *Store) error { return store.End(context.Background(), key) },
	} {
		config := Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: newMapKeychain(0).items()}
		beginSession(t, openStore(t, config), "refresh")
		config.Keychain = refusingKeychain()
		obstruct(t, config, spentNote)
		if err := do(openStore(t, config)); !errors.Is(err, errNote) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A new session that would not be found in the keychain has another place.
func TestKeychainNoteThatStaysSpent(t *testing.T) {
	t.Parallel()
	items := newMapKeychain(0)
	config := Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: items.items()}
	beginSession(t, openStore(t, config), "old")
	config.Keychain = refusingKeychain()
	if err := openStore(t, config).End(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	obstruct(t, config, heldNote)
	config.Keychain = items.items()
	config.Keychain.Delete = refusingKeychain().Delete // else the note goes before the new session comes
	store := openStore(t, config)
	beginSession(t, store, "new")
	if session, err := store.Session(t.Context(), key); err != nil || session.RefreshToken.Reveal() != "new" {
		t.Errorf("the new session is lost: %v", err)
	}
	if place := store.PlaceOf(t.Context(), key); place != InFile {
		t.Errorf("it is in the %s", place)
	}
}

func machine(id string) func() (string, error) { return func() (string, error) { return id, nil } }

// A home can be that of several machines, while each has a keychain of its own.
func TestMachinesThatShareNotes(t *testing.T) {
	t.Parallel()
	for _, names := range [][2]string{{"desk.example.com", "rack"}, {"Desk", ""}, {"../desk", strings.Repeat("rack", 60)}} {
		items := newMapKeychain(0)
		desk := Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: items.items(), Machine: machine(names[0])}
		rack := desk
		rack.Machine, rack.Keychain = machine(names[1]), refusingKeychain()
		beginSession(t, openStore(t, desk), "desk")
		if _, err := openStore(t, rack).Session(t.Context(), key); !errors.Is(err, token.ErrNotFound) {
			t.Errorf("%q: this one never had it: %v", names, err)
		}
		beginSession(t, openStore(t, rack), "rack")
		if err := openStore(t, rack).End(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if _, err := openStore(t, desk).Session(t.Context(), key); err != nil {
			t.Errorf("%q: it is not used any more: %v", names, err)
		}
		rack.Keychain = newMapKeychain(0).items()
		if cleaned, err := openStore(t, rack).Clean(t.Context()); err != nil || len(cleaned.Foreign) > 0 {
			t.Errorf("%q: %+v, %v", names, cleaned, err)
		}
		locked := desk
		locked.Keychain = refusingKeychain()
		if _, err := openStore(t, locked).Session(t.Context(), key); !errors.Is(err, token.ErrUnreadSession) {
			t.Errorf("%q: nobody knows of it any more: %v", names, err)
		}
		if _, err := openStore(t, desk).Clean(t.Context()); err != nil || len(items.secrets) > 0 {
			t.Errorf("%q: left: %v, %v", names, items.secrets, err)
		}
		if left, err := os.ReadDir(desk.Locks); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: left: %v, %v", names, left, err)
		}
	}
}

// A process that dies while it saves leaves a note and perhaps no session, which must not keep anybody from a login.
func TestKeychainNoteWithoutSession(t *testing.T) {
	t.Parallel()
	config := Config{Mode: Auto, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: refusingKeychain()}
	func() {
		defer func() { _ = recover() }()
		notes := notesOf(openStore(t, config))
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
