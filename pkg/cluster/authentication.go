package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// Authentication is what an API server must be told to take the tokens of one issuer
// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration).
type Authentication struct {
	Issuer               string   // byte for byte as in the tokens
	Audiences            []string // a token must be for one of them; mostly the client ID alone
	CertificateAuthority string   // of the issuer, PEM; empty: the authorities that the API server's machine knows
	UsernameClaim        string   // empty: sub
	UsernamePrefix       string   // empty: none
	GroupsClaim          string   // empty: nobody is in a group
	GroupsPrefix         string   // empty: none
	// RequiredClaims are names of claims and the values, texts, that a token must have in them.
	RequiredClaims map[string]string
	// SigningAlgorithm is that of the tokens; empty: RS256. Only flags have to say it.
	SigningAlgorithm string
}

// systemPrefix begins the names of Kubernetes' own users and groups
// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects).
const systemPrefix = "system:"

const defaultAlgorithm = "RS256"

// signingAlgorithms are all that kube-apiserver knows.
func signingAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"}
}

func (a Authentication) usernameClaim() string { return cmp.Or(a.UsernameClaim, "sub") }

func (a Authentication) signingAlgorithm() string {
	return cmp.Or(a.SigningAlgorithm, defaultAlgorithm)
}

// Validate returns the first thing that an API server would refuse, or that cannot be meant.
func (a Authentication) Validate() error {
	for _, problem := range a.problems() {
		return misused("%s: %w", problem.subject, problem.err)
	}
	return nil
}

// problem is what is wrong with one part of a configuration.
type problem struct {
	subject string
	err     error
}

func (a Authentication) problems() []problem {
	var problems []problem
	for _, part := range []problem{
		{"issuer URL", checkIssuer(a.Issuer)},
		{"audiences", checkAudiences(a.Audiences)},
		{"certificate authority of the issuer", checkCertificates(a.CertificateAuthority)},
		{"user name claim", checkText(a.UsernameClaim)},
		{"user name prefix", checkPrefix(a.UsernamePrefix)},
		{"groups claim", checkText(a.GroupsClaim)},
		{"groups prefix", checkPrefix(a.GroupsPrefix)},
		{"required claims", checkRequiredClaims(a.RequiredClaims)},
		{"signing algorithm", checkAlgorithm(a.signingAlgorithm())},
	} {
		if part.err != nil {
			problems = append(problems, part)
		}
	}
	return problems
}

// checkIssuer has the API server's rules, and one more: without a host there is nobody to ask.
func checkIssuer(issuer string) error {
	parsed, err := url.Parse(issuer)
	switch {
	case err != nil:
		return errors.New("it is not a URL")
	case parsed.Scheme != "https":
		return errors.New("the API server takes https alone")
	case parsed.User != nil:
		return errors.New("it may not have a user name or password in it")
	case parsed.RawQuery != "":
		return errors.New("it may not have a query (?)")
	case parsed.Fragment != "":
		return errors.New("it may not have a fragment (#)")
	case parsed.Hostname() == "":
		return errors.New("it has no host")
	}
	return checkText(issuer)
}

func checkAudiences(audiences []string) error {
	if len(audiences) == 0 {
		return errors.New("the API server needs one at least, mostly the client ID")
	}
	for i, audience := range audiences {
		if audience == "" {
			return errors.New("one of them is empty")
		}
		if slices.Contains(audiences[:i], audience) {
			return fmt.Errorf("%s is there twice", untrusted.Quoted(audience))
		}
		if err := checkText(audience); err != nil {
			return err
		}
	}
	return nil
}

func checkCertificates(bundle string) error {
	if bundle == "" {
		return nil
	}
	_, err := parseCertificates(bundle)
	if err != nil {
		return fmt.Errorf("it %w", err)
	}
	return nil
}

func checkPrefix(prefix string) error {
	if strings.HasPrefix(prefix, systemPrefix) {
		return fmt.Errorf("%s begins with %s, which is for Kubernetes itself", untrusted.Quoted(prefix), systemPrefix)
	}
	return checkText(prefix)
}

func checkRequiredClaims(required map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(required)) {
		if name == "" {
			return errors.New("one of them has no name")
		}
		if err := cmp.Or(checkText(name), checkText(required[name])); err != nil {
			return err
		}
	}
	return nil
}

func checkAlgorithm(algorithm string) error {
	if !slices.Contains(signingAlgorithms(), algorithm) {
		return fmt.Errorf("kube-apiserver does not know %s", untrusted.Quoted(algorithm))
	}
	return nil
}

var errControl = errors.New("it has a control character in it, or is not UTF-8")

// checkText refuses what no name has, and what one line cannot show.
func checkText(text string) error {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return errControl
	}
	return nil
}

// mayBeSystem is true where a claim could complete the prefix to a name of Kubernetes' own.
func mayBeSystem(prefix string) bool { return strings.HasPrefix(systemPrefix, prefix) }

// Identity predicts whom the API server sees behind a token with these claims. The error says why it would see nobody.
func (a Authentication) Identity(claims map[string]any) (Identity, error) {
	username, err := a.username(claims)
	if err != nil {
		return Identity{}, fmt.Errorf("user name: %w", err)
	}
	groups, err := a.groups(claims)
	if err != nil {
		return Identity{}, fmt.Errorf("groups: %w", err)
	}
	return Identity{Username: username, Groups: groups}.harmless(), nil
}

// username has the rules of kube-apiserver's claim mapping, down to what an email address needs.
func (a Authentication) username(claims map[string]any) (string, error) {
	name := a.usernameClaim()
	value, ok := claims[name]
	if !ok {
		return "", fmt.Errorf("the token has no claim %s", untrusted.Quoted(name))
	}
	text, ok := decoded[string](value)
	if !ok {
		return "", fmt.Errorf("the claim %s is not a text", untrusted.Quoted(name))
	}
	if text == "" {
		return "", fmt.Errorf("the claim %s is empty", untrusted.Quoted(name))
	}
	if verified, ok := claims["email_verified"]; ok && name == "email" {
		if isVerified, ok := decoded[bool](verified); !ok || !isVerified {
			return "", errors.New("the provider has not verified the email address (email_verified)")
		}
	}
	if full := a.UsernamePrefix + text; !strings.HasPrefix(full, systemPrefix) {
		return full, nil
	}
	return "", fmt.Errorf("%s begins with %s, which is for Kubernetes itself", untrusted.Quoted(text), systemPrefix)
}

// groups may be none: the claim is optional. One text is one group.
func (a Authentication) groups(claims map[string]any) ([]string, error) {
	value, ok := claims[a.GroupsClaim]
	if !ok || a.GroupsClaim == "" {
		return nil, nil
	}
	groups, ok := textOrTexts(value)
	if !ok {
		return nil, fmt.Errorf("the claim %s is neither a text nor a list of texts", untrusted.Quoted(a.GroupsClaim))
	}
	for i, group := range groups {
		groups[i] = a.GroupsPrefix + group
		if strings.HasPrefix(groups[i], systemPrefix) {
			return nil, fmt.Errorf("%s begins with %s, which is for Kubernetes itself", untrusted.Quoted(group), systemPrefix)
		}
	}
	return groups, nil
}

// Compare holds whom the API server sees against whom Identity predicted.
func Compare(predicted, seen Identity) []Finding {
	predicted, seen = predicted.harmless(), seen.harmless()
	findings := compareNames(predicted.Username, seen.Username)
	var missing, more []string
	for _, group := range predicted.Groups {
		if !slices.Contains(seen.Groups, group) {
			missing = append(missing, group)
		}
	}
	for _, group := range seen.Groups {
		// It adds groups of its own, such as system:authenticated.
		if !slices.Contains(predicted.Groups, group) && !strings.HasPrefix(group, systemPrefix) {
			more = append(more, group)
		}
	}
	if len(missing)+len(more) == 0 {
		return append(findings, found(OK, "groups", "", "The API server sees the groups of the token: %s.", untrusted.QuotedList(predicted.Groups))...)
	}
	return append(findings, found(Warning, "groups",
		"Compare claimMappings.groups in its configuration, or its flags --oidc-groups-claim and --oidc-groups-prefix.",
		"The API server sees other groups than the token has for it. Missing: %s. Unexpected: %s.", untrusted.QuotedList(missing), untrusted.QuotedList(more))...)
}

func compareNames(predicted, seen string) []Finding {
	switch seen {
	case predicted:
		return found(OK, "user name", "", "The API server sees %s, as the token says.", untrusted.Quoted(seen))
	case anonymous:
		return found(Error, "user name", passOnHint, "The API server sees nobody: the token does not arrive.")
	}
	return found(Warning, "user name",
		"Compare claimMappings.username in its configuration, or its flags --oidc-username-claim and --oidc-username-prefix.",
		"The API server sees %s, where the token was to make it see %s.", untrusted.Quoted(seen), untrusted.Quoted(predicted))
}

// incomplete wraps what one way of configuring cannot say.
func incomplete(hint, format string, arguments ...any) error {
	return &token.Error{Kind: token.Misused, Err: fmt.Errorf(format, arguments...), Hint: []string{hint}}
}
