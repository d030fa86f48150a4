package provider

import (
	"net/url"
	"slices"
	"strings"
)

// preset is what a well-known provider needs for a refresh token, from its public documents.
type preset struct {
	isMeant func(issuer *url.URL) bool
	// withoutOfflineAccess: refresh tokens come without that scope, or better so.
	withoutOfflineAccess bool
	parameters           map[string]string // of the authorization request
	hint                 string            // what to do where no refresh token came; empty: nothing special
}

// presets are in the order in which they are tried. Providers that run under any name are known by their path.
func presets() []preset {
	return []preset{
		{
			// https://developers.google.com/identity/protocols/oauth2/native-app knows no offline_access. A client for the
			// web needs access_type, and gets a refresh token at the first consent alone.
			isMeant:              hosts("accounts.google.com"),
			withoutOfflineAccess: true,
			parameters:           map[string]string{"access_type": "offline"},
			hint:                 `make the client one of the type "Desktop app", or take this program's access away in your Google account and log in again`,
		},
		{
			// https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-offline_access-scope
			isMeant: hosts("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "sts.windows.net"),
			hint:    "use the issuer that ends in /v2.0, and allow the client offline_access in its API permissions",
		},
		{
			// https://developer.okta.com/docs/guides/refresh-tokens/
			isMeant: hosts(".okta.com", ".oktapreview.com", ".okta-emea.com", ".okta-gov.com"),
			hint:    "turn on the grant type Refresh Token in the settings of the application",
		},
		{
			// https://auth0.com/docs/secure/tokens/refresh-tokens/get-refresh-tokens
			isMeant: hosts(".auth0.com"),
			hint:    "turn on the grant type Refresh Token for the application and, with --oidc-audience, Allow Offline Access for that API",
		},
		{
			// https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html knows no offline_access.
			isMeant: func(issuer *url.URL) bool {
				return strings.HasPrefix(issuer.Hostname(), "cognito-idp.") && hosts(".amazonaws.com", ".amazonaws.com.cn")(issuer)
			},
			withoutOfflineAccess: true,
			hint:                 "turn on ALLOW_REFRESH_TOKEN_AUTH for the app client",
		},
		{
			// https://docs.gitlab.com/integration/openid_connect_provider/ knows no offline_access.
			isMeant:              hosts("gitlab.com"),
			withoutOfflineAccess: true,
		},
		{
			// Each login brings a refresh token that ends with the session. That of offline_access would outlive the logout
			// (https://www.keycloak.org/docs/latest/server_admin/#_offline-access).
			isMeant:              func(issuer *url.URL) bool { return strings.Contains(issuer.Path, "/realms/") },
			withoutOfflineAccess: true,
			hint:                 `turn on "Use refresh tokens" in the client's advanced settings`,
		},
		{
			// https://dexidp.io/docs/configuration/tokens/
			isMeant: func(issuer *url.URL) bool { return strings.HasSuffix(strings.TrimSuffix(issuer.Path, "/"), "/dex") },
			hint:    "the connector that you chose at Dex may not know refresh tokens, or Dex restricts them by the client's allowed scopes",
		},
	}
}

// preset is that of the issuer; without one it is empty.
func (c Config) preset() preset {
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return preset{}
	}
	for _, preset := range presets() {
		if preset.isMeant(issuer) {
			return preset
		}
	}
	return preset{}
}

// hosts matches names, and with a dot before it any name below.
func hosts(names ...string) func(*url.URL) bool {
	return func(issuer *url.URL) bool {
		host := strings.ToLower(issuer.Hostname())
		return slices.ContainsFunc(names, func(name string) bool {
			return host == name || strings.HasPrefix(name, ".") && strings.HasSuffix(host, name)
		})
	}
}
