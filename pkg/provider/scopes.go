package provider

import (
	"fmt"
	"slices"
	"strings"
)

// checkListed notes scopes that the provider does not list. It need not list all that it knows
// (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata), so this is for the log.
func (p *Provider) checkListed(from *metadata) {
	if len(from.Scopes) == 0 {
		return
	}
	for _, scope := range p.config.scopes() {
		if !slices.Contains(from.Scopes, scope) {
			p.config.Log.Warn("the provider does not list a scope that is asked for", "scope", scope)
		}
	}
}

// checkGranted tells the person which scopes they did not get, since claims will be missing
// (https://www.rfc-editor.org/rfc/rfc6749#section-3.3). An answer that names none grants all.
func (p *Provider) checkGranted(got answer) {
	if len(got.scopes) > 0 {
		missing := slices.DeleteFunc(p.config.scopes(), func(scope string) bool { return wasGranted(scope, got) })
		if len(missing) > 0 {
			p.config.Warn(fmt.Errorf("the provider did not grant the scope %s", quoteList(missing)))
		}
	}
	if got.refreshToken.IsEmpty() {
		p.config.Log.Info("the provider gave no refresh token, so each new token needs a login; the scope offline_access may bring one")
	}
}

// wasGranted also knows scopes under the long names that some providers answer with, such as
// https://www.googleapis.com/auth/userinfo.email, and that a refresh token says enough of offline_access.
func wasGranted(scope string, got answer) bool {
	return scope == "offline_access" && !got.refreshToken.IsEmpty() ||
		slices.ContainsFunc(got.scopes, func(granted string) bool {
			return granted == scope || strings.HasSuffix(granted, "."+scope) || strings.HasSuffix(granted, "/"+scope)
		})
}
