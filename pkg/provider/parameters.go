package provider

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// protocolParameters are those that a login depends on: nobody may set them, in any letter case.
func protocolParameters() []string {
	return []string{
		"client_assertion", "client_assertion_type", "client_id", "client_secret", "code", "code_challenge",
		"code_challenge_method", "code_verifier", "device_code", "grant_type", "iss", "nonce", "password", "redirect_uri",
		"refresh_token", "request", "request_uri", "response_mode", "response_type", "scope", "state", "username",
	}
}

// checkParameters judges what is asked for besides the protocol.
func (c Config) checkParameters() error {
	own := c
	own.Parameters, own.Issuer = nil, "" // a preset gives way
	taken := own.authorizationParameters()
	for name := range c.Parameters {
		switch {
		case slices.Contains(protocolParameters(), strings.ToLower(name)):
			return fmt.Errorf("the parameter %s belongs to the protocol and cannot be set", name)
		case name == "":
			return errors.New("a parameter has no name")
		case taken.Has(name):
			return fmt.Errorf("the parameter %s is given in two ways", name)
		}
	}
	// https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
	if prompts := strings.Fields(c.Parameters["prompt"]); len(prompts) > 1 && slices.Contains(prompts, "none") {
		return errors.New("the parameter prompt has none together with another value")
	}
	return c.checkResources()
}

// checkResources applies https://www.rfc-editor.org/rfc/rfc8707#section-2.
func (c Config) checkResources() error {
	for _, resource := range c.Resources {
		parsed, err := url.Parse(resource)
		if err != nil || !parsed.IsAbs() || strings.Contains(resource, "#") {
			return fmt.Errorf("resource %q is not an absolute URI without fragment", untrusted.Printable(resource))
		}
	}
	return nil
}

// warnOfResources tells of resources that a provider is likely to refuse (https://www.rfc-editor.org/rfc/rfc8707#section-2).
func (p *Provider) warnOfResources() {
	for _, resource := range p.config.Resources {
		if strings.Contains(resource, "?") {
			p.config.Warn(fmt.Errorf("the resource %s has a query, which it should not", untrusted.Printable(resource)))
		}
	}
}

// authorizationParameters are what an authorization request says besides the protocol: what to ask for, and how to ask
// the person.
func (c Config) authorizationParameters() url.Values {
	parameters := c.parameters()
	if c.Account != "" {
		parameters.Set("login_hint", c.Account)
	}
	if c.SelectAccount {
		parameters.Set("prompt", "select_account")
	}
	for name, value := range c.preset().parameters {
		if !parameters.Has(name) {
			parameters.Set(name, value)
		}
	}
	return parameters
}

// parameters are what a request asks for besides the protocol. They shape the tokens, so they belong to the identity.
func (c Config) parameters() url.Values {
	parameters := url.Values{}
	for name, value := range c.Parameters {
		parameters.Set(name, value)
	}
	if len(c.ACRValues) > 0 {
		parameters.Set("acr_values", strings.Join(c.ACRValues, " "))
	}
	if c.MaxAge != nil {
		parameters.Set("max_age", strconv.Itoa(int(c.MaxAge.Seconds())))
	}
	if c.Audience != "" {
		parameters.Set("audience", c.Audience)
	}
	if len(c.Resources) > 0 {
		parameters["resource"] = c.Resources
	}
	return parameters
}

// target is what a request without the browser is asked for. A client that logs in as itself has no other request.
func (c Config) target() url.Values {
	if c.Grant == ClientCredentials {
		return c.parameters()
	}
	target := url.Values{}
	for name, values := range c.parameters() {
		if name == "audience" || name == "resource" {
			target[name] = values
		}
	}
	return target
}

// invalidTarget is for https://www.rfc-editor.org/rfc/rfc8707#section-2.
func (p *Provider) invalidTarget(what, description string) error {
	asked := p.config.parameters()
	return &token.Error{
		Kind: token.Refused,
		Err: fmt.Errorf("%s: the provider refused the resource %s: %s", what,
			untrusted.QuotedList(slices.Concat(asked["resource"], asked["audience"])), describe("invalid_target", description)),
		Hint: []string{"Check --oidc-resource. The provider must know each, and the client must be allowed to use it."},
	}
}
