package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
)

// audiences are those that the API server has to expect of a token with these claims. An ID token is made for the client. An
// access token can be for several APIs: of its audiences it is those that were asked for that count, else the client, and
// all where it has neither.
func (o *options) audiences(claims map[string]any) []string {
	client := []string{o.provider.clientID}
	named := textsOf(claims["aud"])
	if !o.request.useAccessToken || len(named) == 0 {
		return client
	}
	for _, meant := range [][]string{o.request.audiences(), client} {
		isMeant := func(audience string) bool { return slices.Contains(meant, audience) }
		if slices.ContainsFunc(named, isMeant) {
			return slices.DeleteFunc(named, func(audience string) bool { return !isMeant(audience) })
		}
	}
	return named
}

// audiences are those that were asked for.
func (o *requestOptions) audiences() []string {
	if o.audience == "" {
		return o.resources
	}
	return append([]string{o.audience}, o.resources...)
}

// judgeAudiences warns of a cluster that has to let in whoever has a token for something else.
func (o *options) judgeAudiences(expected []string) []cluster.Finding {
	meant := slices.Concat(o.request.audiences(), []string{o.provider.clientID})
	if slices.ContainsFunc(expected, func(audience string) bool { return slices.Contains(meant, audience) }) {
		return nil
	}
	var quoted []string
	for _, audience := range expected {
		quoted = append(quoted, fmt.Sprintf("%q", audience))
	}
	return []cluster.Finding{{
		Severity: cluster.Warning,
		Subject:  "audience",
		Text: "The token is for " + strings.Join(quoted, ", ") + " (aud), and not for this client. The API server has to take all tokens that are, " +
			"also those of other clients.",
		Remedy: "Ask for an audience of this cluster's own with --oidc-audience or --oidc-resource, or have the provider put the client into aud.",
	}}
}
