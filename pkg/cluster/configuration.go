package cluster

import (
	"maps"
	"slices"
)

// olderVersions is a comment: these API servers know the same members under another version.
const olderVersions = "# For Kubernetes 1.30 to 1.33, apiVersion is apiserver.config.k8s.io/v1beta1.\n"

// Configuration writes the file for the flag --authentication-config
// (https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/#apiserver-config-k8s-io-v1-AuthenticationConfiguration).
func (a Authentication) Configuration() (string, error) {
	if err := a.Validate(); err != nil {
		return "", err
	}
	authenticator := object{{"issuer", a.issuer()}}
	if rules := a.claimValidationRules(); len(rules) > 0 {
		authenticator = append(authenticator, member{"claimValidationRules", rules})
	}
	authenticator = append(authenticator, member{"claimMappings", a.claimMappings()})
	if rules := a.userValidationRules(); len(rules) > 0 {
		authenticator = append(authenticator, member{"userValidationRules", rules})
	}
	return olderVersions + document(object{
		{"apiVersion", "apiserver.config.k8s.io/v1"},
		{"kind", "AuthenticationConfiguration"},
		{"jwt", list{authenticator}},
	}), nil
}

func (a Authentication) issuer() object {
	issuer := object{{"url", a.Issuer}}
	if a.CertificateAuthority != "" {
		certificates, _ := parseCertificates(a.CertificateAuthority) // Validate has done it before
		issuer = append(issuer, member{"certificateAuthority", literal(encodeCertificates(certificates))})
	}
	issuer = append(issuer, member{"audiences", texts(a.Audiences)})
	if len(a.Audiences) > 1 {
		issuer = append(issuer, member{"audienceMatchPolicy", "MatchAny"})
	}
	return issuer
}

func (a Authentication) claimValidationRules() list {
	var rules list
	for _, name := range slices.Sorted(maps.Keys(a.RequiredClaims)) {
		rules = append(rules, object{{"claim", name}, {"requiredValue", a.RequiredClaims[name]}})
	}
	return rules
}

// claimMappings names claims and has no expressions: only of a claim named email does the API server by itself refuse an
// address that the provider has not verified, and only claims have a counterpart in flags.
func (a Authentication) claimMappings() object {
	mappings := object{{"username", object{{"claim", a.usernameClaim()}, {"prefix", a.UsernamePrefix}}}}
	if a.GroupsClaim != "" {
		mappings = append(mappings, member{"groups", object{{"claim", a.GroupsClaim}, {"prefix", a.GroupsPrefix}}})
	}
	return mappings
}

// userValidationRules keep a provider from naming Kubernetes' own users and groups, such as system:masters.
func (a Authentication) userValidationRules() list {
	var rules list
	if mayBeSystem(a.UsernamePrefix) {
		rules = append(rules, object{
			{"expression", "!user.username.startsWith('" + systemPrefix + "')"},
			{"message", "names of users may not begin with " + systemPrefix},
		})
	}
	if a.GroupsClaim != "" && mayBeSystem(a.GroupsPrefix) {
		rules = append(rules, object{
			{"expression", "user.groups.all(group, !group.startsWith('" + systemPrefix + "'))"},
			{"message", "names of groups may not begin with " + systemPrefix},
		})
	}
	return rules
}
