package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Mode says where tokens lie.
type Mode string

const (
	// Auto keeps sessions in the keychain, or in a file where no keychain answers, and ID tokens in files.
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
	Locks     string // a folder whose scope is the OS user's, whatever Directory is: absolute
	// FallbackLocks is a folder for locks where Locks cannot be used: absolute; empty: none.
	FallbackLocks string
	Keychain      Keychain // the zero value is the operating system's
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
	idTokens vault
	sessions vault
}

// vault keeps small values by name.
type vault interface {
	// get returns the value, or token.ErrNotFound.
	get(ctx context.Context, name string) ([]byte, error)
	set(ctx context.Context, name string, value []byte) error
	// remove forgets a value; one that is not there is no error.
	remove(ctx context.Context, name string) error
}

// Open makes the store. It touches nothing yet.
func Open(config Config) (*Store, error) {
	disk := &disk{directory: config.Directory}
	keychain := newKeychain(config.Keychain)
	switch config.Mode {
	case Auto:
		return &Store{config, disk, &preferred{first: keychain, second: disk, warn: config.Warn}}, nil
	case Keyring:
		return &Store{config, keychain, keychain}, nil
	case Disk:
		return &Store{config, disk, disk}, nil
	case None:
		memory := &memory{}
		return &Store{config, memory, memory}, nil
	}
	return nil, fmt.Errorf("unknown token cache storage %q", config.Mode)
}

func idTokenName(key token.Key) string { return key.ID() + "/id-token" }
func sessionName(key token.Key) string { return key.ID() + "/session" }

// IDToken implements token.Store.
func (s *Store) IDToken(ctx context.Context, key token.Key) (token.IDToken, error) {
	text, err := s.idTokens.get(ctx, idTokenName(key))
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
	if err != nil {
		return token.Session{}, err
	}
	session, err := decodeSession(text)
	if err != nil {
		return token.Session{}, s.unreadable(err)
	}
	return session, nil
}

// Begin implements token.Store.
func (s *Store) Begin(ctx context.Context, key token.Key, set token.Set) error {
	// Forgotten first, so that the new session may choose its place anew.
	if err := s.End(ctx, key); err != nil {
		s.config.Log.Warn("the old session could not be forgotten", "reason", err)
	}
	s.forgetAttempt(key)
	return s.Renew(ctx, key, set)
}

// Renew implements token.Store. The session comes first: if the process dies in between, the refresh token is safe and
// the ID token can be had again.
func (s *Store) Renew(ctx context.Context, key token.Key, set token.Set) error {
	var sessionErr, idTokenErr error
	if !set.Session.RefreshToken.IsEmpty() {
		if err := s.sessions.set(ctx, sessionName(key), encodeSession(set.Session)); err != nil {
			sessionErr = fmt.Errorf("the session could not be saved, so the next login comes early: %w", err)
		}
	}
	if !set.IDToken.Raw.IsEmpty() {
		if err := s.idTokens.set(ctx, idTokenName(key), encodeIDToken(set.IDToken)); err != nil {
			idTokenErr = fmt.Errorf("the ID token could not be saved: %w", err)
		}
	}
	return errors.Join(sessionErr, idTokenErr)
}

// End implements token.Store.
func (s *Store) End(ctx context.Context, key token.Key) error {
	return s.sessions.remove(ctx, sessionName(key))
}

// unreadable makes a record that cannot be read into none, so that it is never a dead end, and says so. The next save
// replaces it; until then it stays, since another release may be able to read it.
func (s *Store) unreadable(cause error) error {
	s.config.Warn(fmt.Errorf("a stored record is passed over: %w", cause))
	return token.ErrNotFound
}

// preferred keeps values in the first vault, or in the second where the first fails.
type preferred struct {
	first, second vault
	warn          func(error)
	once          sync.Once
}

// fellBack says, once, why the second vault is used.
func (p *preferred) fellBack(cause error) {
	p.once.Do(func() { p.warn(fmt.Errorf("%w; the session is kept in a file that only you can read", cause)) })
}

// get looks into the second vault first, since that one is quick, and holds a value only if the first failed.
func (p *preferred) get(ctx context.Context, name string) ([]byte, error) {
	value, err := p.second.get(ctx, name)
	if err == nil {
		return value, nil
	}
	value, err = p.first.get(ctx, name)
	if err != nil && !errors.Is(err, token.ErrNotFound) {
		p.fellBack(err)
		return nil, token.ErrNotFound
	}
	return value, err
}

// set leaves a value where it is, so that a keychain that hangs is waited for once a login and not once a minute.
func (p *preferred) set(ctx context.Context, name string, value []byte) error {
	if _, err := p.second.get(ctx, name); err == nil {
		return p.second.set(ctx, name, value)
	}
	cause := p.first.set(ctx, name, value)
	if cause == nil {
		return nil
	}
	if err := p.second.set(ctx, name, value); err != nil {
		return errors.Join(cause, err)
	}
	p.fellBack(cause)
	return nil
}

// remove does not mind a first vault that fails: what cannot be reached cannot be served, and the provider has ended it.
func (p *preferred) remove(ctx context.Context, name string) error {
	_ = p.first.remove(ctx, name)
	return p.second.remove(ctx, name)
}
