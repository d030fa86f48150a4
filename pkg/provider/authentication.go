package provider

import (
	"slices"

	"golang.org/x/oauth2"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// authentication is the one way in which a request says which client asks
// (https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication).
type authentication struct {
	style  oauth2.AuthStyle
	secret token.Secret
}

// authentication is chosen from the configuration and the metadata and never by trial, since a code or a rotating refresh
// token must not be sent twice.
func (p *Provider) authentication(from *metadata) (authentication, error) {
	secret, err := p.config.clientSecret()
	if err != nil {
		return authentication{}, err
	}
	style := oauth2.AuthStyleInParams
	if !secret.IsEmpty() &&
		(from.TokenAuthMethods == nil || slices.Contains(from.TokenAuthMethods, "client_secret_basic")) {
		style = oauth2.AuthStyleInHeader
	}
	return authentication{style: style, secret: secret}, nil
}

// clientSecret is read at each use where it lies elsewhere, since others may replace it there.
func (c Config) clientSecret() (token.Secret, error) {
	if c.ReadClientSecret == nil {
		return c.ClientSecret, nil
	}
	return c.ReadClientSecret()
}
