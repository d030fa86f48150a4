package idp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// codeLifetime is short, since a client redeems its code at once.
// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2: at most ten minutes
const codeLifetime = time.Minute

// grant is one login: all its tokens are a family, and are revoked together.
type grant struct {
	user            User
	scope           string
	nonce           string
	audience        []string // of its access tokens
	authenticatedAt time.Time
	revoked         bool
}

type authorizationCode struct {
	grant       *grant
	redirectURI string
	challenge   string
	expiry      time.Time
	used        bool
}

// matches verifies PKCE.
// https://www.rfc-editor.org/rfc/rfc7636#section-4.6
func (c *authorizationCode) matches(verifier string) bool {
	return matches(verifier, c.challenge)
}

func matches(verifier, challenge string) bool {
	hash := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(hash[:]) == challenge
}

type refreshToken struct {
	grant    *grant
	number   int // in the order of issue
	lastUsed time.Time
	rotated  bool // another took its place
}

type accessToken struct {
	grant  *grant
	expiry time.Time
}

func (s *Server) newRefreshToken(grant *grant) string {
	token := rand.Text()
	s.refreshTokens[token] = &refreshToken{grant: grant, number: len(s.refreshTokens), lastUsed: s.config.Now()}
	return token
}

func (s *Server) expired(token *refreshToken) bool {
	return s.config.Now().After(token.lastUsed.Add(s.config.RefreshIdle))
}

// EndSessions revokes every refresh token and the access tokens that came with them.
func (s *Server) EndSessions() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, token := range s.refreshTokens {
		token.grant.revoked = true
	}
}

// RefreshToken is the newest valid refresh token, "" if there is none.
func (s *Server) RefreshToken() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	newest, number := "", -1
	for value, token := range s.refreshTokens {
		if token.number > number && !token.rotated && !token.grant.revoked && !s.expired(token) {
			newest, number = value, token.number
		}
	}
	return newest
}

// Reuse is how often a code or refresh token that was used up was presented again.
func (s *Server) Reuse() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.reuse
}
