package token

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Key names an identity: two calls with equal keys share one login. Nothing else belongs here (no port, no certificate
// authority, no header), so that all clusters of one issuer and client share it.
type Key struct {
	Issuer   string   // the issuer URL, byte for byte as configured
	ClientID string   // the client registered at the issuer
	Scopes   []string // the scopes asked for, in any order
	Account  string   // who is meant, where a call says so; empty: whoever logs in
	Machine  bool     // the client itself is meant, and no person
}

// ID returns the key's name in stores and locks: the SHA-256 of its canonical JSON, in hex. Equal keys have equal IDs in
// every process and every release; a member added later must be left out of the JSON while it is empty.
func (k Key) ID() string {
	scopes := slices.Compact(slices.Sorted(slices.Values(k.Scopes)))
	canonical, err := json.Marshal(struct {
		Issuer   string   `json:"issuer"`
		ClientID string   `json:"client_id"`
		Scopes   []string `json:"scopes"`
		Account  string   `json:"account,omitempty"`
		Machine  bool     `json:"machine,omitempty"`
	}{k.Issuer, k.ClientID, scopes, k.Account, k.Machine})
	if err != nil {
		panic(err) // strings always marshal
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}
