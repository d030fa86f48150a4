package cluster

import (
	"strings"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-02", "API-05", "API-25")
	unknown := []string{
		`warning issuer: The API server may be told another issuer than "https://issuer.example.com"`,
		`warning audience: The API server may be told another audience than "kubernetes".`,
		"warning reload: The configuration may be too new: the file is reloaded within about a minute",
		`warning certificate authority: The API server itself may not reach "https://issuer.example.com", or not believe its certificate. It is told no`,
		`note claims: The API server may take the user name from another claim than "sub"`,
	}
	clock := "note clock: The API server's clock may be wrong."
	log := "note log: The API server's log says why"
	for name, test := range map[string]struct {
		change func(*Evidence, *Authentication)
		clock  time.Time
		want   []string
	}{
		"nothing is known":   {both(), time.Time{}, append(clip(unknown), clock, log)},
		"its clock is right": {both(), noon, append(clip(unknown), log)},
		"its clock is ahead": {both(), noon.Add(7 * time.Minute), append(append(
			[]string{"error clock: By the API server's clock, at 12:07:00 UTC, the token ended 6 minutes ago (exp)."}, unknown...), log)},
		"its clock is behind": {claim("nbf", float64(noon.Unix())), noon.Add(-7 * time.Minute), append(append(
			[]string{"error clock: By the API server's clock, at 11:53:00 UTC, the token is not good before 7 minutes (nbf)"}, unknown...), log)},
		"ours is wrong, its is not": {func(e *Evidence, _ *Authentication) { e.Now = noon.Add(time.Hour) }, noon, append(clip(unknown), log)},
		"for sure": {both(without("sub"), claim("aud", "kubernetes")), noon, append(append(
			[]string{`error user name: The API server will refuse the token: the token has no claim "sub"`}, unknown...), log)},
		"elsewhere": {both(without("groups"), claims(map[string]any{
			"_claim_names": map[string]any{"groups": "a"}, "_claim_sources": map[string]any{"a": map[string]any{"endpoint": "https://x"}},
		})), noon, append(append([]string{`warning groups: The token has its groups elsewhere`}, unknown...), log)},
		"no JWT": {func(e *Evidence, _ *Authentication) { e.Header, e.Claims = nil, nil }, noon, []string{"error token: It is not a JWT"}},
	} {
		e, a := good(), usual()
		test.change(&e, &a)
		checkFindings(t, name, Explain(e, a, test.clock), test.want)
	}
}

func clip(texts []string) []string { return texts[:len(texts):len(texts)] }

// People are told where to look.
func TestExplainSaysWhere(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-25")
	e, a := good(), usual()
	e.Header["alg"], a.CertificateAuthority = "ES256", testAuthority
	places := map[string][]string{
		"issuer":                {"issuer.url", "--oidc-issuer-url"},
		"audience":              {"issuer.audiences", "--oidc-client-id"},
		"reload":                {"apiserver_authentication_config_controller_automatic_reloads_total", "anonymous", "restart"},
		"certificate authority": {"issuer.certificateAuthority", "--oidc-ca-file", "believes the issuer's certificate authority alone"},
		"signing algorithm":     {"--oidc-signing-algs", "ES256"},
		"claims":                {"claimMappings", "--oidc-username-claim", "prefix"},
		"clock":                 {"clocks"},
		"log":                   {"Unable to authenticate the request"},
	}
	for _, finding := range Explain(e, a, time.Time{}) {
		checkSentences(t, finding.Subject, finding)
		for _, place := range places[finding.Subject] {
			if !strings.Contains(finding.Text+finding.Remedy, place) {
				t.Errorf("%s is not in: %s %s", place, finding.Text, finding.Remedy)
			}
		}
		delete(places, finding.Subject)
	}
	if len(places) > 0 {
		t.Errorf("nothing is said of %v", places)
	}
}
