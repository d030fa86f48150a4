package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// recordVersion is raised when older releases would misread a record. A record of another version is passed over.
const recordVersion = 1

// idTokenRecord is an ID token at rest. Times are whole Unix seconds, rounded down.
type idTokenRecord struct {
	Version int    `json:"version"`
	Key     string `json:"key"` // the ID of the key that it is stored for
	IDToken string `json:"id_token"`
	Issued  int64  `json:"issued"`
	Expiry  int64  `json:"expiry"`
	// What the token says, repeated here so that a hot call need not decode it.
	Issuer   string   `json:"issuer"`
	Audience []string `json:"audience"`
}

// sessionRecord is a session at rest.
type sessionRecord struct {
	Version      int      `json:"version"`
	Key          string   `json:"key"` // the ID of the key that it is stored for
	RefreshToken string   `json:"refresh_token"`
	Subject      string   `json:"subject"`
	Audience     []string `json:"audience"`
	Nonce        string   `json:"nonce,omitempty"`
	AuthTime     int64    `json:"auth_time,omitempty"`
	IssuedAt     int64    `json:"issued_at,omitempty"`
	Static       bool     `json:"static,omitempty"`
}

func encodeIDToken(idToken token.IDToken, key token.Key) []byte {
	return mustEncode(idTokenRecord{
		Version:  recordVersion,
		Key:      key.ID(),
		IDToken:  idToken.Raw.Reveal(),
		Issued:   idToken.Issued.Unix(),
		Expiry:   idToken.Expiry.Unix(),
		Issuer:   idToken.Issuer,
		Audience: idToken.Audience,
	})
}

// decodeIDToken also checks that the record is the key's own.
func decodeIDToken(text []byte, key token.Key) (token.IDToken, error) {
	return decodeIDTokenIf(check, text, key)
}

func decodeIDTokenIf(check recordCheck, text []byte, key token.Key) (token.IDToken, error) {
	var record idTokenRecord
	if err := decode(text, &record); err != nil {
		return token.IDToken{}, err
	}
	if err := check(record.Version, record.Key, key); err != nil {
		return token.IDToken{}, err
	}
	if record.IDToken == "" || record.Expiry <= record.Issued {
		return token.IDToken{}, errors.New("ID token record is incomplete")
	}
	// An access token may be for others than the client.
	if record.Issuer != key.Issuer || !key.AccessToken && !slices.Contains(record.Audience, key.ClientID) {
		return token.IDToken{}, errors.New("ID token record belongs to another issuer or client")
	}
	return token.IDToken{
		Raw:      token.NewSecret(record.IDToken),
		Issued:   time.Unix(record.Issued, 0),
		Expiry:   time.Unix(record.Expiry, 0),
		Issuer:   record.Issuer,
		Audience: record.Audience,
	}, nil
}

func encodeSession(session token.Session, key token.Key) []byte {
	record := sessionRecord{
		Version:      recordVersion,
		Key:          key.ID(),
		RefreshToken: session.RefreshToken.Reveal(),
		Subject:      session.Subject,
		Audience:     session.Audience,
		Nonce:        session.Nonce,
		Static:       session.Static,
	}
	record.AuthTime, record.IssuedAt = unixOrZero(session.AuthTime), unixOrZero(session.IssuedAt)
	return mustEncode(record)
}

// decodeSession also checks that the record is the key's own: a refresh token is for the provider that gave it.
func decodeSession(text []byte, key token.Key) (token.Session, error) {
	return decodeSessionIf(check, text, key)
}

func decodeSessionIf(check recordCheck, text []byte, key token.Key) (token.Session, error) {
	var record sessionRecord
	if err := decode(text, &record); err != nil {
		return token.Session{}, err
	}
	if err := check(record.Version, record.Key, key); err != nil {
		return token.Session{}, err
	}
	if record.RefreshToken == "" || record.Subject == "" {
		return token.Session{}, errors.New("session record is incomplete")
	}
	session := token.Session{
		RefreshToken: token.NewSecret(record.RefreshToken),
		Subject:      record.Subject,
		Audience:     record.Audience,
		Nonce:        record.Nonce,
		Static:       record.Static,
		AuthTime:     timeOrZero(record.AuthTime),
		IssuedAt:     timeOrZero(record.IssuedAt),
	}
	return session, nil
}

// isReused reports whether the refresh token of a session is the one that brought it.
func isReused(session []byte) bool {
	var record sessionRecord
	return decode(session, &record) == nil && record.Static
}

func unixOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func timeOrZero(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

func mustEncode(record any) []byte {
	text, err := json.Marshal(record)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return text
}

// decode hides the parser's error, which can quote the text.
func decode(text []byte, record any) error {
	if json.Unmarshal(text, record) != nil {
		return errors.New("record is not JSON")
	}
	return nil
}

// check refuses records that this release cannot read, and those of another key: what lies in a folder or a keychain can
// have been moved to another name.
func check(version int, stored string, key token.Key) error {
	if err := checkToRevoke(version, stored, key); err != nil {
		return err
	}
	if stored == "" {
		return errors.New("record is of an older build, which did not write to which login it belongs")
	}
	return nil
}

// checkToRevoke also takes a record that does not say whose it is, but for its name.
func checkToRevoke(version int, stored string, key token.Key) error {
	if version != recordVersion {
		return fmt.Errorf("record has version %d, this release reads %d", version, recordVersion)
	}
	if stored != "" && stored != key.ID() {
		return errors.New("record belongs to another login")
	}
	return nil
}

// recordCheck is check or checkToRevoke.
type recordCheck func(version int, stored string, key token.Key) error
