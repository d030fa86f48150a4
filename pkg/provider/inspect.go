package provider

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// Report is what the provider says of itself, as far as a login and an API server depend on it.
type Report struct {
	CodeFlow     bool     // https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
	S256         bool     // it says that it knows PKCE with S256
	PKCE         bool     // it says which methods of PKCE it knows
	Algorithms   []string // of its ID tokens that an API server can verify; empty: none
	Keys         []byte   // its key set, JSON
	UsableKeys   int      // how many of those can verify an ID token
	OfflineScope bool     // it lists the scope offline_access
	DeviceFlow   bool
	Revocation   bool
	EndSession   bool
	// Skew is how far this machine's clock is ahead of the provider's; it is zero where that does not say.
	Skew time.Duration
}

// Inspect asks for metadata and keys anew. What no login could do with is an error.
func (p *Provider) Inspect(ctx context.Context) (Report, error) {
	body, header, err := p.get(ctx, p.wellKnown(), "discovery")
	if err != nil {
		return Report{}, err
	}
	found, err := p.readMetadata(body)
	if err != nil {
		return Report{}, err
	}
	keySet, _, err := p.get(ctx, found.JWKSURL, "signing keys")
	if err != nil {
		return Report{}, err
	}
	keys, ok := parseKeys(keySet)
	if !ok {
		return Report{}, noDocument("Tell the provider's administrator.", "signing keys: %s did not answer with a JSON Web Key Set",
			untrusted.Printable(found.JWKSURL))
	}
	return Report{
		CodeFlow:     len(found.ResponseTypes) == 0 || slices.Contains(found.ResponseTypes, "code"),
		S256:         found.supportsPKCE(),
		PKCE:         len(found.CodeChallengeMethods) > 0,
		Algorithms:   found.signingAlgorithms(),
		Keys:         keySet,
		UsableKeys:   len(keys),
		OfflineScope: slices.Contains(found.Scopes, offlineAccess),
		DeviceFlow:   found.DeviceAuthURL != "",
		Revocation:   found.RevocationURL != "",
		EndSession:   found.EndSessionURL != "",
		Skew:         p.skew(header),
	}, nil
}

// skew compares with the Date header, which has whole seconds (https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1).
func (p *Provider) skew(header http.Header) time.Duration {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	return p.config.Now().Sub(date).Round(time.Second)
}
