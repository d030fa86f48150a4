package token

import (
	"errors"
	"slices"
)

// ErrNotFound says that the store works and holds nothing under the key. A store that does not work says something else.
var ErrNotFound = errors.New("not found")

// ErrUnreadSession says that the place fails which may have the session. A login passes it over.
var ErrUnreadSession = errors.New("your session may be in it")

// ErrNotReplaced says that what was stored before a login may be served after it.
var ErrNotReplaced = errors.New("the login before this one could not be forgotten")

// ErrSessionEnded says that the provider will never take this refresh token again, so a login is needed. Errors that
// pass (timeouts, overload, no network) are never this one.
var ErrSessionEnded = errors.New("session ended")

// ErrNotKept says that a login succeeded, and that no part of it could be saved.
var ErrNotKept = errors.New("nothing of the login could be stored")

// ErrSpent says that a refresh token was used up for an answer of which nothing can be kept. It must not be sent again: a provider
// would take that for a theft (https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
var ErrSpent = errors.New("your session ends with that")

// ErrKeyUnknown says that the provider does not publish the key of a token that it has given, not even when asked again.
var ErrKeyUnknown = errors.New("the provider does not publish its key")

// ErrAccessTokenRefused says that the provider does not take this access token, so another may do.
var ErrAccessTokenRefused = errors.New("access token refused")

// ErrNoLock says that this machine has no place for a lock that works.
var ErrNoLock = errors.New("no lock can be had")

// ErrNoRevocation says that the provider offers no way to revoke tokens.
var ErrNoRevocation = errors.New("no revocation endpoint")

// ErrUsedUp says that a refresh token was used for the last time in place of a revocation.
var ErrUsedUp = errors.New("used up")

// ErrUnsupportedTokenType says that the provider does not revoke tokens of this kind.
var ErrUnsupportedTokenType = errors.New("tokens of this kind cannot be revoked")

// Kind says what sort of failure an Error is; it becomes the exit code.
type Kind int

const (
	// Failed is any failure without a kind of its own.
	Failed Kind = iota
	// Misused is a wrong flag or argument.
	Misused
	// LoginNeeded means that a person would have to be asked, and may not be.
	LoginNeeded
	// Unreachable means that the provider gave no usable answer; the session lives on.
	Unreachable
	// Refused means that the provider or the person said no.
	Refused
)

// Error is a failure with its kind and with what a person can do about it. Its text is the cause.
type Error struct {
	Kind Kind
	Err  error    // the cause, lower case, one line, without secrets
	Hint []string // what to do, a sentence each; may be empty
}

// Error returns the cause.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// WithHint adds to what a person can do about a failure.
func WithHint(err error, hint string) error {
	known := knownOf(err)
	return &Error{Kind: known.Kind, Err: err, Hint: append(slices.Clip(known.Hint), hint)}
}

// knownOf returns the first Error in an error, or an empty one.
func knownOf(err error) *Error {
	known := &Error{}
	errors.As(err, &known)
	return known
}

// WithLoginHint adds how to log in where that helps against the failure of a store.
func WithLoginHint(err error, hint string) error {
	if hint == "" || !errors.Is(err, ErrUnreadSession) {
		return err
	}
	return WithHint(err, hint)
}

func isUnreachable(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Kind == Unreachable
}
