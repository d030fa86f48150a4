package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess
const offlineAccess = "offline_access"

// scopeChoice is what one login asks for: the scopes of the identity, and one that is worth a try.
type scopeChoice struct {
	asked  []string
	spare  string // can be left out; empty: nothing can
	refuse func(scope string)
}

// chooseScopes adds offline_access where the provider lists it, and refresh tokens do not come or are not better without.
// It is no part of the identity: what is in the ID token does not change by it.
func (p *Provider) chooseScopes(from *metadata) *scopeChoice {
	choice := &scopeChoice{asked: p.config.scopes(), refuse: func(scope string) {
		p.config.Log.Info("the provider refused a scope; asking again without it", "scope", scope)
	}}
	if p.config.Grant.isForMachines() || p.config.preset().withoutOfflineAccess ||
		!slices.Contains(from.Scopes, offlineAccess) || slices.Contains(choice.asked, offlineAccess) {
		return choice
	}
	choice.spare = offlineAccess
	choice.asked = append(choice.asked, offlineAccess)
	return choice
}

// yields reports whether an error is about scopes and one can be left out, which it then is. It is true once.
func (c *scopeChoice) yields(err error) bool {
	if c.spare == "" || oauthCode(err) != "invalid_scope" {
		return false
	}
	c.refuse(c.spare)
	c.asked = slices.DeleteFunc(c.asked, func(scope string) bool { return scope == c.spare })
	c.spare = ""
	return true
}

// form is the parameter of requests.
func (c *scopeChoice) form() string { return strings.Join(c.asked, " ") }

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
	if len(got.scopes) == 0 {
		return
	}
	missing := slices.DeleteFunc(p.config.scopes(), func(scope string) bool { return wasGranted(scope, got) })
	if len(missing) > 0 {
		p.config.Warn(fmt.Errorf("the provider did not grant the scope %s", untrusted.QuotedList(missing)))
	}
}

// checkRefreshable tells the person that they will be asked again soon, and what can be done about that.
func (p *Provider) checkRefreshable(got answer, scopes *scopeChoice) {
	if !got.refreshToken.IsEmpty() || p.config.Grant.isForMachines() {
		return
	}
	const cause = "the provider gave no refresh token, so you log in again when this token expires"
	hint := p.config.preset().hint
	switch {
	case hint != "":
	case slices.Contains(scopes.asked, offlineAccess):
		// https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess lets a provider insist on a consent.
		hint = "allow the client refresh tokens at the provider, or try --oidc-auth-request-extra-params=prompt=consent"
	default:
		hint = "try --oidc-extra-scope=offline_access, or allow the client refresh tokens at the provider"
	}
	p.config.Warn(errors.New(cause + "; " + hint))
}

// wasGranted also knows scopes under the long names that some providers answer with, such as
// https://www.googleapis.com/auth/userinfo.email, and that a refresh token says enough of offline_access, as an ID token does
// of openid: Entra ID names neither beside the scopes of an API.
func wasGranted(scope string, got answer) bool {
	return scope == offlineAccess && !got.refreshToken.IsEmpty() || scope == "openid" && !got.idToken.IsEmpty() ||
		slices.ContainsFunc(got.scopes, func(granted string) bool {
			return granted == scope || strings.HasSuffix(granted, "."+scope) || strings.HasSuffix(granted, "/"+scope)
		})
}
