package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// metadata is what the provider says of itself
// (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata).
type metadata struct {
	oidc.ProviderConfig
	CodeChallengeMethods []string `json:"code_challenge_methods_supported"`
	ResponseTypes        []string `json:"response_types_supported"`
	TokenAuthMethods     []string `json:"token_endpoint_auth_methods_supported"`
	Scopes               []string `json:"scopes_supported"`
	UserInfoAlgorithms   []string `json:"userinfo_signing_alg_values_supported"`
	SendsIssuer          bool     `json:"authorization_response_iss_parameter_supported"`
	RevocationURL        string   `json:"revocation_endpoint"`
	EndSessionURL        string   `json:"end_session_endpoint"`
}

const wellKnownPath = "/.well-known/openid-configuration"

// wellKnown is the address of the metadata. One slash at the issuer's end is taken off
// (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest).
func (p *Provider) wellKnown() string {
	return strings.TrimSuffix(p.config.Issuer, "/") + wellKnownPath
}

// discover returns the metadata, kept from before unless fresh is asked for.
func (p *Provider) discover(ctx context.Context, fresh bool) (found *metadata, cached bool, err error) {
	return readDocument(ctx, p, p.wellKnown(), "discovery", fresh, p.readMetadata)
}

// readMetadata refuses what cannot be used, before anybody is asked to log in.
func (p *Provider) readMetadata(body []byte) (*metadata, error) {
	found := &metadata{}
	if err := json.Unmarshal(body, found); err != nil {
		return nil, noDocument("Check --oidc-issuer-url.", "discovery: %s did not answer with a JSON object of provider metadata", p.wellKnown())
	}
	if err := p.checkIssuerOf(found); err != nil {
		return nil, err
	}
	if err := found.checkEndpoints(); err != nil {
		return nil, err
	}
	return found, nil
}

// checkIssuerOf compares byte for byte, as the API server does
// (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation).
func (p *Provider) checkIssuerOf(found *metadata) error {
	if found.IssuerURL == p.config.Issuer {
		return nil
	}
	hint := "Set --oidc-issuer-url to the issuer that the provider states, if you trust it; the API server needs the same."
	switch {
	case strings.ContainsAny(found.IssuerURL, "{}"): // as Entra ID's of "common" and "organizations"
		hint = "That stands for all tenants. Put the ID of yours into --oidc-issuer-url; the API server needs the same."
	case strings.TrimSuffix(found.IssuerURL, "/") == strings.TrimSuffix(p.config.Issuer, "/"):
		hint = fmt.Sprintf("They differ by the slash at the end. Set --oidc-issuer-url=%s; the API server needs the same.",
			untrusted.Printable(found.IssuerURL))
	}
	return failed(hint, "discovery: expected issuer %q, got %q", p.config.Issuer, untrusted.Printable(found.IssuerURL))
}

func (m *metadata) checkEndpoints() error {
	for name, address := range map[string]string{
		"authorization_endpoint": m.AuthURL,
		"token_endpoint":         m.TokenURL,
		"jwks_uri":               m.JWKSURL,
	} {
		if err := checkEndpoint(name, address); err != nil {
			return err
		}
	}
	return nil
}

func checkEndpoint(name, address string) error {
	parsed, err := url.Parse(address)
	if address == "" || err != nil || parsed.Hostname() == "" {
		return failed("The provider's metadata is incomplete; tell its administrator.", "discovery: no usable %s", name)
	}
	if err := checkTransport(parsed); err != nil {
		return failed("The provider's metadata must name https endpoints.", "discovery: %s: %w", name, err)
	}
	return nil
}

// signingAlgorithms are those that the provider announces and that kube-apiserver can verify; RS256 where it announces
// none (https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation, step 7).
func (m *metadata) signingAlgorithms() []string {
	if len(m.Algorithms) == 0 {
		return []string{oidc.RS256}
	}
	return usable(m.Algorithms)
}

// userInfoAlgorithms are those that the provider announces for UserInfo; those of ID tokens where it announces none
// (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata).
func (m *metadata) userInfoAlgorithms() []string {
	if len(m.UserInfoAlgorithms) == 0 {
		return m.signingAlgorithms()
	}
	return usable(m.UserInfoAlgorithms)
}

// usable picks the algorithms whose keys are asymmetric and that kube-apiserver can verify too.
func usable(announced []string) []string {
	all := []string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512,
	}
	return slices.DeleteFunc(all, func(algorithm string) bool { return !slices.Contains(announced, algorithm) })
}
