package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Notes are small files beside the locks: who was asked to log in, and who was answered what. They hold no token, and
// nothing depends on them, so they are written without waiting for the disk.

// The file of answers begins anew beyond this size; a call reads it whole.
const maxAnswers = 16 << 10

// callerNote is a token.Caller at rest.
type callerNote struct {
	PID     int    `json:"pid"`
	Started string `json:"started"`
	Server  string `json:"server"`
}

// attemptNote is a token.Attempt at rest.
type attemptNote struct {
	callerNote
	At int64 `json:"at"` // Unix nanoseconds
}

// answerNote is a token.Answer at rest.
type answerNote struct {
	callerNote
	IDToken string `json:"id_token"` // a part of its SHA-256
	Told    int64  `json:"told"`     // Unix nanoseconds
	At      int64  `json:"at"`       // Unix nanoseconds
}

func (n callerNote) caller() token.Caller {
	return token.Caller{PID: n.PID, Started: n.Started, Server: n.Server}
}

func noteOf(caller token.Caller) callerNote {
	return callerNote{caller.PID, caller.Started, caller.Server}
}

// Attempt implements token.Store.
func (s *Store) Attempt(_ context.Context, key token.Key) (token.Attempt, error) {
	var note attemptNote
	if err := s.readNote(key, "attempt", &note); err != nil {
		return token.Attempt{}, err
	}
	return token.Attempt{Caller: note.caller(), At: time.Unix(0, note.At)}, nil
}

// NoteAttempt implements token.Store.
func (s *Store) NoteAttempt(_ context.Context, key token.Key, attempt token.Attempt) error {
	return s.writeNote(key, "attempt", attemptNote{noteOf(attempt.Caller), attempt.At.UnixNano()})
}

// forgetAttempt is for a login that succeeded.
func (s *Store) forgetAttempt(key token.Key) { _ = s.folders.remove(key.ID() + ".attempt") }

// forgetNotes leaves locks, which somebody may be waiting for.
func (s *Store) forgetNotes(key token.Key) {
	for _, name := range []string{"attempt", "refused", "unreachable", "answers"} {
		_ = s.folders.remove(key.ID() + "." + name) // they hold no token
	}
}

// Refused implements token.Store.
func (s *Store) Refused(_ context.Context, key token.Key) (time.Time, error) {
	return s.notedTime(key, "refused")
}

// NoteRefused implements token.Store.
func (s *Store) NoteRefused(_ context.Context, key token.Key, at time.Time) error {
	return s.writeNote(key, "refused", at.UnixNano())
}

// Unreachable implements token.Store.
func (s *Store) Unreachable(_ context.Context, key token.Key) (time.Time, error) {
	return s.notedTime(key, "unreachable")
}

// NoteUnreachable implements token.Store. With nothing that processes share, nobody waits for another.
func (s *Store) NoteUnreachable(_ context.Context, key token.Key, at time.Time) error {
	if s.config.Mode == None {
		return nil
	}
	return s.writeNote(key, "unreachable", at.UnixNano())
}

func (s *Store) notedTime(key token.Key, name string) (time.Time, error) {
	var at int64
	if err := s.readNote(key, name, &at); err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, at), nil
}

// Answer implements token.Store.
func (s *Store) Answer(_ context.Context, key token.Key, caller token.Caller, idToken token.Secret) (token.Answer, error) {
	text, err := s.folders.read(key.ID() + ".answers")
	if err != nil {
		return token.Answer{}, err
	}
	fingerprint, latest := fingerprintOf(idToken), answerNote{}
	for line := range bytes.Lines(text) {
		var note answerNote
		// Most lines are about another token; they are not worth parsing.
		if !bytes.Contains(line, []byte(fingerprint)) || json.Unmarshal(line, &note) != nil {
			continue
		}
		if note.IDToken == fingerprint && note.caller() == caller && note.At > latest.At {
			latest = note
		}
	}
	if latest.At == 0 {
		return token.Answer{}, token.ErrNotFound
	}
	return token.Answer{Caller: caller, IDToken: idToken, Told: time.Unix(0, latest.Told), At: time.Unix(0, latest.At)}, nil
}

// NoteAnswer implements token.Store. A token that no other process finds is given once.
func (s *Store) NoteAnswer(_ context.Context, key token.Key, answer token.Answer) error {
	if s.config.Mode == None {
		return nil
	}
	line := append(mustEncode(answerNote{
		noteOf(answer.Caller), fingerprintOf(answer.IDToken), answer.Told.UnixNano(), answer.At.UnixNano(),
	}), '\n')
	if err := s.folders.appendLine(key.ID()+".answers", line); err != nil {
		return fmt.Errorf("note: %w", err)
	}
	return nil
}

// appendLine adds the line in one write, so that many processes may do so at once.
func appendLine(path string, line []byte) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if info, err := file.Stat(); err == nil && info.Size() > maxAnswers {
		_ = os.Truncate(path, 0) // not by this handle: on Windows, one that may only append may not do that
	}
	_, err = file.Write(line)
	return errors.Join(err, file.Close())
}

func (s *Store) readNote(key token.Key, name string, into any) error {
	text, err := s.folders.read(key.ID() + "." + name)
	if err != nil {
		return err
	}
	if json.Unmarshal(text, into) != nil {
		return token.ErrNotFound // cut short, or of another release: as good as none
	}
	return nil
}

func (s *Store) writeNote(key token.Key, name string, note any) error {
	if err := s.folders.write(key.ID()+"."+name, mustEncode(note)); err != nil {
		return fmt.Errorf("note: %w", err)
	}
	return nil
}

// fingerprintOf tells tokens apart without holding them.
func fingerprintOf(idToken token.Secret) string {
	sum := sha256.Sum256([]byte(idToken.Reveal()))
	return hex.EncodeToString(sum[:16])
}
