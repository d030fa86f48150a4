package idp

import "net/http"

// revoke is the revocation endpoint.
// https://www.rfc-editor.org/rfc/rfc7009#section-2
func (s *Server) revoke(r *http.Request) answer {
	if err := checkTokenRequest(r); err != nil {
		return tokenError(err)
	}
	// https://www.rfc-editor.org/rfc/rfc7009#section-2.1: before the token is looked at
	if err := s.authenticateClient(r); err != nil {
		return tokenError(err)
	}
	presented := r.PostForm.Get("token")
	if presented == "" {
		return tokenError(failure{"invalid_request", "token is missing"})
	}
	// https://www.rfc-editor.org/rfc/rfc7009#section-2.1: a wrong hint only makes the search longer
	if token, found := s.refreshTokens[presented]; found {
		token.grant.revoked = true
	}
	delete(s.accessTokens, presented)
	// https://www.rfc-editor.org/rfc/rfc7009#section-2.2: 200 for tokens that nobody knows too; the body means nothing
	return answer{status: http.StatusOK}
}
