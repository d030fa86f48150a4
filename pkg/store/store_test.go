package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store/storetest"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

var key = token.Key{Issuer: "https://op.example", ClientID: "kubernetes", Scopes: []string{"openid"}}

func TestConformance(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-08", "STO-10", "STO-12")
	for name, keychain := range map[string]func() Keychain{
		"auto/keychain works":    func() Keychain { return newMapKeychain(0).items() },
		"auto/keychain refuses":  refusingKeychain,
		"keyring/any size":       func() Keychain { return newMapKeychain(0).items() },
		"keyring/small items":    func() Keychain { return newMapKeychain(500).items() },
		"disk/no keychain asked": func() Keychain { return Keychain{Get: func(string, string) (string, error) { panic("asked") }} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mode, _, _ := strings.Cut(name, "/")
			directory, locks, items := t.TempDir(), t.TempDir(), keychain()
			storetest.Run(t, func(t testing.TB) token.Store {
				return openStore(t, Config{Mode: Mode(mode), Directory: directory, Locks: locks, Keychain: items})
			})
		})
	}
}

// openStore fills in what a test does not care for.
func openStore(t testing.TB, config Config) *Store {
	t.Helper()
	config.Now = time.Now
	config.Log = slog.New(slog.DiscardHandler)
	if config.KernelKeyring.Get == nil {
		config.KernelKeyring = refusingKeychain() // the real one is the person's
	}
	if config.Warn == nil {
		config.Warn = func(error) {}
	}
	if config.Waiting == nil {
		config.Waiting = func(Holder) {}
	}
	store, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// mapKeychain is a keychain in a map. Its writes can be made to fail after a number of them.
type mapKeychain struct {
	mutex   sync.Mutex
	secrets map[string]string
	maxItem int
	writes  int // allowed before failing; negative: any
}

func newMapKeychain(maxItem int) *mapKeychain {
	return &mapKeychain{secrets: map[string]string{}, maxItem: maxItem, writes: -1}
}

func (m *mapKeychain) items() Keychain {
	return Keychain{Get: m.get, Set: m.set, Delete: m.delete, MaxItem: m.maxItem}
}

func (m *mapKeychain) get(_, user string) (string, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	secret, ok := m.secrets[user]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return secret, nil
}

func (m *mapKeychain) set(_, user, secret string) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.maxItem > 0 && len(secret) > m.maxItem {
		return keyring.ErrSetDataTooBig
	}
	if m.writes == 0 {
		return errors.New("no more writes")
	}
	m.writes--
	m.secrets[user] = secret
	return nil
}

func (m *mapKeychain) delete(_, user string) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if _, ok := m.secrets[user]; !ok {
		return keyring.ErrNotFound
	}
	delete(m.secrets, user)
	return nil
}

func refusingKeychain() Keychain { return failingKeychain(errors.New("locked")) }

func failingKeychain(err error) Keychain {
	return Keychain{
		Get:    func(string, string) (string, error) { return "", err },
		Set:    func(string, string, string) error { return err },
		Delete: func(string, string) error { return err },
	}
}

// A write of a split value that stops anywhere leaves the old value, the new one, or nothing: never a mixture.
func TestTornWriteOfASplitValue(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-04")
	before, after := strings.Repeat("a", 25), strings.Repeat("b", 35)
	for writes := range 8 {
		items := newMapKeychain(10)
		items.maxItem = 100 // the header is longer than this test's parts
		vault := &splitting{items: &keychain{items: items.items()}, most: 10}
		if err := vault.set(t.Context(), "name", []byte(before)); err != nil {
			t.Fatal(err)
		}
		items.writes = writes
		err := vault.set(t.Context(), "name", []byte(after))
		got, readErr := vault.get(t.Context(), "name")
		if readErr != nil {
			t.Errorf("after %d writes: %v", writes, readErr)
		}
		if want := map[bool]string{true: after, false: before}[err == nil]; string(got) != want {
			t.Errorf("after %d writes and error %v: expected %q, got %q", writes, err, want, got)
		}
	}
}

// Parts of an old value do not stay in the keychain.
func TestSplitValueLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	items := newMapKeychain(100)
	vault := newKeychain(InKeychain, items.items())
	for _, size := range []int{1000, 250, 20, 500} {
		if err := vault.set(t.Context(), "name", []byte(strings.Repeat("x", size))); err != nil {
			t.Fatal(err)
		}
	}
	if len(items.secrets) != 6 {
		t.Errorf("expected a header and five parts, got %d items", len(items.secrets))
	}
	if err := vault.remove(t.Context(), "name"); err != nil {
		t.Fatal(err)
	}
	if len(items.secrets) != 0 {
		t.Errorf("expected nothing, got %d items", len(items.secrets))
	}
}

// A keychain that hangs is waited for two seconds, once in the life of the process.
func TestHangingKeychainIsGivenUpOnce(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-13")
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		hang := func() error { <-never; return nil }
		vault := newKeychain(InKeychain, Keychain{
			Get:    func(string, string) (string, error) { return "", hang() },
			Set:    func(string, string, string) error { return hang() },
			Delete: func(string, string) error { return hang() },
		})
		started := time.Now()
		for range 3 {
			if _, err := vault.get(t.Context(), "name"); err == nil || errors.Is(err, token.ErrNotFound) {
				t.Errorf("expected a failure that is not ErrNotFound, got %v", err)
			}
		}
		if waited := time.Since(started); waited != keychainTimeout {
			t.Errorf("expected to wait %s in all, waited %s", keychainTimeout, waited)
		}
		close(never)
	})
}

// Who interrupts a call that waits for the keychain has not made it silent, and is told nothing of the kind.
func TestKeychainIsInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		items := newMapKeychain(0).items()
		items.Get = func(string, string) (string, error) { <-never; return "", keyring.ErrNotFound }
		vault := newKeychain(InKeychain, items)
		ctx, interrupt := context.WithCancelCause(t.Context())
		interrupted := errors.New("interrupted")
		time.AfterFunc(time.Second, func() { interrupt(interrupted) })
		started := time.Now()
		if _, err := vault.get(ctx, "name"); !errors.Is(err, interrupted) || time.Since(started) != time.Second {
			t.Errorf("after %s: %v", time.Since(started), err)
		}
		close(never)
		if _, err := vault.get(t.Context(), "name"); !errors.Is(err, token.ErrNotFound) {
			t.Errorf("it answers again, but: %v", err)
		}
	})
}

// A split value that does not fit leaves nothing behind, and leaves alone what was there.
func TestSplitValueThatDoesNotFit(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-10")
	items := newMapKeychain(100)
	vault := newKeychain(InKeychain, items.items())
	before := strings.Repeat("a", 250)
	if err := vault.set(t.Context(), "name", []byte(before)); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{strings.Repeat("b", 400), before} {
		items.writes = 2
		if err := vault.set(t.Context(), "name", []byte(value)); err == nil {
			t.Error("expected a failure")
		}
		if got, err := vault.get(t.Context(), "name"); err != nil || string(got) != before {
			t.Errorf("expected the old value, got %q, %v", got, err)
		}
		if len(items.secrets) != 4 {
			t.Errorf("expected a header and three parts, got %d items", len(items.secrets))
		}
	}
}

// A file is for its owner alone, and is replaced in one step.
func TestDiskFiles(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-01")
	directory := filepath.Join(t.TempDir(), "deep", "below")
	vault := &disk{directory: directory}
	if err := vault.set(t.Context(), "id/session", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(directory)
	if err != nil || len(entries) != 1 || entries[0].Name() != "id.session.json" {
		t.Fatalf("expected one file, got %v, %v", entries, err)
	}
	for path, want := range map[string]fs.FileMode{directory: 0o700 | fs.ModeDir, filepath.Join(directory, "id.session.json"): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != want && hasModes {
			t.Errorf("%s: expected mode %v, got %v, %v", path, want, info.Mode(), err)
		}
	}
}

// hasModes is whether modes of files keep others out. On Windows the access list of a person's folder does.
const hasModes = runtime.GOOS != "windows"

// Who reads a record while it is replaced finds the old text or the new one, whole: a call that is served from the store
// takes no lock. Each text says by its letter how long it must be.
func TestDiskReplacesWhileOthersRead(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-04")
	const (
		readers      = 3
		replacements = 60
	)
	texts := []string{strings.Repeat("a", 900_000), strings.Repeat("b", 70_000), strings.Repeat("c", 400_000)}
	for _, lossy := range []bool{false, true} {
		vault := &disk{directory: t.TempDir(), lossy: lossy}
		write := func(turn int) error { return vault.set(t.Context(), "name", []byte(texts[turn%len(texts)])) }
		if err := write(0); err != nil {
			t.Fatal(err)
		}
		written := make(chan struct{})
		var all sync.WaitGroup
		for range readers {
			all.Go(func() { readUntil(t, written, vault, texts) })
		}
		for turn := range replacements {
			if err := write(turn); err != nil {
				t.Error(err)
			}
		}
		close(written)
		all.Wait()
	}
}

// readUntil reads a record again and again until its writer has ended, and once more.
func readUntil(t *testing.T, written <-chan struct{}, vault *disk, texts []string) {
	for last := false; !last; {
		select {
		case <-written:
			last = true
		default:
		}
		if got, err := vault.get(t.Context(), "name"); err != nil || !slices.Contains(texts, string(got)) {
			t.Errorf("lossy=%t: expected a whole record, got %d octets, %v", vault.lossy, len(got), err)
			return
		}
	}
}

// Broken, foreign and future records are passed over with a word, and never a dead end.
func TestUnreadableRecords(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "IDT-27", "STO-05")
	for name, text := range map[string]string{
		"not JSON":        `{"version":1,"refresh_token":"x`,
		"empty":           ``,
		"another version": `{"version":2,"refresh_token":"x","subject":"alice","id_token":"x","expiry":9}`,
		"incomplete":      ofKey(`{"version":1,"subject":"alice"}`),
		"another issuer":  ofKey(`{"version":1,"id_token":"x","issued":1,"expiry":2,"issuer":"https://evil.example","audience":["kubernetes"]}`),
		"another client":  ofKey(`{"version":1,"id_token":"x","issued":1,"expiry":2,"issuer":"https://op.example","audience":["evil"]}`),
		"without a login": `{"version":1,"refresh_token":"x","subject":"alice","id_token":"x","issued":1,"expiry":2,"issuer":"https://op.example","audience":["kubernetes"]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			for _, kind := range []string{"session", "id-token"} {
				if err := os.WriteFile(filepath.Join(directory, key.ID()+"."+kind+".json"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var warnings []error
			store := openStore(t, Config{Mode: Disk, Directory: directory, Warn: func(err error) { warnings = append(warnings, err) }})
			if _, err := store.Session(t.Context(), key); !errors.Is(err, token.ErrNotFound) {
				t.Errorf("session: expected ErrNotFound, got %v", err)
			}
			if _, err := store.IDToken(t.Context(), key); !errors.Is(err, token.ErrNotFound) {
				t.Errorf("ID token: expected ErrNotFound, got %v", err)
			}
			if len(warnings) != 2 {
				t.Errorf("expected a word for each, got %v", warnings)
			}
		})
	}
}

// A record counts for the login that it was stored for, whatever name somebody has given it since: a refresh token never
// goes to another provider, and nobody is taken for another account.
func TestRecordsOfAnotherLogin(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "IDT-27")
	for _, other := range othersThan(key) {
		directory, items := t.TempDir(), newMapKeychain(0)
		for _, mode := range []Mode{Disk, Keyring} {
			var warnings []error
			store := openStore(t, Config{Mode: mode, Directory: directory, Locks: t.TempDir(), Keychain: items.items(),
				Warn: func(err error) { warnings = append(warnings, err) }})
			if err := store.Begin(t.Context(), key, setOf(key)); err != nil {
				t.Fatal(err)
			}
			for _, kind := range []string{"session", "id-token"} {
				path := filepath.Join(directory, key.ID()+"."+kind+".json")
				if err := os.Rename(path, strings.Replace(path, key.ID(), other.ID(), 1)); err != nil && mode == Disk {
					t.Fatal(err)
				}
				items.secrets[other.ID()+"/"+kind] = items.secrets[key.ID()+"/"+kind]
			}
			if _, err := store.Session(t.Context(), other); !errors.Is(err, token.ErrNotFound) {
				t.Errorf("%s: session: expected ErrNotFound, got %v", mode, err)
			}
			if _, err := store.IDToken(t.Context(), other); !errors.Is(err, token.ErrNotFound) {
				t.Errorf("%s: ID token: expected ErrNotFound, got %v", mode, err)
			}
			if held, err := store.Holdings(t.Context(), other); err != nil || len(held.Sessions)+len(held.IDTokens) > 0 {
				t.Errorf("%s: expected nothing to revoke, got %+v, %v", mode, held, err)
			}
			if want := "a stored record is passed over: record belongs to another login"; len(warnings) != 4 || warnings[0].Error() != want {
				t.Errorf("%s: expected a word for each, got %v", mode, warnings)
			}
		}
	}
}

// setOf is what a login brings.
func setOf(key token.Key) token.Set {
	return token.Set{
		IDToken: token.IDToken{
			Raw: token.NewSecret("id-token"), Issued: time.Now(), Expiry: time.Now().Add(time.Minute),
			Issuer: key.Issuer, Audience: []string{key.ClientID},
		},
		Session:     token.Session{RefreshToken: token.NewSecret("refresh-token"), Subject: "alice"},
		AccessToken: token.NewSecret("access-token"),
	}
}

// Who waits for longer than a second hears for whom.
func TestWaitingIsTold(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-08")
	locks := t.TempDir()
	holder := openStore(t, Config{Mode: Disk, Locks: locks})
	unlock, err := holder.Lock(t.Context(), key, token.Login)
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan Holder, 1)
	waiter := openStore(t, Config{Mode: Disk, Locks: locks, Waiting: func(h Holder) { told <- h; unlock() }})
	unlockAgain, err := waiter.Lock(t.Context(), key, token.Login)
	if err != nil {
		t.Fatal(err)
	}
	unlockAgain()
	if got := <-told; got.PID != os.Getpid() || got.Purpose != token.Login || time.Since(got.Since) > time.Minute {
		t.Errorf("expected this process, got %+v", got)
	}
}

// Who gives up waiting says for whom it was, as far as that is known.
func TestWaitInVain(t *testing.T) {
	t.Parallel()
	locks := t.TempDir()
	store := openStore(t, Config{Mode: Disk, Locks: locks})
	unlock, err := store.Lock(t.Context(), key, token.Login)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	waitInVain := func() string {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := store.Lock(ctx, key, token.Login)
		return fmt.Sprint(err)
	}
	if got := waitInVain(); !strings.HasPrefix(got, fmt.Sprintf("lock: process %d has held it since ", os.Getpid())) {
		t.Errorf("expected this process, got %q", got)
	}
	if err := os.Remove(filepath.Join(locks, key.ID()+".login.lock.holder")); err != nil {
		t.Fatal(err)
	}
	if got := waitInVain(); got != "lock: another process holds it" {
		t.Errorf("expected some process, got %q", got)
	}
}

// Who waits for a refresh waits for the provider; who waits for a login does not.
func TestWaitInVainForTheProvider(t *testing.T) {
	t.Parallel()
	for purpose, want := range map[token.Purpose]token.Kind{token.Refresh: token.Unreachable, token.Login: token.Failed} {
		synctest.Test(t, func(t *testing.T) {
			store := openStore(t, Config{Mode: Disk, Locks: t.TempDir()})
			unlock, err := store.Lock(t.Context(), key, purpose)
			if err != nil {
				t.Fatal(err)
			}
			defer unlock()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err = store.Lock(ctx, key, purpose)
			var failure *token.Error
			if !errors.As(err, &failure) || failure.Kind != want {
				t.Errorf("%s: got %v", purpose, err)
			}
		})
	}
}

// Where the home can have no lock, the fallback folder has; where that cannot either, or is somebody else's, it is said.
func TestFallbackLocks(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fallback := filepath.Join(t.TempDir(), "fallback")
	store := openStore(t, Config{Mode: Disk, Locks: filepath.Join(file, "locks"), FallbackLocks: fallback})
	unlock, err := store.Lock(t.Context(), key, token.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	unlock()

	if !hasModes {
		return
	}
	if err := os.Chmod(fallback, 0o777); err != nil { //nolint:gosec // what a stranger may have prepared
		t.Fatal(err)
	}
	_, err = store.Lock(t.Context(), key, token.Refresh)
	if !errors.Is(err, token.ErrNoLock) || !strings.Contains(err.Error(), "belongs to somebody else") {
		t.Errorf("expected no lock in a folder open to all, got %v", err)
	}
}

// The notes about calls are found again by the same caller alone, and hold no token.
func TestNotes(t *testing.T) {
	t.Parallel()
	locks := t.TempDir()
	store := openStore(t, Config{Mode: Disk, Locks: locks})
	if _, err := store.Attempt(t.Context(), key); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("attempt: expected ErrNotFound, got %v", err)
	}
	kubectl := token.Caller{PID: 7, Started: "then", Server: "https://c.example"}
	now := time.Now()
	attempt := token.Attempt{Caller: kubectl, At: now}
	answer := token.Answer{Caller: kubectl, IDToken: token.NewSecret("the.id.token"), Told: now.Add(time.Minute), At: now}
	if err := errors.Join(
		store.NoteAttempt(t.Context(), key, attempt),
		store.NoteAnswer(t.Context(), key, answer),
		store.NoteRefused(t.Context(), key, now),
	); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Attempt(t.Context(), key); err != nil || got.Caller != kubectl || !got.At.Equal(now) {
		t.Errorf("attempt: got %+v, %v", got, err)
	}
	if got, err := store.Answer(t.Context(), key, kubectl, answer.IDToken); err != nil || !got.At.Equal(now) || !got.Told.Equal(answer.Told) {
		t.Errorf("answer: got %+v, %v", got, err)
	}
	if got, err := store.Refused(t.Context(), key); err != nil || !got.Equal(now) {
		t.Errorf("refused: got %v, %v", got, err)
	}
	for name, other := range map[string]struct {
		caller token.Caller
		text   string
	}{
		"process": {token.Caller{PID: 8, Started: "then", Server: kubectl.Server}, "the.id.token"},
		"start":   {token.Caller{PID: 7, Started: "later", Server: kubectl.Server}, "the.id.token"},
		"cluster": {token.Caller{PID: 7, Started: "then", Server: "https://d.example"}, "the.id.token"},
		"token":   {kubectl, "another.id.token"},
	} {
		if _, err := store.Answer(t.Context(), key, other.caller, token.NewSecret(other.text)); !errors.Is(err, token.ErrNotFound) {
			t.Errorf("another %s was taken for the same: %v", name, err)
		}
	}
	if err := store.Begin(t.Context(), key, token.Set{}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Attempt(t.Context(), key); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("a login that succeeded does not end the attempt: %v", err)
	}
	for range 500 {
		if err := store.NoteAnswer(t.Context(), key, answer); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(locks, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if len(text) > 2*maxAnswers || strings.Contains(string(text), "the.id.token") {
			t.Errorf("%s has %d octets, or the token", path, len(text))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Notes lie where locks can lie. What a folder says that cannot be written any more is out of date, and what somebody else
// has put into a place open to all is not believed.
func TestNotesFollowTheFallback(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fallback := filepath.Join(t.TempDir(), "fallback")
	answer := token.Answer{Caller: token.Caller{PID: 7}, IDToken: token.NewSecret("x"), Told: time.Now(), At: time.Now()}
	for _, locks := range []string{filepath.Join(file, "locks"), ""} {
		store := openStore(t, Config{Mode: Disk, Locks: locks, FallbackLocks: fallback})
		if _, err := store.Answer(t.Context(), key, answer.Caller, answer.IDToken); err == nil {
			t.Errorf("%q: nothing was noted yet", locks)
		}
		if err := errors.Join(
			store.NoteAttempt(t.Context(), key, token.Attempt{At: time.Now()}),
			store.NoteAnswer(t.Context(), key, answer),
			store.NoteAnswer(t.Context(), key, answer),
		); err != nil {
			t.Fatal(err)
		}
		_, attemptErr := store.Attempt(t.Context(), key)
		_, answerErr := store.Answer(t.Context(), key, answer.Caller, answer.IDToken)
		if attemptErr != nil || answerErr != nil {
			t.Errorf("%q: %v, %v", locks, attemptErr, answerErr)
		}
		if err := os.Chmod(fallback, 0o777); err != nil { //nolint:gosec // what a stranger may have prepared
			t.Fatal(err)
		}
		if _, err := store.Attempt(t.Context(), key); hasModes && err == nil {
			t.Errorf("%q: a stranger's note is believed", locks)
		}
		if err := store.NoteAnswer(t.Context(), key, answer); hasModes && err == nil {
			t.Errorf("%q: a note is left with strangers", locks)
		}
		if err := os.Chmod(fallback, 0o700); err != nil { //nolint:gosec // a folder
			t.Fatal(err)
		}
		store.forgetNotes(key)
		if left, err := os.ReadDir(fallback); err != nil || len(left) > 0 {
			t.Errorf("%q: left: %v, %v", locks, left, err)
		}
	}
}

// Without anything to share there is nothing to lock: a read-only home does not matter.
func TestNoneNeedsNoFolder(t *testing.T) {
	t.Parallel()
	store := openStore(t, Config{Mode: None, Directory: "/nowhere", Locks: "/nowhere"})
	unlock, err := store.Lock(t.Context(), key, token.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// What is never found again needs no note. A login that was asked for does: kubectl runs a failing plugin five times.
func TestNoneLeavesNoUselessNotes(t *testing.T) {
	t.Parallel()
	locks := t.TempDir()
	store := openStore(t, Config{Mode: None, Locks: locks})
	if err := errors.Join(
		store.NoteAnswer(t.Context(), key, token.Answer{Caller: token.Caller{PID: 7}, IDToken: token.NewSecret("x"), At: time.Now()}),
		store.NoteUnreachable(t.Context(), key, time.Now()),
		store.NoteAttempt(t.Context(), key, token.Attempt{At: time.Now()}),
	); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(locks)
	if err != nil || len(entries) != 1 || entries[0].Name() != key.ID()+".attempt" {
		t.Errorf("expected the attempt alone, got %v, %v", entries, err)
	}
}

// A process that is killed while it writes leaves a file with a token in it. The next save removes it, but not that of a
// process that may still be writing.
func TestDiskSweepsWhatTheKilledLeft(t *testing.T) {
	t.Parallel()
	disk := &disk{directory: t.TempDir()}
	left := filepath.Join(disk.directory, ".new-123")
	fresh := filepath.Join(disk.directory, ".new-456")
	for _, path := range []string{left, fresh} {
		if err := os.WriteFile(path, []byte("token"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * staleAfter)
	if err := os.Chtimes(left, long, long); err != nil {
		t.Fatal(err)
	}
	if err := disk.set(t.Context(), "name", []byte("value")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old file is still there: %v", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("the fresh file is gone: %v", err)
	}
}

func TestPlaceOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mode             Mode
		keychain, kernel Keychain
		want             Place
	}{
		"auto":                             {Auto, newMapKeychain(0).items(), refusingKeychain(), InKeychain},
		"auto, split":                      {Auto, newMapKeychain(120).items(), refusingKeychain(), InKeychain},
		"auto without keychain":            {Auto, refusingKeychain(), newMapKeychain(0).items(), InKernelKeyring},
		"auto with nothing of the kind":    {Auto, refusingKeychain(), refusingKeychain(), InFile},
		"keyring":                          {Keyring, newMapKeychain(0).items(), refusingKeychain(), InKeychain},
		"disk, whatever the keychain does": {Disk, newMapKeychain(0).items(), newMapKeychain(0).items(), InFile},
		"none":                             {None, newMapKeychain(0).items(), newMapKeychain(0).items(), InMemory},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := openStore(t, Config{
				Mode: test.mode, Directory: t.TempDir(), Locks: t.TempDir(), Keychain: test.keychain, KernelKeyring: test.kernel,
			})
			session := token.Session{RefreshToken: token.NewSecret(strings.Repeat("x", 200)), Subject: "alice"}
			if err := store.Begin(t.Context(), key, token.Set{Session: session}); err != nil {
				t.Fatal(err)
			}
			if got := store.PlaceOf(t.Context(), key); got != test.want {
				t.Errorf("expected %q, got %q", test.want, got)
			}
		})
	}
}

// An access token is for one request; it lies nowhere.
func TestAccessTokenIsNotStored(t *testing.T) {
	t.Parallel()
	directory, keychain := t.TempDir(), newMapKeychain(0)
	for _, mode := range []Mode{Disk, Keyring} {
		store := openStore(t, Config{Mode: mode, Directory: directory, Locks: t.TempDir(), Keychain: keychain.items()})
		set := setOf(key)
		if err := errors.Join(store.Begin(t.Context(), key, set), store.Renew(t.Context(), key, set)); err != nil {
			t.Fatal(err)
		}
	}
	texts := slices.Collect(maps.Values(keychain.secrets))
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(directory, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if len(texts) != 4 {
		t.Fatalf("expected four records, got %q", texts)
	}
	for _, text := range texts {
		if strings.Contains(text, "access-token") {
			t.Errorf("the access token is in %q", text)
		}
	}
}

// In keyring mode the keychain has the only copy: a save that takes its time is waited for, and the person hears of it.
func TestKeyringModeWaitsForASave(t *testing.T) {
	t.Parallel()
	items := newMapKeychain(0)
	config := Config{Mode: Keyring, Locks: t.TempDir(), Keychain: items.items()}
	beginSession(t, openStore(t, config), "old")
	synctest.Test(t, func(t *testing.T) {
		slow := config
		slow.Keychain.Set = func(service, user, secret string) error {
			time.Sleep(20 * time.Second)
			return items.set(service, user, secret)
		}
		var warnings []error
		slow.Warn = func(err error) { warnings = append(warnings, err) }
		renewed := token.Set{Session: token.Session{RefreshToken: token.NewSecret("new"), Subject: "alice"}}
		if err := openStore(t, slow).Renew(t.Context(), key, renewed); err != nil {
			t.Error(err)
		}
		const want = "the keychain has not taken the session yet; it may be asking in a window that you cannot see"
		if len(warnings) != 1 || warnings[0].Error() != want {
			t.Errorf("expected a word, got %v", warnings)
		}
	})
	if session, err := openStore(t, config).Session(t.Context(), key); err != nil || session.RefreshToken.Reveal() != "new" {
		t.Errorf("expected the new session, got %q, %v", session.RefreshToken.Reveal(), err)
	}
}

// A login is saved although the keychain was silent a moment ago: somebody may have unlocked it meanwhile.
func TestKeyringModeTriesASilentKeychain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		items := newMapKeychain(0)
		locked := items.items()
		unlocked := time.Now().Add(3 * time.Second)
		locked.Get = func(service, user string) (string, error) {
			time.Sleep(time.Until(unlocked))
			return items.get(service, user)
		}
		beginSession(t, openStore(t, Config{Mode: Keyring, Locks: t.TempDir(), Keychain: locked}), "refresh")
		if len(items.secrets) != 2 {
			t.Errorf("%d of the two items were saved", len(items.secrets))
		}
	})
}

// A rotated token that the keychain does not take leaves none that was spent.
func TestKeyringModeNeverGoesBack(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*Keychain){
		"it takes nothing": func(items *Keychain) { items.Set = refusingKeychain().Set },
		"it fails":         func(items *Keychain) { *items = refusingKeychain() },
		"it hangs": func(items *Keychain) {
			items.Set = func(string, string, string) error { time.Sleep(time.Hour); return errors.New("too late") }
		},
	} {
		for _, static := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				works := Config{Mode: Keyring, Locks: t.TempDir(), Keychain: newMapKeychain(0).items()}
				beginSession(t, openStore(t, works), "old")
				fails := works
				fail(&fails.Keychain)
				renewed := token.Set{Session: token.Session{RefreshToken: token.NewSecret("new"), Subject: "alice", Static: static}}
				if err := openStore(t, fails).Renew(t.Context(), key, renewed); err == nil {
					t.Errorf("%s: no error", name)
				}
				_, err := openStore(t, works).Session(t.Context(), key)
				if static != (err == nil) || !static && !errors.Is(err, token.ErrNotFound) {
					t.Errorf("%s, the old one can be used: %t: got %v", name, static, err)
				}
				time.Sleep(time.Hour) // until the call that was left behind has ended
			})
		}
	}
}
