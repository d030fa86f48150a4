package cli

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// showProvider tells what the provider says of itself, before anybody is asked to log in. What no API server could take
// is an error.
func (s *setup) showProvider(report provider.Report) error {
	s.page.section("The provider %s", s.options.provider.issuerURL)
	s.page.findings(judgeProvider(s.options.provider.issuerURL, report))
	uris := s.options.redirectURIs()
	if len(uris) > 0 {
		s.page.section("Register these redirect URIs at the provider, for the client %s", s.options.provider.clientID)
	}
	for _, uri := range uris {
		s.page.line("  %s", uri)
	}
	switch {
	case strings.HasPrefix(s.options.provider.issuerURL, "http://"):
		return &token.Error{Kind: token.Misused, Err: errors.New("the issuer is plain http, which kube-apiserver refuses"),
			Hint: []string{"Give the provider a certificate, and an issuer that begins with https."}}
	case len(report.Algorithms) == 0:
		return &token.Error{Kind: token.Refused, Err: errors.New("the provider signs ID tokens with no algorithm that an API server can verify"),
			Hint: []string{"Let the provider sign with RS256 or ES256."}}
	case report.UsableKeys == 0:
		return &token.Error{Kind: token.Refused, Err: errors.New("the provider publishes no key that can verify an ID token"),
			Hint: []string{"Tell the provider's administrator."}}
	}
	return s.page.err
}

// A clock may differ by this much: tokens that live for a minute work still.
const toldSkew = 10 * time.Second

// judgeProvider is also what doctor says. That there is a report at all means that the issuer answered, by https or on
// this machine, and named itself as it was asked.
func judgeProvider(issuer string, report provider.Report) []cluster.Finding {
	findings := []cluster.Finding{{Subject: "discovery", Text: "The provider names itself as it is asked."}}
	if strings.HasPrefix(issuer, "http://") {
		findings = append(findings, cluster.Finding{Severity: cluster.Error, Subject: "issuer",
			Text: "It is plain http, which kube-apiserver refuses.", Remedy: "Give the provider a certificate, and an issuer that begins with https."})
	}
	add := func(ok bool, subject, good, bad, remedy string) {
		finding := cluster.Finding{Subject: subject, Text: good}
		if !ok {
			finding = cluster.Finding{Severity: cluster.Warning, Subject: subject, Text: bad, Remedy: remedy}
		}
		findings = append(findings, finding)
	}
	add(report.CodeFlow, "flow", "It knows the authorization code flow.", "It does not list the authorization code flow.",
		"Allow the client the authorization code flow.")
	if report.PKCE {
		add(report.S256, "PKCE", "It knows S256.", "It knows PKCE without S256, so a login fails.", "Turn PKCE with S256 on, or try --oidc-pkce-method=no.")
	} else {
		findings = append(findings, cluster.Finding{Severity: cluster.Note, Subject: "PKCE",
			Text: "It does not say whether it knows S256; a login sends it all the same."})
	}
	add(len(report.Algorithms) > 0, "signatures", "ID tokens are signed with "+strings.Join(report.Algorithms, " or ")+".",
		"ID tokens are signed with no algorithm that an API server can verify.", "Let the provider sign with RS256 or ES256.")
	add(report.UsableKeys > 0, "keys", fmt.Sprintf("%d of its keys can verify ID tokens.", report.UsableKeys),
		"None of its keys can verify ID tokens.", "Tell the provider's administrator.")
	add(report.Skew.Abs() <= toldSkew, "clock", "This machine and the provider agree on the time.",
		fmt.Sprintf("This machine's clock is %s off the provider's.", report.Skew.Abs()), "Set the clock; best by NTP.")
	if !report.Revocation {
		findings = append(findings, cluster.Finding{Severity: cluster.Note, Subject: "logout",
			Text: "It has no revocation endpoint, so a logout can only use the refresh token up."})
	}
	return findings
}

// redirectURIs are those that a login may use. Most grants have none.
func (o *options) redirectURIs() []string {
	switch grant, err := o.grant.grant(); {
	case err == nil && grant == provider.AuthCodeKeyboard:
		return []string{o.grant.keyboardRedirect(o.provider.redirectURL)}
	case err != nil || grant != provider.AuthCode:
		return nil
	}
	if o.provider.redirectURL != "" {
		return []string{o.provider.redirectURL}
	}
	scheme := "http"
	if o.login.server.certificate != "" {
		scheme = "https"
	}
	var uris []string
	for _, address := range o.login.listenAddresses {
		if _, port, err := net.SplitHostPort(address); err == nil && port != "0" {
			uris = append(uris, (&url.URL{Scheme: scheme, Host: net.JoinHostPort("localhost", port)}).String())
		}
	}
	if len(uris) == 0 {
		return []string{scheme + "://localhost (on any port)"}
	}
	return uris
}
