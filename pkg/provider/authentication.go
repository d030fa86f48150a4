package provider

import (
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// authentication is the one way in which a request says which client asks
// (https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication).
type authentication struct {
	style      oauth2.AuthStyle
	secret     token.Secret
	parameters url.Values // of the form, besides client_id and client_secret
}

// SecretMethod is how a client with a secret says so
// (https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication).
type SecretMethod string

// The methods. The first is the zero value.
const (
	AnySecretMethod   SecretMethod = ""                    // the one that the provider lists; of both, client_secret_basic
	ClientSecretBasic SecretMethod = "client_secret_basic" // in a header
	ClientSecretPost  SecretMethod = "client_secret_post"  // in the form
)

// authentication is chosen from the configuration and the metadata and never by trial, since a code or a rotating refresh
// token must not be sent twice.
func (p *Provider) authentication(from *metadata) (authentication, error) {
	if p.config.ClientAssertion != nil {
		assertion, err := p.config.ClientAssertion()
		// https://www.rfc-editor.org/rfc/rfc7523#section-2.2
		return authentication{style: oauth2.AuthStyleInParams, parameters: url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {assertion.Reveal()},
		}}, err
	}
	secret, err := p.config.clientSecret()
	if err != nil {
		return authentication{}, err
	}
	style := oauth2.AuthStyleInParams
	if !secret.IsEmpty() && p.secretMethod(from) == ClientSecretBasic {
		style = oauth2.AuthStyleInHeader
	}
	return authentication{style: style, secret: secret}, nil
}

// TryCredential returns why what authenticates the client cannot be read. A login tries it first: nobody is asked in vain.
func (p *Provider) TryCredential() error {
	if p.config.ClientAssertion != nil {
		_, err := p.config.ClientAssertion()
		return err
	}
	_, err := p.config.clientSecret()
	return err
}

func (p *Provider) secretMethod(from *metadata) SecretMethod {
	switch listed := from.TokenAuthMethods; {
	case p.config.SecretMethod != AnySecretMethod:
		return p.config.SecretMethod
	// A list without elements is one that should have been left out
	// (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationResponse).
	case len(listed) == 0, slices.Contains(listed, string(ClientSecretBasic)):
		return ClientSecretBasic
	}
	return ClientSecretPost
}

// clientSecret is read at each use where it lies elsewhere, since others may replace it there.
func (c Config) clientSecret() (token.Secret, error) {
	if c.ReadClientSecret == nil {
		return c.ClientSecret, nil
	}
	return c.ReadClientSecret()
}

// sign puts the authentication into a request for other endpoints than that for tokens, where x/oauth2 does it.
func (a authentication) sign(header http.Header, form url.Values, clientID string) {
	for name, values := range a.parameters {
		form[name] = values
	}
	if a.style == oauth2.AuthStyleInHeader {
		// Form-encoded first: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
		request := http.Request{Header: header}
		request.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(a.secret.Reveal()))
		return
	}
	form.Set("client_id", clientID)
	if !a.secret.IsEmpty() {
		form.Set("client_secret", a.secret.Reveal())
	}
}
