package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Mode says where tokens lie.
type Mode string

const (
	// Auto keeps sessions in the OS keychain; where none answers, in the Linux kernel's keyring; where that does not work
	// either, in a file. ID tokens lie in files.
	Auto Mode = "auto"
	// Keyring keeps everything in the keychain and nothing on disk.
	Keyring Mode = "keyring"
	// Disk keeps everything in files.
	Disk Mode = "disk"
	// None keeps everything in the memory of this process.
	None Mode = "none"
)

// Modes are all modes, the default first.
func Modes() []Mode { return []Mode{Auto, Keyring, Disk, None} }

// Config says where tokens and locks lie.
type Config struct {
	Mode      Mode
	Directory string // for files: absolute; made with mode 0700 when first needed
	// Locks is a folder for locks and notes, one whatever Directory is: absolute; empty: none. It is the home's, while a keychain is
	// the OS user's: processes with different homes do not wait for each other.
	Locks string
	// FallbackLocks is one where Locks cannot be used, in a place open to all: absolute; empty: none. Where that is differs between
	// processes, too.
	FallbackLocks string
	// Machine tells this machine from others that share these folders. MachineID is the operating system's way.
	Machine       func() (string, error)
	Keychain      Keychain // the zero value is the operating system's
	KernelKeyring Keychain // the zero value is the Linux kernel's; other systems have none
	Now           func() time.Time
	// Warn tells the person what they should know although the call goes on.
	Warn func(error)
	// Waiting is told, once, when a lock has not been had for a second.
	Waiting func(Holder)
	Log     *slog.Logger
}

// Store is a token.Store.
type Store struct {
	config   Config
	folders  folders // for locks and notes
	machine  machineName
	idTokens vault
	sessions vault
	places   []vault // all in which the mode may have left something
}

// vault keeps small values by name.
type vault interface {
	// get returns the value, or token.ErrNotFound.
	get(ctx context.Context, name string) ([]byte, error)
	set(ctx context.Context, name string, value []byte) error
	// remove forgets a value; one that is not there is no error.
	remove(ctx context.Context, name string) error
	// place says where a value lies that get returned.
	place(ctx context.Context, name string) Place
}

// Open makes the store. It touches nothing yet.
func Open(config Config) (*Store, error) {
	store := &Store{config: config, folders: config.folders(), machine: config.machineName()}
	keychain := &noted{newKeychain(InKeychain, config.keychain()), notesOnKeychain(store.folders, store.machine, config.Log)}
	files := &disk{directory: config.Directory}
	idTokenFiles := &disk{directory: config.Directory, lossy: true} // one that is lost can be had again
	switch config.Mode {
	case Auto:
		sessions := &chain{places: []vault{unspent{keychain}, files}, warn: config.Warn, log: config.Log}
		store.sessions, store.places = sessions, []vault{keychain, files}
		if items := config.kernelKeyring(); items.Get != nil {
			notes := notesOnKernelKeyring(store.folders, store.machine, config.Log)
			kernel := &noted{newKeychain(InKernelKeyring, items), notes}
			sessions.places = slices.Insert(sessions.places, 1, vault(unspent{kernel}))
			store.places = slices.Insert(store.places, 1, vault(kernel))
		}
		store.idTokens = idTokenFiles
	case Keyring:
		store.idTokens, store.places = keychain, []vault{keychain}
		store.sessions = onlyKeychain{unspent{keychain}, config.Warn}
	case Disk:
		store.idTokens, store.sessions, store.places = idTokenFiles, files, []vault{files}
	case None:
		memory := &memory{}
		store.idTokens, store.sessions, store.places = memory, memory, []vault{memory}
	default:
		return nil, fmt.Errorf("unknown token cache storage %q", config.Mode)
	}
	return store, nil
}

func (c Config) keychain() Keychain {
	if c.Keychain.Get == nil {
		return systemKeychain()
	}
	return c.Keychain
}

func (c Config) kernelKeyring() Keychain {
	if c.KernelKeyring.Get == nil {
		return systemKernelKeyring()
	}
	return c.KernelKeyring
}

const (
	idTokenEnd = "/id-token"
	sessionEnd = "/session"
)

func idTokenName(key token.Key) string { return key.ID() + idTokenEnd }
func sessionName(key token.Key) string { return key.ID() + sessionEnd }

// IDToken implements token.Store.
func (s *Store) IDToken(ctx context.Context, key token.Key) (token.IDToken, error) {
	text, err := s.idTokens.get(ctx, idTokenName(key))
	if errors.Is(err, errNotOurs) {
		return token.IDToken{}, s.unreadable(err)
	}
	if err != nil {
		return token.IDToken{}, err
	}
	stored, err := decodeIDToken(text, key)
	if err != nil {
		return token.IDToken{}, s.unreadable(err)
	}
	return stored, nil
}

// Session implements token.Store.
func (s *Store) Session(ctx context.Context, key token.Key) (token.Session, error) {
	text, err := s.sessions.get(ctx, sessionName(key))
	if errors.Is(err, errNotOurs) {
		return token.Session{}, s.unreadable(err)
	}
	if err != nil {
		return token.Session{}, s.insists(err)
	}
	session, err := decodeSession(text, key)
	if err != nil {
		return token.Session{}, s.unreadable(err)
	}
	return session, nil
}

// Begin implements token.Store. What was there is forgotten first: a full disk or a crash must not leave what is another
// person's, and the new session may choose its place anew.
func (s *Store) Begin(ctx context.Context, key token.Key, set token.Set) error {
	idTokenStays := s.idTokens.remove(ctx, idTokenName(key))
	sessionStays := s.End(ctx, key)
	s.forgetAttempt(key)
	sessionErr, idTokenErr := s.saveSession(ctx, key, set), s.saveIDToken(ctx, key, set)
	if sessionErr == nil && !set.Session.RefreshToken.IsEmpty() {
		sessionStays = nil
	}
	if idTokenErr == nil && !set.IDToken.Raw.IsEmpty() {
		idTokenStays = nil
	}
	return errors.Join(notReplaced(cmp.Or(sessionStays, idTokenStays)), sessionErr, idTokenErr)
}

func notReplaced(cause error) error {
	if cause == nil {
		return nil
	}
	return token.WithHint(fmt.Errorf("%w: %w", token.ErrNotReplaced, cause),
		"You may be served as whoever was logged in. Mend that, and log in again.")
}

// Renew implements token.Store. The session comes first: if the process dies in between, the refresh token is safe and
// the ID token can be had again.
func (s *Store) Renew(ctx context.Context, key token.Key, set token.Set) error {
	return errors.Join(s.saveSession(ctx, key, set), s.saveIDToken(ctx, key, set))
}

// saveSession leaves the one that is there where the set has none.
func (s *Store) saveSession(ctx context.Context, key token.Key, set token.Set) error {
	if set.Session.RefreshToken.IsEmpty() {
		return nil
	}
	if err := s.sessions.set(ctx, sessionName(key), encodeSession(set.Session, key)); err != nil {
		return fmt.Errorf("the session could not be saved, so the next login comes early: %w", err)
	}
	return nil
}

// saveIDToken leaves the one that is there where the set has none.
func (s *Store) saveIDToken(ctx context.Context, key token.Key, set token.Set) error {
	if set.IDToken.Raw.IsEmpty() {
		return nil
	}
	if err := s.idTokens.set(ctx, idTokenName(key), encodeIDToken(set.IDToken, key)); err != nil {
		return fmt.Errorf("the ID token could not be saved: %w", err)
	}
	return nil
}

// End implements token.Store.
func (s *Store) End(ctx context.Context, key token.Key) error {
	return s.sessions.remove(ctx, sessionName(key))
}

// insists says what to do about the keychain where no other place is looked at.
func (s *Store) insists(err error) error {
	if s.config.Mode != Keyring || errors.Is(err, token.ErrNotFound) {
		return err
	}
	return token.WithHint(err, "Unlock the keychain, or let tokens lie elsewhere with --token-cache-storage=auto.")
}

// unreadable makes a record that cannot be read into none, so that it is never a dead end, and says so. The next save
// replaces it; until then it stays, since another release may be able to read it.
func (s *Store) unreadable(cause error) error {
	s.config.Warn(fmt.Errorf("a stored record is passed over: %w", cause))
	return token.ErrNotFound
}
