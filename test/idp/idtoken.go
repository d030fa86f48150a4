package idp

import (
	"encoding/base64"
	"strings"
	"time"
)

// newIDToken makes a signed ID token.
// https://openid.net/specs/openid-connect-core-1_0.html#IDToken
func (s *Server) newIDToken(grant *grant, occasion occasion, accessToken string) (string, error) {
	now := s.config.Now()
	claims := userClaims(grant.user)
	claims["iss"] = s.issuer
	claims["aud"] = s.config.ClientID
	claims["iat"] = now.Unix()
	claims["exp"] = now.Add(s.behaviour.lifetime).Unix()
	// https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse: still the time of the login
	claims["auth_time"] = grant.authenticatedAt.Unix()
	claims["at_hash"] = accessTokenHash(s.behaviour.algorithm, accessToken)
	if occasion == login && grant.nonce != "" {
		claims["nonce"] = grant.nonce
	}
	if s.behaviour.padding > 0 {
		claims["padding"] = strings.Repeat("x", s.behaviour.padding)
	}
	s.behaviour.override(claims, "claims", string(occasion)+".claims")
	for _, name := range []string{"exp", "iat", "nbf", "auth_time"} {
		if offset, ok := relativeTime(claims[name]); ok {
			claims[name] = now.Add(offset).Unix()
		}
	}
	if s.behaviour.rotateAtSignings {
		if err := s.rotateKeys(); err != nil {
			return "", err
		}
	}
	return s.sign(claims, signing{s.behaviour.algorithm, s.behaviour.signature, "header"})
}

// userClaims says who someone is, whatever the scope, as providers do for Kubernetes.
func userClaims(user User) map[string]any {
	claims := map[string]any{"sub": user.Subject}
	if user.Email != "" {
		claims["email"] = user.Email
		claims["email_verified"] = true
	}
	if user.Name != "" {
		claims["name"] = user.Name
	}
	if len(user.Groups) > 0 {
		claims["groups"] = user.Groups
	}
	return claims
}

// accessTokenHash binds an access token to the ID token that came with it.
// https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken: the left half of the hash
func accessTokenHash(algorithm, accessToken string) string {
	hash := hashOf(algorithm).New()
	hash.Write([]byte(accessToken))
	sum := hash.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// relativeTime understands a claim given as "+10m" or "-1h".
func relativeTime(value any) (offset time.Duration, ok bool) {
	text, _ := value.(string)
	if !strings.HasPrefix(text, "+") && !strings.HasPrefix(text, "-") {
		return 0, false
	}
	offset, err := time.ParseDuration(text)
	return offset, err == nil
}
