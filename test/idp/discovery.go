package idp

import "net/http"

// secretMethods are the ways in which a client with a secret can authenticate.
// https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication
var secretMethods = []string{"client_secret_basic", "client_secret_post"}

// offlineAccess is the scope of https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess
const offlineAccess = "offline_access"

// discover answers with the provider's metadata.
// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
func (s *Server) discover(*http.Request) answer {
	authenticationMethods := []string{"none"}
	switch {
	case s.config.ClientAssertion != "":
		authenticationMethods = []string{"private_key_jwt"}
	case s.config.ClientSecret != "" && s.behaviour.authentication != "":
		authenticationMethods = []string{s.behaviour.authentication}
	case s.config.ClientSecret != "":
		authenticationMethods = secretMethods
	}
	document := map[string]any{
		"issuer":                 s.issuer,
		"authorization_endpoint": s.url(Authorization),
		"token_endpoint":         s.url(Token),
		"userinfo_endpoint":      s.url(UserInfo),
		"jwks_uri":               s.url(Keys),
		// https://www.rfc-editor.org/rfc/rfc8628#section-4
		"device_authorization_endpoint": s.url(Device),
		// https://www.rfc-editor.org/rfc/rfc8414#section-2
		"revocation_endpoint":                        s.url(Revocation),
		"revocation_endpoint_auth_methods_supported": authenticationMethods,
		// https://openid.net/specs/openid-connect-rpinitiated-1_0.html#OPMetadata
		"end_session_endpoint":                  s.url(EndSession),
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token", "password", "client_credentials", deviceGrantType},
		"subject_types_supported":               []string{"public"},
		"scopes_supported":                      []string{"openid", "profile", "email", "groups", offlineAccess},
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256"},
		"token_endpoint_auth_methods_supported": authenticationMethods,
		"code_challenge_methods_supported":      []string{"S256"},
		"claims_supported": []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash",
			"email", "email_verified", "name", "groups",
		},
		// https://www.rfc-editor.org/rfc/rfc9207#section-3
		"authorization_response_iss_parameter_supported": true,
	}
	s.behaviour.override(document, "discovery")
	return jsonAnswer(http.StatusOK, document)
}
