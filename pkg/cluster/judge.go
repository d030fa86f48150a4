package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// Session says what is known of the refresh token.
type Session int

const (
	// SessionUnknown is not judged.
	SessionUnknown Session = iota
	// SessionNone is a login that brought no refresh token.
	SessionNone
	// SessionStarted is a login that brought one, which was not used yet.
	SessionStarted
	// SessionRotates is a refresh that brought another refresh token.
	SessionRotates
	// SessionStatic is a refresh that brought the same refresh token again.
	SessionStatic
)

// Evidence is what is known of the token that goes to the API server. It has no secret in it.
type Evidence struct {
	Header   map[string]any // of the JWT; nil, as the claims: it is no JWT
	Claims   map[string]any
	Size     int           // octets of the whole token; 0: not judged
	Lifetime time.Duration // as measured; 0: from the claims
	Session  Session
	Keys     []byte    // the provider's key set, JSON; nil: not judged
	Now      time.Time // the time by this machine; zero: not judged
}

// Judge says what an API server that is told this configuration makes of the token, and what else is to be said of it. An
// Error is what it would refuse.
func Judge(e Evidence, a Authentication) []Finding {
	findings := judgeConfiguration(e, a)
	if e.Header == nil || e.Claims == nil {
		return append(findings, found(Error, "token", "Give the API server the ID token, or have the provider make JWTs.",
			"It is not a JWT, so kube-apiserver cannot read it.")...)
	}
	for _, rule := range []func(Evidence, Authentication) []Finding{
		judgeIssuer, judgeAudience, judgeAlgorithm, judgeUsername, judgeGroups, judgeRequiredClaims,
		judgeClock, judgeLifetime, judgeSession, judgeSize, judgeKeys,
	} {
		findings = append(findings, rule(e, a)...)
	}
	return findings
}

func judgeConfiguration(_ Evidence, a Authentication) []Finding {
	var findings []Finding
	for _, problem := range a.problems() {
		findings = append(findings, found(Error, problem.subject, "", "The API server cannot be told so: %v.", problem.err)...)
	}
	return findings
}

// judgeIssuer compares as the API server does. Over tokens of an issuer that it does not know it passes, and logs no reason.
func judgeIssuer(e Evidence, a Authentication) []Finding {
	const subject = "issuer"
	issuer, ok := e.Claims["iss"].(string)
	switch {
	case !ok:
		return found(Error, subject, "Ask the provider's administrator.", "The token has no issuer (iss).")
	case issuer == a.Issuer, issuer == "accounts.google.com" && a.Issuer == "https://accounts.google.com": // it takes Google's old name
		return found(OK, subject, "", "The token's issuer (iss) is %s, as it must be.", untrusted.Quoted(issuer))
	case strings.TrimSuffix(issuer, "/") == strings.TrimSuffix(a.Issuer, "/"):
		return found(Error, subject, "Write the issuer as the token has it: in the API server's configuration, and for this program.",
			"The token's issuer (iss) is %s, but the API server expects %s. The slash at the end counts.", untrusted.Quoted(issuer), untrusted.Quoted(a.Issuer))
	}
	return found(Error, subject, "Write the issuer as the token has it, octet by octet: in the API server's configuration, and for this program.",
		"The token's issuer (iss) is %s, but the API server expects %s.", untrusted.Quoted(issuer), untrusted.Quoted(a.Issuer))
}

// judgeAudience wants one of the audiences; a token may be for others too.
func judgeAudience(e Evidence, a Authentication) []Finding {
	const subject = "audience"
	audiences, ok := textOrTexts(e.Claims["aud"])
	if !ok || len(audiences) == 0 || e.Claims["aud"] == nil {
		return found(Error, subject, "Ask the provider's administrator.", "The token has no audience (aud).")
	}
	for _, audience := range audiences {
		if slices.Contains(a.Audiences, audience) {
			return found(OK, subject, "", "The token is for %s (aud), as it must be.", untrusted.Quoted(audience))
		}
	}
	return found(Error, subject, "Add one of the token's audiences to the API server's configuration, or log in with the client that is named there.",
		"The token is for %s (aud), but the API server expects %s.", untrusted.QuotedList(audiences), untrusted.QuotedList(a.Audiences))
}

// judgeAlgorithm knows that the file allows all algorithms of the API server, and flags those that are named.
func judgeAlgorithm(e Evidence, a Authentication) []Finding {
	const subject = "signing algorithm"
	algorithm, _ := e.Header["alg"].(string)
	switch {
	case !slices.Contains(signingAlgorithms(), algorithm):
		return found(Error, subject, "Have the provider sign ID tokens for this client with RS256 or ES256.",
			"The token is signed with %s, which kube-apiserver refuses.", untrusted.Quoted(algorithm))
	case algorithm == a.signingAlgorithm():
		return found(OK, subject, "", "The token is signed with %s.", algorithm)
	}
	return found(Note, subject, "With flags, add --oidc-signing-algs="+algorithm+". The file for --authentication-config needs nothing.",
		"The token is signed with %s. An API server that is told by flags takes %s alone.", algorithm, a.signingAlgorithm())
}

func judgeUsername(e Evidence, a Authentication) []Finding {
	const subject = "user name"
	username, err := a.username(e.Claims)
	if err != nil {
		return found(Error, subject, a.usernameRemedy(), "The API server will refuse the token: %v.", err)
	}
	findings := found(OK, subject, "", "The API server will see %s.", untrusted.Quoted(username))
	if a.UsernamePrefix == "" {
		findings = append(findings, found(Note, subject, "Choose a prefix, such as oidc:.",
			"User names have no prefix, so they can be those of other users of the cluster.")...)
	}
	return append(findings, a.judgeUsernameClaim(e)...)
}

func (a Authentication) usernameRemedy() string {
	if a.usernameClaim() == "email" {
		return "Have the provider verify email addresses, or take sub for the user name. The scope email may be missing."
	}
	return "Take sub for the user name, which every ID token has, and a prefix such as oidc:."
}

// judgeUsernameClaim knows claims that may be given to somebody else later
// (https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability).
func (a Authentication) judgeUsernameClaim(e Evidence) []Finding {
	const subject = "user name"
	var findings []Finding
	claim := a.usernameClaim()
	if _, ok := e.Claims["email_verified"]; claim == "email" && !ok {
		findings = found(Warning, subject, "Have the provider send email_verified, or take sub for the user name.",
			"The token does not say whether the email address is verified (email_verified). The API server takes it then.")
	}
	if slices.Contains([]string{"email", "preferred_username", "name", "nickname", "upn", "unique_name"}, claim) {
		findings = append(findings, found(Note, subject, "Take sub for the user name, or be sure that nobody gets the "+claim+" of somebody who left.",
			"The claim %s can change hands, and the rights of its old owner with it.", untrusted.Quoted(claim))...)
	}
	return findings
}

func judgeGroups(e Evidence, a Authentication) []Finding {
	const subject = "groups"
	if distributed := judgeDistributedClaims(e, a); len(distributed) > 0 {
		return distributed
	}
	if a.GroupsClaim == "" {
		return found(Note, subject, "", "The API server is told no groups claim, so rights can be given to users alone.")
	}
	groups, err := a.groups(e.Claims)
	if err != nil {
		return found(Error, subject, "Have the provider send a list of names, or name another claim.", "The API server will refuse the token: %v.", err)
	}
	if _, ok := e.Claims[a.GroupsClaim]; !ok {
		return found(Note, subject, "Ask the provider for it: often by a scope, or by a setting of the client.",
			"The token has no claim %s, so this user is in no group. The API server reads no claims within claims.", untrusted.Quoted(a.GroupsClaim))
	}
	findings := found(OK, subject, "", "The API server will see %s.", untrusted.QuotedList(groups))
	if a.GroupsPrefix == "" {
		findings = append(findings, found(Note, subject, "Choose a prefix, such as oidc:.",
			"Group names have no prefix, so they can be those of other groups of the cluster.")...)
	}
	return findings
}

// judgeDistributedClaims is about claims that are elsewhere
// (https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims). The API server refuses a token
// whose names lead nowhere, whatever they name.
func judgeDistributedClaims(e Evidence, a Authentication) []Finding {
	const subject = "groups"
	if e.Claims["_claim_names"] == nil {
		return nil
	}
	names, namesOK := decoded[map[string]string](e.Claims["_claim_names"])
	sources, sourcesOK := decoded[map[string]struct {
		Endpoint string `json:"endpoint"`
	}](e.Claims["_claim_sources"])
	for _, name := range slices.Sorted(maps.Keys(names)) {
		_, ok := sources[names[name]]
		sourcesOK = sourcesOK && ok
	}
	if !namesOK || !sourcesOK {
		return found(Error, subject, "Ask the provider's administrator.",
			"The token says that claims are elsewhere (_claim_names), but not where (_claim_sources). The API server will refuse it.")
	}
	_, inToken := e.Claims[a.GroupsClaim]
	source, elsewhere := names[a.GroupsClaim]
	if a.GroupsClaim == "" || inToken || !elsewhere {
		return nil
	}
	return found(Warning, subject, "Have the provider send fewer groups, such as those of this application alone, so that they fit into the token.",
		"The token has its groups elsewhere (_claim_names), as from Entra ID with many groups. The API server must get them from %s, signed; "+
			"if it cannot, it says 401.", untrusted.Quoted(sources[source].Endpoint))
}

// judgeRequiredClaims knows that the API server can require nothing but texts.
func judgeRequiredClaims(e Evidence, a Authentication) []Finding {
	const subject = "required claims"
	var findings []Finding
	for _, name := range slices.Sorted(maps.Keys(a.RequiredClaims)) {
		want := a.RequiredClaims[name]
		claim, ok := e.Claims[name]
		got, isText := decoded[string](claim)
		switch {
		case !ok:
			findings = append(findings, found(Error, subject, "", "The token has no claim %s, which the API server requires.", untrusted.Quoted(name))...)
		case !isText:
			findings = append(findings, found(Error, subject, "Require it by an expression in claimValidationRules.",
				"The claim %s is not a text, and the API server can require texts alone.", untrusted.Quoted(name))...)
		case got != want:
			findings = append(findings, found(Error, subject, "", "The claim %s is %s, but the API server requires %s.", untrusted.Quoted(name), untrusted.Quoted(got), untrusted.Quoted(want))...)
		default:
			findings = append(findings, found(OK, subject, "", "The claim %s is %s, as it must be.", untrusted.Quoted(name), untrusted.Quoted(got))...)
		}
	}
	return findings
}

const (
	longLifetime     = 10 * time.Minute
	veryLongLifetime = time.Hour
	shortLifetime    = 30 * time.Second
)

// judgeLifetime knows that nobody can take back an ID token, which passes through every proxy and webhook on its way.
func judgeLifetime(e Evidence, _ Authentication) []Finding {
	const subject = "ID token lifetime"
	const remedy = "Have the provider make ID tokens for this client that live for about a minute. Refreshing is this program's work."
	lifetime := e.lifetime()
	switch {
	case lifetime <= 0:
		return found(Note, subject, "", "It is not known: the token does not say when it was issued (iat).")
	case lifetime > veryLongLifetime:
		return found(Warning, subject, remedy, "The ID token lives for %s, far too long: it cannot be revoked, so whoever finds it in a log or at a "+
			"proxy is this user for all that time, and who is dismissed or leaves a group stays.", inWords(lifetime))
	case lifetime > longLifetime:
		return found(Warning, subject, remedy, "The ID token lives for %s, and cannot be revoked in that time.", inWords(lifetime))
	case lifetime < shortLifetime:
		return found(Warning, subject, "Have the provider make ID tokens for this client that live for about a minute.",
			"The ID token lives for %s. The API server grants no delay, so calls will fail now and then.", inWords(lifetime))
	}
	return found(OK, subject, "", "The ID token lives for %s.", inWords(lifetime))
}

func (e Evidence) lifetime() time.Duration {
	expiry, ok := dateOf(e.Claims["exp"])
	issued, issuedOK := dateOf(e.Claims["iat"])
	if e.Lifetime > 0 || !ok || !issuedOK {
		return e.Lifetime
	}
	return expiry.Sub(issued)
}

// judgeSession is about what outlives the ID token
// (https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
func judgeSession(e Evidence, _ Authentication) []Finding {
	const subject = "refresh token"
	switch e.Session {
	case SessionNone:
		return found(Warning, subject, "Let the client have refresh tokens at the provider; often it wants the scope offline_access for that.",
			"The provider gave no refresh token, so you have to log in whenever the ID token ends.")
	case SessionStarted:
		return found(OK, subject, "", "The provider gave a refresh token. Its first use will show whether it rotates.")
	case SessionRotates:
		return found(OK, subject, "", "The refresh token is used once and replaced.")
	case SessionStatic:
		return found(Warning, subject, "Let refresh tokens rotate at the provider.",
			"The refresh token stays the same, so nobody would notice that a second one uses it.")
	}
	return nil
}

const (
	largeToken = 4 << 10
	hugeToken  = 7 << 10
)

// judgeSize knows that the token is a header of each request.
func judgeSize(e Evidence, _ Authentication) []Finding {
	const subject = "token size"
	const remedy = "Have the provider put less into the token: fewer groups, fewer claims."
	switch {
	case e.Size > hugeToken:
		return found(Warning, subject, remedy, "The token has %d octets. Most proxies take 8,192 for a header or for all of them, so calls through one are "+
			"about to fail, with 400, 431 or no answer.", e.Size)
	case e.Size > largeToken:
		return found(Warning, subject, remedy, "The token has %d octets, and goes with each request. Proxies often take 8,192 for all headers.", e.Size)
	case e.Size > 0:
		return found(OK, subject, "", "The token has %d octets.", e.Size)
	}
	return nil
}

// inWords is a length of time as people say it.
func inWords(length time.Duration) string {
	unit, name := time.Second, "s"
	switch {
	case length >= 2*24*time.Hour:
		unit, name = 24*time.Hour, "days"
	case length >= 2*time.Hour:
		unit, name = time.Hour, "hours"
	case length >= 2*time.Minute:
		unit, name = time.Minute, "minutes"
	}
	if length%unit != 0 {
		return length.Round(time.Second).String()
	}
	return fmt.Sprintf("%d %s", length/unit, name)
}
