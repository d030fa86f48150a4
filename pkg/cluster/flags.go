package cluster

import (
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

const useFileHint = "Use the file for --authentication-config, which can say it."

// Flags returns the --oidc-* flags of kube-apiserver, a word each, not quoted for a shell, with which it sees the same
// names as by Configuration. It takes flags or the file, never both. CAFile is where the issuer's certificate authority
// lies on the API server's machine
// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-flags). No flag can refuse names that
// begin with "system:".
func (a Authentication) Flags(caFile string) ([]string, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	if err := a.checkFlags(caFile); err != nil {
		return nil, err
	}
	flags := []string{"--oidc-issuer-url=" + a.Issuer, "--oidc-client-id=" + a.Audiences[0]}
	if a.CertificateAuthority != "" {
		flags = append(flags, "--oidc-ca-file="+caFile)
	}
	flags = append(flags, "--oidc-username-claim="+a.usernameClaim(), "--oidc-username-prefix="+prefixFlag(a.UsernamePrefix))
	if a.GroupsClaim != "" {
		flags = append(flags, "--oidc-groups-claim="+a.GroupsClaim)
		if a.GroupsPrefix != "" {
			flags = append(flags, "--oidc-groups-prefix="+a.GroupsPrefix)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.RequiredClaims)) {
		flags = append(flags, "--oidc-required-claim="+name+"="+a.RequiredClaims[name])
	}
	if a.signingAlgorithm() != defaultAlgorithm { // of which alone flags think by themselves
		flags = append(flags, "--oidc-signing-algs="+a.signingAlgorithm())
	}
	for _, flag := range flags { // a file can escape what nobody sees
		if untrusted.Harmless(flag) != flag {
			return nil, incomplete(useFileHint, "%s has an invisible character in it", untrusted.Quoted(flag))
		}
	}
	return flags, nil
}

// prefixFlag says "no prefix" as flags do. Without it, all names but email addresses would begin with "ISSUER#".
func prefixFlag(prefix string) string {
	if prefix == "" {
		return "-"
	}
	return prefix
}

// checkFlags refuses what flags cannot say.
func (a Authentication) checkFlags(caFile string) error {
	switch {
	case len(a.Audiences) > 1:
		return incomplete(useFileHint, "audiences: flags of the API server can name one alone")
	case a.UsernamePrefix == "-":
		return incomplete(useFileHint, `user name prefix: as a flag of the API server, "-" means none`)
	case mayBeSystem(a.UsernamePrefix) && a.UsernamePrefix != "", a.GroupsClaim != "" && mayBeSystem(a.GroupsPrefix) && a.GroupsPrefix != "":
		return incomplete("Choose another prefix.", "prefix: a claim could complete it to a name of Kubernetes' own, and no flag of the API server prevents that")
	case a.CertificateAuthority != "" && caFile == "":
		return misused("certificate authority of the issuer: the flag --oidc-ca-file needs a file on the API server's machine")
	}
	if err := checkText(caFile); err != nil {
		return misused("file of the certificate authority: %w", err)
	}
	for name, value := range a.RequiredClaims {
		if strings.Contains(name, "=") || strings.TrimSpace(name) != name || strings.TrimSpace(value) != value {
			return incomplete(useFileHint, "required claims: flags of the API server can say no name with = in it, and no spaces around names and values")
		}
	}
	return nil
}
