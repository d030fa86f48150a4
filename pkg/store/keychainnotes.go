package store

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// A keychain can fail at any time: locked behind a prompt that nobody sees, or out of reach, as over SSH. So that it is
// then not taken for an empty one, notes beside the locks say of each session whether the keychain may have it, and whether
// it may still be used. They are empty files: making, renaming and removing one is a single step, also for who reads it
// without the lock.
const (
	// heldNote says that the keychain may have the session.
	heldNote = "keychain"
	// spentNote says that it may have one that was replaced or ended while it failed. That one must not be used.
	spentNote = "keychain-spent"
)

// keychainNotes are those of all sessions.
type keychainNotes struct {
	directory string
	log       *slog.Logger
}

func (n keychainNotes) path(name, note string) string {
	id, _ := strings.CutSuffix(name, sessionEnd)
	return filepath.Join(n.directory, id+"."+note)
}

func (n keychainNotes) has(name, note string) bool {
	_, err := os.Lstat(n.path(name, note))
	return err == nil
}

func (n keychainNotes) isHeld(name string) bool  { return n.has(name, heldNote) }
func (n keychainNotes) isSpent(name string) bool { return n.has(name, spentNote) }

// expect notes that the keychain is about to get a session, and reports whether that is new.
func (n keychainNotes) expect(name string) bool {
	if n.isHeld(name) || n.isSpent(name) {
		return false
	}
	err := makePrivate(n.directory)
	if err == nil {
		err = os.WriteFile(n.path(name, heldNote), nil, 0o600)
	}
	n.report(err)
	return err == nil
}

// hold notes that the keychain has a session which may be used.
func (n keychainNotes) hold(name string) {
	if n.isSpent(name) {
		n.report(os.Rename(n.path(name, spentNote), n.path(name, heldNote)))
	}
}

// spend notes that what the keychain may have must not be used any more.
func (n keychainNotes) spend(name string) {
	if n.isHeld(name) {
		n.report(os.Rename(n.path(name, heldNote), n.path(name, spentNote)))
	}
}

// forget notes that the keychain has nothing.
func (n keychainNotes) forget(name string) {
	for _, note := range []string{heldNote, spentNote} {
		_ = os.Remove(n.path(name, note))
	}
}

func (n keychainNotes) report(err error) {
	if err != nil {
		n.log.Warn("a note about the keychain could not be made", "reason", err)
	}
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
	case !strings.HasSuffix(name, sessionEnd):
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
		Err:  fmt.Errorf("%w; your session may lie there", cause),
		Hint: []string{"Unlock the keychain and try again, or log in anew."},
	}
}
