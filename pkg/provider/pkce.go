package provider

import (
	"errors"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// PKCE says whether a code is of use to this process alone (https://www.rfc-editor.org/rfc/rfc7636).
type PKCE string

// The choices. The first is the zero value.
const (
	PKCEAuto PKCE = ""     // S256; but in the device grant, which does without, only where the provider says that it knows it
	PKCES256 PKCE = "S256" // always
	PKCENone PKCE = "no"   // never, for providers that fail on it
)

// checkPKCE runs before anybody is asked to log in. S256 is sent to every provider, also to one that does not list it:
// those that do not know PKCE ignore it (https://www.rfc-editor.org/rfc/rfc7636#section-5). One that lists other methods
// alone would break the login.
func (p *Provider) checkPKCE(from *metadata) error {
	switch {
	case !p.config.Grant.hasCode():
	case p.config.PKCE == PKCENone:
		// State and nonce stay. What they do not prevent: https://www.rfc-editor.org/rfc/rfc9700#section-4.5.3
		p.config.Warn(errors.New("PKCE is off (--oidc-pkce-method=no); who intercepts the code of this login can log in with it"))
	case len(from.CodeChallengeMethods) > 0 && !from.supportsPKCE():
		return failed("Ask the provider's administrator for PKCE with S256.",
			"discovery: the provider takes the PKCE methods %s, not S256", untrusted.QuotedList(from.CodeChallengeMethods))
	}
	return nil
}

// hasCode reports whether an authorization code comes by way of a browser.
func (g Grant) hasCode() bool { return g == AuthCode || g == AuthCodeKeyboard }

// supportsPKCE reports whether the provider says so.
func (m *metadata) supportsPKCE() bool { return slices.Contains(m.CodeChallengeMethods, "S256") }

// newVerifier makes the secret of one login by code; empty: without PKCE.
func (p *Provider) newVerifier() string {
	if p.config.PKCE == PKCENone {
		return ""
	}
	return oauth2.GenerateVerifier()
}

// newDeviceVerifier is for the device grant. Some providers that know PKCE ask for it there too.
func (p *Provider) newDeviceVerifier(from *metadata) string {
	if p.config.PKCE != PKCES256 && !from.supportsPKCE() {
		return ""
	}
	return p.newVerifier()
}

// addChallenge is for the request that the verifier's holder begins with (https://www.rfc-editor.org/rfc/rfc7636#section-4.3).
func addChallenge(request url.Values, verifier string) {
	if verifier != "" {
		request.Set("code_challenge", oauth2.S256ChallengeFromVerifier(verifier))
		request.Set("code_challenge_method", "S256")
	}
}

// addVerifier is for the request that ends it (https://www.rfc-editor.org/rfc/rfc7636#section-4.5).
func addVerifier(request url.Values, verifier string) {
	if verifier != "" {
		request.Set("code_verifier", verifier)
	}
}
