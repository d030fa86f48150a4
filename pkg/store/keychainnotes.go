package store

import (
	"context"
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

// isSpent counts more than isHeld: a process may have died between making one note and removing the other.
func (n keychainNotes) isSpent(name string) bool { return n.folders.has(noteName(name, spentNote)) }

func (n keychainNotes) isHeld(name string) bool {
	return n.folders.has(noteName(name, heldNote)) && !n.isSpent(name)
}

// expect notes that the keychain is about to get a session, and reports whether that is new.
func (n keychainNotes) expect(name string) bool {
	if n.isHeld(name) || n.isSpent(name) {
		return false
	}
	return n.change(name, heldNote, spentNote)
}

// hold notes that the keychain has a session which may be used.
func (n keychainNotes) hold(name string) {
	if n.isSpent(name) {
		n.change(name, heldNote, spentNote)
	}
}

// spend notes that what the keychain may have must not be used any more.
func (n keychainNotes) spend(name string) {
	if n.isHeld(name) {
		n.change(name, spentNote, heldNote)
	}
}

// change makes one note and removes the other.
func (n keychainNotes) change(name, made, removed string) bool {
	if err := n.folders.write(noteName(name, made), nil); err != nil {
		n.log.Warn("a note about the keychain could not be made", "reason", err)
		return false
	}
	n.folders.remove(noteName(name, removed))
	return true
}

// forget notes that the keychain has nothing.
func (n keychainNotes) forget(name string) {
	n.folders.remove(noteName(name, heldNote))
	n.folders.remove(noteName(name, spentNote))
}

// noted is a keychain whose sessions are noted.
type noted struct {
	vault
	notes keychainNotes
}

// set makes the note first: a process may die in between, and a note too many does no harm.
func (n *noted) set(ctx context.Context, name string, value []byte) error {
	if !strings.HasSuffix(name, sessionEnd) {
		return n.vault.set(ctx, name, value)
	}
	isNew := n.notes.expect(name)
	err := n.vault.set(ctx, name, value)
	switch {
	case err == nil:
		n.notes.hold(name)
	case isNew:
		n.notes.forget(name)
	}
	return err
}

func (n *noted) remove(ctx context.Context, name string) error {
	err := n.vault.remove(ctx, name)
	switch {
	case !strings.HasSuffix(name, sessionEnd) || ctx.Err() != nil: // an interrupt ends no session
	case err == nil:
		n.notes.forget(name)
	default:
		n.notes.spend(name)
	}
	return err
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
