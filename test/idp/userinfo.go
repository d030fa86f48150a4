package idp

import (
	"net/http"
	"strings"
)

// userInfo is the UserInfo endpoint.
// https://openid.net/specs/openid-connect-core-1_0.html#UserInfo
func (s *Server) userInfo(r *http.Request) answer {
	presented, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isBearer {
		return challenge("Bearer")
	}
	token, found := s.accessTokens[presented]
	if !found || token.grant.revoked || s.config.Now().After(token.expiry) {
		return challenge(`Bearer error="invalid_token"`)
	}
	return jsonAnswer(http.StatusOK, userClaims(token.grant.user))
}

// challenge asks for another access token.
// https://www.rfc-editor.org/rfc/rfc6750#section-3
func challenge(value string) answer {
	answer := page(http.StatusUnauthorized, "an access token is required")
	answer.header.Set("WWW-Authenticate", value)
	return answer
}
