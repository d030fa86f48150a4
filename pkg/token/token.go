package token

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// IDToken is an ID token with what must be known to judge it without the network.
type IDToken struct {
	Raw      Secret    // the compact JWS
	Issued   time.Time // when we received it, by this machine's clock
	Expiry   time.Time // when it ends, by this machine's clock; see provider for how skew is taken out
	Issuer   string    // the iss claim
	Audience []string  // the aud claim
}

// Claims returns the token's claims without verifying anything. Only for tokens that were verified when they were
// received.
func (t IDToken) Claims() (map[string]any, error) {
	parts := strings.Split(t.Raw.Reveal(), ".")
	if len(parts) != 3 {
		return nil, errors.New("ID token is not a signed JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, errors.New("ID token payload is not base64url")
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, errors.New("ID token payload is not a JSON object")
	}
	return claims, nil
}

// Person is the name by which people know themselves: the first of the claims email, preferred_username, name and sub that
// the token has. It may be empty, and is for people to read: only the subject identifies
// (https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability).
func (t IDToken) Person() string {
	claims, _ := t.Claims() // none of a token that cannot be read
	name := func(claim string) string { text, _ := claims[claim].(string); return text }
	return cmp.Or(name("email"), name("preferred_username"), name("name"), name("sub"))
}

// Session is what outlives an ID token: the refresh token, and what a refreshed ID token is compared with
// (https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse).
type Session struct {
	RefreshToken Secret
	Subject      string    // the sub claim of the login
	Audience     []string  // the aud claim of the login
	Nonce        string    // the nonce of the login; it is spent, so no secret
	AuthTime     time.Time // the latest auth_time claim, zero if there was none
	IssuedAt     time.Time // the iat claim of the newest ID token, zero if it is not known
	// Static is true where the last refresh brought the same refresh token again: this provider does not rotate.
	Static bool
}

// Set is what a login or a refresh brings.
type Set struct {
	IDToken IDToken
	Session Session // without a refresh token where the provider gave none
	// AccessToken is for the provider's UserInfo endpoint. It comes with a refresh, and is never stored.
	AccessToken Secret
}
