package provider

import (
	"slices"
	"testing"
)

// What each well-known provider is asked for, where its metadata lists offline_access.
func TestPresets(t *testing.T) {
	t.Parallel()
	for issuer, expected := range map[string]struct {
		offlineAccess bool
		accessType    string
		hint          bool
	}{
		"https://issuer.example": {offlineAccess: true},

		"https://accounts.google.com": {accessType: "offline", hint: true},
		"https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0": {offlineAccess: true, hint: true},
		"https://login.microsoftonline.us/11111111-2222-3333-4444-555555555555/v2.0":  {offlineAccess: true, hint: true},
		"https://dev-4711.okta.com/oauth2/default":                                    {offlineAccess: true, hint: true},
		"https://EXAMPLE.okta-gov.com":                                                {offlineAccess: true, hint: true},
		"https://example.eu.auth0.com/":                                               {offlineAccess: true, hint: true},
		"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc":                   {hint: true},
		"https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Abc":              {hint: true},
		"https://gitlab.com":                          {},
		"https://keycloak.example/realms/people":      {hint: true},
		"https://keycloak.example/auth/realms/people": {hint: true},
		"https://dex.example/dex":                     {offlineAccess: true, hint: true},
		"https://dex.example/dex/":                    {offlineAccess: true, hint: true},

		// Names that only look alike.
		"https://accounts.google.com.issuer.example":             {offlineAccess: true},
		"https://notokta.com":                                    {offlineAccess: true},
		"https://gitlab.com.issuer.example":                      {offlineAccess: true},
		"https://issuer.example/cognito-idp.x.amazonaws.com":     {offlineAccess: true},
		"https://cognito-idp.amazonaws.com.issuer.example/index": {offlineAccess: true},
		"https://issuer.example/index":                           {offlineAccess: true},
	} {
		p := &Provider{config: Config{Issuer: issuer}}
		asked := p.chooseScopes(&metadata{Scopes: []string{"openid", "offline_access"}}).asked
		if got := slices.Contains(asked, "offline_access"); got != expected.offlineAccess {
			t.Errorf("%s: offline_access: got %t", issuer, got)
		}
		if got := p.config.authorizationParameters().Get("access_type"); got != expected.accessType {
			t.Errorf("%s: access_type: got %q", issuer, got)
		}
		if got := p.config.preset().hint != ""; got != expected.hint {
			t.Errorf("%s: has a hint of its own: got %t", issuer, got)
		}
	}
}

// Who sets a parameter or a scope by hand knows better, and a machine needs neither.
func TestPresetsGiveWay(t *testing.T) {
	t.Parallel()
	google := Config{Issuer: "https://accounts.google.com", Parameters: map[string]string{"access_type": "online"}}
	if err := google.checkParameters(); err != nil {
		t.Error(err)
	}
	if got := google.authorizationParameters()["access_type"]; !slices.Equal(got, []string{"online"}) {
		t.Errorf("access_type: got %q", got)
	}
	listed := &metadata{Scopes: []string{"openid", "offline_access"}}
	keycloak := &Provider{config: Config{Issuer: "https://keycloak.example/realms/people", Scopes: []string{"offline_access"}}}
	if got := keycloak.chooseScopes(listed); !slices.Equal(got.asked, []string{"openid", "offline_access"}) || got.spare != "" {
		t.Errorf("scopes asked for by hand: got %q, of which %q may be left out", got.asked, got.spare)
	}
	machine := &Provider{config: Config{Issuer: "https://issuer.example", Grant: ClientCredentials}}
	if got := machine.chooseScopes(listed).asked; !slices.Equal(got, []string{"openid"}) {
		t.Errorf("a machine: got %q", got)
	}
}
