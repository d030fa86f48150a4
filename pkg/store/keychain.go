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
	// silent is set once a call was given up, so that a process waits for a keychain that hangs only once.
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
	if k.silent.Load() {
		return k.givenUp()
	}
	limited, cancel := context.WithTimeout(ctx, keychainTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return k.explain(err)
	case <-limited.Done():
		if ctx.Err() != nil {
			return fmt.Errorf("while waiting for the %s: %w", k.where, context.Cause(ctx))
		}
		k.silent.Store(true)
		return k.givenUp()
	}
}

func (k *keychain) givenUp() error {
	return &token.Error{
		Err:  fmt.Errorf("the %s does not answer within %s", k.where, keychainTimeout),
		Hint: []string{"Unlock it. It may be asking in a window that you cannot see."},
	}
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
