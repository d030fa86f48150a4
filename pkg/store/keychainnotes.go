package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// A keychain can fail at any time: locked behind a prompt that nobody sees, or out of reach, as over SSH; so can the kernel's
// keyring, when other programs use up the person's quota. So that it is then not taken for an empty one, notes beside the locks
// say of each session whether the keychain may have it, and whether it may still be used. They are empty files: what counts is
// that one is there. Machines may share the folder, as in a home on a network, but no keychain: so each has notes of its own.
const (
	// heldNote says that the keychain may have the session.
	heldNote = "keychain"
	// spentNote says that it may have one that was replaced or ended while it failed. That one must not be used.
	spentNote = "keychain-spent"
	// heldKernelNote and spentKernelNote say the same of the kernel's keyring.
	heldKernelNote  = "kernel-keyring"
	spentKernelNote = "kernel-keyring-spent"
)

// keychainNotes are those of all sessions about one keychain.
type keychainNotes struct {
	held, spent string
	folders     folders
	machine     machineName
	log         *slog.Logger
}

func notesOnKeychain(folders folders, machine machineName, log *slog.Logger) keychainNotes {
	return keychainNotes{heldNote, spentNote, folders, machine, log}
}

func notesOnKernelKeyring(folders folders, machine machineName, log *slog.Logger) keychainNotes {
	return keychainNotes{heldKernelNote, spentKernelNote, folders, machine, log}
}

// name is that of a note about a session, which has this name in a vault.
func (n keychainNotes) name(session, note string) string {
	id, _ := strings.CutSuffix(session, sessionEnd)
	return id + "." + note + "." + n.machine()
}

// isKeychainNote recognises such a note of any machine by its name after the ID and a dot.
func isKeychainNote(ending string) bool {
	note, machine, _ := strings.Cut(ending, ".")
	notes := []string{heldNote, spentNote, heldKernelNote, spentKernelNote}
	return slices.Contains(notes, note) && len(machine) == len(nameOfMachine("")) && strings.Trim(machine, "0123456789abcdef") == ""
}

// isOf recognises the notes of one machine.
func (m machineName) isOf(ending string) bool {
	_, named, _ := strings.Cut(ending, ".")
	return isKeychainNote(ending) && named == m()
}

// isSpent counts more than isHeld, where each lies in another folder.
func (n keychainNotes) isSpent(name string) bool { return n.folders.has(n.name(name, n.spent)) }

func (n keychainNotes) isHeld(name string) bool {
	return n.folders.has(n.name(name, n.held)) && !n.isSpent(name)
}

// exist reports whether the keychain may have the session, of use or not.
func (n keychainNotes) exist(name string) bool { return n.isHeld(name) || n.isSpent(name) }

// expect notes that the keychain is about to get a session, and reports whether that is new.
func (n keychainNotes) expect(name string) bool {
	if n.exist(name) {
		return false
	}
	if err := n.folders.write(n.name(name, n.held), nil); err != nil {
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
	return unchanged(n.folders.rename(n.name(name, n.spent), n.name(name, n.held)))
}

// spend notes that what the keychain may have must not be used any more.
func (n keychainNotes) spend(name string) error {
	if !n.isHeld(name) {
		return nil
	}
	err := n.folders.rename(n.name(name, n.held), n.name(name, n.spent))
	if err != nil && n.folders.write(n.name(name, n.spent), nil) == nil {
		return nil // it counts more than the other, which is in a folder that is read-only by now
	}
	return unchanged(err)
}

// forget notes that the keychain has nothing. Where that cannot be, what it may have is noted as spent.
func (n keychainNotes) forget(name string) error {
	if errors.Join(n.folders.remove(n.name(name, n.held)), n.folders.remove(n.name(name, n.spent))) == nil {
		return nil
	}
	return n.spend(name)
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

// onlyKeychain is an unspent keychain beside which a session has no other place.
type onlyKeychain struct {
	unspent
	warn func(error)
}

// set leaves nothing to use that is spent.
func (o onlyKeychain) set(ctx context.Context, name string, value []byte) error {
	err := patiently(ctx, o.warn, func(ctx context.Context) error { return o.unspent.set(ctx, name, value) })
	if err == nil || isReused(value) {
		return err
	}
	if removeErr := o.remove(ctx, name); errors.Is(removeErr, errNote) {
		err = errors.Join(err, removeErr)
	}
	return err
}

// mayHold is the failure of a keychain that may have the session.
func (u unspent) mayHold(cause error) error {
	hint := "Unlock the keychain and try again, or log in anew."
	if u.notes.held == heldKernelNote {
		hint = "Try again when it works, or log in anew." // nobody can unlock it
	}
	return &token.Error{Err: fmt.Errorf("%w; %w", cause, token.ErrUnreadSession), Hint: []string{hint}}
}
