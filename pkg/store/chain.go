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

// set leaves a value where it is, so that a keychain that hangs is waited for once a login and not once a minute. Else it tries the
// places after that one, then those before it. What any place still has afterwards is spent, and must not come back: a provider
// that sees it again may end the session (https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
func (c *chain) set(ctx context.Context, name string, value []byte) error {
	holders := c.holders(ctx, name)
	var failures []error
	order := c.order(holders)
	for tried, i := range order {
		if err := c.setIn(ctx, i, name, value, tried == len(order)-1); err != nil {
			failures = append(failures, err)
			continue
		}
		c.passOver(failures, i == c.file())
		return c.removeElsewhere(ctx, name, i, append(holders, order[:tried]...))
	}
	if !isReused(value) {
		failures = append(failures, c.removeElsewhere(ctx, name, nowhere, append(holders, 0)))
	}
	return errors.Join(failures...)
}

// nowhere is the index of no place.
const nowhere = -1

func (c *chain) setIn(ctx context.Context, i int, name string, value []byte, isLast bool) error {
	set := func(ctx context.Context) error { return c.places[i].set(ctx, name, value) }
	if _, isKeychain := c.places[i].(unspent); isKeychain && isLast {
		return patiently(ctx, c.warn, set)
	}
	return set(ctx)
}

// holders are the indices of all places that may have a value, from the last to the first. The first is not asked for that, since
// it may hang.
func (c *chain) holders(ctx context.Context, name string) []int {
	var holders []int
	for i, place := range slices.Backward(c.places) {
		if i == 0 {
			break
		}
		_, err := place.get(ctx, name)
		if err == nil || !errors.Is(err, token.ErrNotFound) && mayHave(place, name, err) != nil {
			holders = append(holders, i)
		}
	}
	if first, isKeychain := c.places[0].(unspent); isKeychain && first.notes.isHeld(name) {
		holders = append(holders, 0)
	}
	return holders
}

// order is that in which places are tried.
func (c *chain) order(holders []int) []int {
	holder := 0 // where to begin if there is no value yet
	if len(holders) > 0 {
		holder = holders[0]
	}
	var order []int
	for i := holder; i <= c.file(); i++ {
		order = append(order, i)
	}
	for i := holder - 1; i >= 0; i-- {
		order = append(order, i)
	}
	return order
}

// removeElsewhere fails where a place that get looks into before the new value's keeps an old one.
func (c *chain) removeElsewhere(ctx context.Context, name string, holder int, others []int) error {
	var failures []error
	for i, place := range c.places {
		if i == holder || !slices.Contains(others, i) {
			continue
		}
		err := place.remove(ctx, name)
		switch {
		case err == nil:
		case i > holder && (i == c.file() || errors.Is(err, errNote)):
			failures = append(failures, fmt.Errorf("what was replaced could not be removed: %w", err))
		default:
			c.log.Info("a place is passed over", "reason", err)
		}
	}
	return errors.Join(failures...)
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
