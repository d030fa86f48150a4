package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
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

// Keychain is how items of the OS keychain are reached; the zero value is the real one. Functions return
// keyring.ErrNotFound where there is no such item.
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

// keychain is a vault over the OS keychain. A value that is too large for one item is split: its parts are named after
// its hash, and the item with the value's own name is written last and says which parts they are. So a write that was
// cut short is never taken for a value.
type keychain struct {
	items Keychain
	// silent is set once a call was given up, so that a process waits for a keychain that hangs only once.
	silent atomic.Bool
}

func newKeychain(items Keychain) *keychain {
	if items.Get == nil {
		items = systemKeychain()
	}
	return &keychain{items: items}
}

// splitHeader is the item that stands for a split value.
type splitHeader struct {
	Parts  int    `json:"parts"`
	SHA256 string `json:"sha256"` // of the whole value, in hex
}

const splitPrefix = "split:"

func (k *keychain) get(ctx context.Context, name string) ([]byte, error) {
	item, err := k.read(ctx, name)
	if err != nil {
		return nil, err
	}
	header, split := parseSplitHeader(item)
	if !split {
		return []byte(item), nil
	}
	var value strings.Builder
	for i := range header.Parts {
		part, err := k.read(ctx, partName(name, header, i))
		if err != nil && !errors.Is(err, token.ErrNotFound) {
			return nil, err
		}
		value.WriteString(part)
	}
	if hashOf(value.String()) != header.SHA256 {
		return nil, token.ErrNotFound // parts are missing: nothing usable is there
	}
	return []byte(value.String()), nil
}

func (k *keychain) set(ctx context.Context, name string, value []byte) error {
	old, _ := k.read(ctx, name)
	if k.items.MaxItem == 0 || len(value) <= k.items.MaxItem {
		if err := k.write(ctx, name, string(value)); err != nil {
			return err
		}
	} else if err := k.writeSplit(ctx, name, string(value)); err != nil {
		return err
	}
	return k.removeParts(ctx, name, old, string(value))
}

func (k *keychain) writeSplit(ctx context.Context, name, value string) error {
	parts := cut(value, k.items.MaxItem)
	header := splitHeader{Parts: len(parts), SHA256: hashOf(value)}
	for i, part := range parts {
		if err := k.write(ctx, partName(name, header, i), part); err != nil {
			return err
		}
	}
	text := mustEncode(header)
	return k.write(ctx, name, splitPrefix+string(text))
}

func (k *keychain) remove(ctx context.Context, name string) error {
	old, err := k.read(ctx, name)
	if errors.Is(err, token.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := k.delete(ctx, name); err != nil {
		return err
	}
	return k.removeParts(ctx, name, old, "")
}

// removeParts forgets the parts of an old value, unless the new value has parts of the same names.
func (k *keychain) removeParts(ctx context.Context, name, oldItem, newValue string) error {
	header, split := parseSplitHeader(oldItem)
	if !split || partName(name, header, 0) == partName(name, splitHeader{SHA256: hashOf(newValue)}, 0) {
		return nil
	}
	for i := range header.Parts {
		if err := k.delete(ctx, partName(name, header, i)); err != nil {
			return err
		}
	}
	return nil
}

func (k *keychain) read(ctx context.Context, name string) (string, error) {
	var item string
	err := k.withDeadline(ctx, func() (err error) {
		item, err = k.items.Get(service, name)
		return err
	})
	if err != nil {
		return "", err
	}
	return item, nil
}

func (k *keychain) write(ctx context.Context, name, item string) error {
	return k.withDeadline(ctx, func() error { return k.items.Set(service, name, item) })
}

func (k *keychain) delete(ctx context.Context, name string) error {
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
		return errSilent
	}
	ctx, cancel := context.WithTimeout(ctx, keychainTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return keychainError(err)
	case <-ctx.Done():
		k.silent.Store(true)
		return errSilent
	}
}

var errSilent = fmt.Errorf("the keychain does not answer within %s; is it locked?", keychainTimeout)

func keychainError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, keyring.ErrNotFound) {
		return token.ErrNotFound
	}
	return fmt.Errorf("the keychain cannot be used: %w", err)
}

func parseSplitHeader(item string) (splitHeader, bool) {
	text, ok := strings.CutPrefix(item, splitPrefix)
	if !ok {
		return splitHeader{}, false
	}
	const mostParts = 1000 // a bound for a header that somebody else wrote
	var header splitHeader
	err := json.Unmarshal([]byte(text), &header)
	return header, err == nil && header.Parts > 0 && header.Parts < mostParts
}

func partName(name string, header splitHeader, index int) string {
	return fmt.Sprintf("%s/%.16s/%d", name, header.SHA256, index)
}

func hashOf(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

func cut(value string, size int) []string {
	var parts []string
	for len(value) > size {
		parts = append(parts, value[:size])
		value = value[size:]
	}
	return append(parts, value)
}
