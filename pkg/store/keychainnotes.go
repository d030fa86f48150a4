package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// A keychain can fail at any time: locked behind a prompt that nobody sees, or out of reach, as over SSH. So that it is
// then not taken for an empty one, notes beside the locks say of each session whether the keychain may have it, and whether
// it may still be used. They are empty files: what counts is that one is there.
const (
	// heldNote says that the keychain may have the session.
	heldNote = "keychain"
	// spentNote says that it may have one that was replaced or ended while it failed. That one must not be used.
	spentNote = "keychain-spent"
)

// keychainNotes are those of all sessions.
type keychainNotes struct {
	folders folders
	log     *slog.Logger
}

// noteName is for a session's name in a vault.
func noteName(name, note string) string {
	id, _ := strings.CutSuffix(name, sessionEnd)
	return id + "." + note
}

// isSpent counts more than isHeld, where each lies in another folder.
func (n keychainNotes) isSpent(name string) bool { return n.folders.has(noteName(name, spentNote)) }

func (n keychainNotes) isHeld(name string) bool {
	return n.folders.has(noteName(name, heldNote)) && !n.isSpent(name)
}

// expect notes that the keychain is about to get a session, and reports whether that is new.
func (n keychainNotes) expect(name string) bool {
	if n.isHeld(name) || n.isSpent(name) {
		return false
	}
	if err := n.folders.write(noteName(name, heldNote), nil); err != nil {
		n.log.Warn("a note about the keychain could not be made", "reason", err)
		return false
	}
	return true
}

// hold notes that the keychain has a session which may be used.
func (n keychainNotes) hold(name string) error {
	if !n.isSpent(name) {
		return nil
	}
	return unchanged(n.folders.rename(noteName(name, spentNote), noteName(name, heldNote)))
}

// spend notes that what the keychain may have must not be used any more.
func (n keychainNotes) spend(name string) error {
	if !n.isHeld(name) {
		return nil
	}
	return unchanged(n.folders.rename(noteName(name, heldNote), noteName(name, spentNote)))
}

// forget notes that the keychain has nothing.
func (n keychainNotes) forget(name string) error {
	return unchanged(errors.Join(n.folders.remove(noteName(name, heldNote)), n.folders.remove(noteName(name, spentNote))))
}

// errNote is in the error about a note that still says what it said.
var errNote = errors.New("a note about the keychain could not be changed")

func unchanged(cause error) error {
	if cause == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errNote, cause)
}

// noted is a keychain whose sessions are noted.
type noted struct {
	vault
	notes keychainNotes
}

// set makes the note first, since a process may die in between. A note too many makes a keychain that fails an error until the
// next login; with one too few, a session in it would be taken for none.
func (n *noted) set(ctx context.Context, name string, value []byte) error {
	if !strings.HasSuffix(name, sessionEnd) {
		return n.vault.set(ctx, name, value)
	}
	isNew := n.notes.expect(name)
	err := n.vault.set(ctx, name, value)
	switch {
	case err == nil:
		return n.notes.hold(name)
	case isNew:
		return withNote(err, n.notes.forget(name))
	}
	return err
}

func (n *noted) remove(ctx context.Context, name string) error {
	err := n.vault.remove(ctx, name)
	switch {
	case !strings.HasSuffix(name, sessionEnd) || ctx.Err() != nil: // an interrupt ends no session
		return err
	case err == nil:
		return n.notes.forget(name)
	}
	return withNote(err, n.notes.spend(name))
}

// withNote adds the failure of a note to that of the keychain.
func withNote(err, noteErr error) error {
	if noteErr == nil {
		return err
	}
	return fmt.Errorf("%w; %w", err, noteErr)
}

// unspent is a noted keychain from which no spent session comes.
type unspent struct{ *noted }

func (u unspent) get(ctx context.Context, name string) ([]byte, error) {
	if strings.HasSuffix(name, sessionEnd) && u.notes.isSpent(name) {
		return nil, token.ErrNotFound
	}
	return u.noted.get(ctx, name)
}

// mayHold is the failure of a keychain that may have the session.
func mayHold(cause error) error {
	return &token.Error{
		Err:  fmt.Errorf("%w; %w", cause, token.ErrUnreadSession),
		Hint: []string{"Unlock the keychain and try again, or log in anew."},
	}
}
