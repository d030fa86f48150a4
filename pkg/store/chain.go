package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"syscall"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// chain keeps a session in the first of its places that works. The first is the keychain. The last place is a file, and
// using it is said.
type chain struct {
	places []vault
	notes  keychainNotes
	warn   func(error)
	log    *slog.Logger
	once   sync.Once
}

// file is the index of the last place.
func (c *chain) file() int { return len(c.places) - 1 }

// get looks into the last place first: the later, the quicker, and a value is there only if those before it failed. It
// fails where a place that fails may have the value.
func (c *chain) get(ctx context.Context, name string) ([]byte, error) {
	failure := token.ErrNotFound
	for i, place := range slices.Backward(c.places) {
		value, err := place.get(ctx, name)
		switch {
		case err == nil:
			return value, nil
		case errors.Is(err, token.ErrNotFound):
		case ctx.Err() != nil:
			return nil, err
		case i == 0 && c.notes.isHeld(name):
			failure = mayHold(err)
		case i == c.file() && !isClosed(err):
			failure = err
		default:
			c.log.Info("a place is passed over", "reason", err)
		}
	}
	return nil, failure
}

// isClosed recognises a folder in which this user can have no files.
func isClosed(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)
}

// set leaves a value where it is, so that a keychain that hangs is waited for once a login and not once a minute.
func (c *chain) set(ctx context.Context, name string, value []byte) error {
	holder := c.holder(ctx, name)
	var failures []error
	for i := holder; i < len(c.places); i++ {
		if err := c.places[i].set(ctx, name, value); err != nil {
			failures = append(failures, err)
			continue
		}
		if i != holder {
			_ = c.places[holder].remove(ctx, name) // what it still has is spent, and asked for after this one
		}
		c.passOver(failures, i == c.file())
		return nil
	}
	return errors.Join(failures...)
}

// holder is the index of the place that has a value. The first place is not asked: it is where to begin if no other has.
func (c *chain) holder(ctx context.Context, name string) int {
	for i := c.file(); i > 0; i-- {
		if _, err := c.places[i].get(ctx, name); err == nil {
			return i
		}
	}
	return 0
}

// remove does not mind a place that fails before the file: the keychain's note says that what it still has is not used,
// unless that could not be noted, and a kernel that lets nobody have keys here never did.
func (c *chain) remove(ctx context.Context, name string) error {
	var failures []error
	for i, place := range c.places {
		if err := place.remove(ctx, name); i == c.file() || errors.Is(err, errNote) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// passOver says why places are passed over: to the person, once, where only a file is left; else to the log.
func (c *chain) passOver(failures []error, onlyFile bool) {
	if len(failures) == 0 {
		return
	}
	cause := failures[0]
	for _, failure := range failures[1:] {
		cause = fmt.Errorf("%w; %w", cause, failure)
	}
	if !onlyFile {
		c.log.Info("the session has another place", "reason", cause)
		return
	}
	c.once.Do(func() { c.warn(fmt.Errorf("%w; the session is kept in a file that only you can read", cause)) })
}
