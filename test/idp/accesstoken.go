package idp

import (
	"crypto/rand"
	"net/url"
	"slices"
)

// newAccessToken makes an opaque access token, or a JWT where Set asks for one.
func (s *Server) newAccessToken(grant *grant) (string, error) {
	token := rand.Text()
	if s.behaviour.accessTokensJWT {
		var err error
		if token, err = s.signedAccessToken(grant); err != nil {
			return "", err
		}
	}
	s.accessTokens[token] = &accessToken{grant, s.config.Now().Add(s.behaviour.lifetime)}
	return token, nil
}

// signedAccessToken follows https://www.rfc-editor.org/rfc/rfc9068#section-2.
func (s *Server) signedAccessToken(grant *grant) (string, error) {
	now := s.config.Now()
	claims := map[string]any{
		"iss":       s.issuer,
		"sub":       grant.user.Subject,
		"aud":       grant.audience,
		"client_id": s.config.ClientID,
		"scope":     grant.scope,
		"jti":       rand.Text(),
		"iat":       now.Unix(),
		"exp":       now.Add(s.behaviour.lifetime).Unix(),
	}
	s.behaviour.override(claims, "access")
	for _, name := range []string{"exp", "iat", "nbf"} {
		if offset, ok := relativeTime(claims[name]); ok {
			claims[name] = now.Add(offset).Unix()
		}
	}
	return s.sign(claims, signing{s.behaviour.algorithm, s.behaviour.accessSignature, "access-header"})
}

// audienceOf says for whom access tokens of a request are: the resources
// (https://www.rfc-editor.org/rfc/rfc8707#section-2), what some vendors call audience, or else the client.
func (s *Server) audienceOf(query url.Values) []string {
	audience := slices.Concat(query["resource"], query["audience"])
	if len(audience) == 0 {
		return []string{s.config.ClientID}
	}
	return audience
}

// checkResources finds what cannot be a resource.
// https://www.rfc-editor.org/rfc/rfc8707#section-2: an absolute URI without fragment
func checkResources(parameters url.Values) error {
	for _, resource := range parameters["resource"] {
		parsed, err := url.Parse(resource)
		if err != nil || !parsed.IsAbs() || parsed.Fragment != "" {
			return failure{"invalid_target", "the resource is not an absolute URI without fragment"}
		}
	}
	return nil
}
