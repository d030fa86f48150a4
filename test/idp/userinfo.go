package idp

import (
	"net/http"
	"strings"
)

// userInfo is the UserInfo endpoint.
// https://openid.net/specs/openid-connect-core-1_0.html#UserInfo
func (s *Server) userInfo(r *http.Request) answer {
	// https://www.rfc-editor.org/rfc/rfc6750#section-2: not more than one way to send the token; the header is the one here
	if r.Form.Has("access_token") || len(r.Header.Values("Authorization")) > 1 {
		return page(http.StatusBadRequest, "the access token belongs in the Authorization header")
	}
	presented, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isBearer {
		return challenge("Bearer")
	}
	token, found := s.accessTokens[presented]
	if !found || token.grant.revoked || s.config.Now().After(token.expiry) {
		return challenge(invalidToken)
	}
	claims := userClaims(token.grant.user)
	if s.behaviour.userInfoSignature != "" {
		return s.signedUserInfo(claims)
	}
	s.behaviour.override(claims, "userinfo")
	return s.userInfoType(jsonAnswer(http.StatusOK, claims))
}

// signedUserInfo answers with a JWT.
// https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse: it should have iss and aud
func (s *Server) signedUserInfo(claims map[string]any) answer {
	claims["iss"] = s.issuer
	claims["aud"] = s.config.ClientID
	s.behaviour.override(claims, "userinfo")
	token, err := s.sign(claims, signing{s.behaviour.userInfoAlgorithm, s.behaviour.userInfoSignature, "userinfo-header"})
	if err != nil {
		return page(http.StatusInternalServerError, err.Error())
	}
	s.keepSecret(token)
	return s.userInfoType(answer{http.StatusOK, http.Header{"Content-Type": {"application/jwt"}}, []byte(token)})
}

// userInfoType gives an answer the type that Set asks for.
func (s *Server) userInfoType(answer answer) answer {
	if s.behaviour.userInfoType != "" {
		answer.header.Set("Content-Type", s.behaviour.userInfoType)
	}
	return answer
}

// https://www.rfc-editor.org/rfc/rfc6750#section-3.1
const invalidToken = `Bearer realm="userinfo", error="invalid_token", error_description="The access token expired"`

// challenge asks for another access token.
// https://www.rfc-editor.org/rfc/rfc6750#section-3
func challenge(value string) answer {
	answer := page(http.StatusUnauthorized, "an access token is required")
	answer.header.Set("WWW-Authenticate", value)
	return answer
}
