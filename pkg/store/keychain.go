package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

const (
	// service is the name under which a person finds our items in the keychain's own program.
	service = "kubectl-oidc_login"
	// A keychain that has not answered by then is locked behind a prompt that nobody sees, or broken.
	keychainTimeout = 2 * time.Second
	// A session that has no other place is worth a longer wait: a person may have to find that window, and type a password.
	saveTimeout = 30 * time.Second
	// Windows takes 2,560 octets, /usr/bin/security on macOS about 3,000 in base64: this fits both.
	smallItem = 2000
)

// Keychain is how items of a keychain are reached. Functions return keyring.ErrNotFound where there is no such item.
type Keychain struct {
	Get    func(service, user string) (string, error)
	Set    func(service, user, secret string) error
	Delete func(service, user string) error
	// MaxItem is the largest secret in octets; 0: any size.
	MaxItem int
}

func systemKeychain() Keychain {
	system := Keychain{Get: keyring.Get, Set: keyring.Set, Delete: keyring.Delete}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		system.MaxItem = smallItem
	}
	return system
}

// keychain is a vault over the items of a keychain.
type keychain struct {
	items Keychain
	where Place
	// silent is set while a call was given up, so that a process waits for a keychain that hangs only once.
	silent atomic.Bool
}

func newKeychain(where Place, items Keychain) vault {
	return &splitting{items: &keychain{items: items, where: where}, most: items.MaxItem}
}

func (k *keychain) get(ctx context.Context, name string) ([]byte, error) {
	var item string
	err := k.withDeadline(ctx, func() (err error) {
		item, err = k.items.Get(service, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return []byte(item), nil
}

func (k *keychain) set(ctx context.Context, name string, value []byte) error {
	return k.withDeadline(ctx, func() error { return k.items.Set(service, name, string(value)) })
}

func (k *keychain) remove(ctx context.Context, name string) error {
	err := k.withDeadline(ctx, func() error { return k.items.Delete(service, name) })
	if errors.Is(err, token.ErrNotFound) {
		return nil
	}
	return err
}

// withDeadline runs one call of the keychain, which knows no context and may wait for a prompt for ever. The call that
// does not come back is left behind; the process is short-lived.
func (k *keychain) withDeadline(ctx context.Context, call func() error) error {
	if ctx.Err() != nil {
		return k.interrupted(ctx) // what was called off must not begin: a quick keychain would do it before anybody looks
	}
	if !isPatient(ctx) {
		if k.silent.Load() {
			return k.givenUp(keychainTimeout)
		}
		limited, cancel := context.WithTimeoutCause(ctx, keychainTimeout, silence(keychainTimeout))
		defer cancel()
		ctx = limited
	}
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		k.silent.Store(false)
		return k.explain(err)
	case <-ctx.Done():
	}
	var limit silence
	if errors.As(context.Cause(ctx), &limit) {
		k.silent.Store(true)
		return k.givenUp(time.Duration(limit))
	}
	return k.interrupted(ctx)
}

func (k *keychain) interrupted(ctx context.Context) error {
	return fmt.Errorf("while waiting for the %s: %w", k.where, context.Cause(ctx))
}

// silence is the cause of a context that ends because a keychain has not answered for so long.
type silence time.Duration

func (s silence) Error() string { return fmt.Sprintf("no answer within %s", time.Duration(s)) }

func (k *keychain) givenUp(timeout time.Duration) error {
	return &token.Error{
		Err:  fmt.Errorf("the %s does not answer within %s", k.where, timeout),
		Hint: []string{"Unlock it. It may be asking in a window that you cannot see."},
	}
}

// patience is in the context of a save that is waited for longer.
type patience struct{}

func isPatient(ctx context.Context) bool { return ctx.Value(patience{}) != nil }

// patiently saves where no other place is left, and says after a while that this is waited for.
func patiently(ctx context.Context, warn func(error), save func(context.Context) error) error {
	told := make(chan struct{})
	timer := time.AfterFunc(keychainTimeout, func() {
		defer close(told)
		warn(errors.New("the keychain has not taken the session yet; it may be asking in a window that you cannot see"))
	})
	defer func() {
		if !timer.Stop() {
			<-told // so that nobody else is warned of something at the same time
		}
	}()
	limited, cancel := context.WithTimeoutCause(ctx, saveTimeout, silence(saveTimeout))
	defer cancel()
	return save(context.WithValue(limited, patience{}, true))
}

func (k *keychain) explain(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, keyring.ErrNotFound) {
		return token.ErrNotFound
	}
	return fmt.Errorf("the %s cannot be used: %w", k.where, err)
}
