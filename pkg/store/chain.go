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
	for _, place := range slices.Backward(c.places) {
		value, err := place.get(ctx, name)
		if err == nil {
			return value, nil
		}
		if errors.Is(err, token.ErrNotFound) {
			continue
		}
		if ctx.Err() != nil {
			return nil, err
		}
		if unread := mayHave(place, name, err); unread != nil {
			failure = unread
		} else {
			c.log.Info("a place is passed over", "reason", err)
		}
	}
	return nil, failure
}

// mayHave returns the failure of a place that may have the value all the same, and nil for one that has not: of a keychain its
// note tells, and a file may always be there, but for what is closed to this process.
func mayHave(place vault, name string, failure error) error {
	keychain, isKeychain := place.(unspent)
	switch {
	case isKeychain && keychain.notes.isHeld(name) && !keychain.isClosed(failure):
		return keychain.mayHold(failure)
	case !isKeychain && !isClosedFolder(failure):
		return failure
	}
	return nil
}

// isClosedFolder recognises a folder in which this user can have no files.
func isClosedFolder(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)
}

// isClosed recognises a kernel that lets this process have no keys, as in a container, or knows none. A note about it is of
// other processes, which that does not concern.
func (u unspent) isClosed(err error) bool {
	return u.notes.held == heldKernelNote && (errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported))
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

// remove does not mind a place that fails before the file: its note says that what it still has is not used, unless that could
// not be noted.
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
