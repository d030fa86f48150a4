package cluster

import (
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// Explain says why an API server that is meant to be told this configuration answers 401 to the token. First comes what
// is wrong for sure, as Errors; then, most likely first, what may be wrong at the API server, whose configuration nobody
// sees from here. Clock is the API server's, as in UnauthorizedError; zero: not known.
func Explain(e Evidence, a Authentication, clock time.Time) []Finding {
	var findings []Finding
	if !clock.IsZero() && e.Claims != nil {
		findings = errorsIn(judgeTimes(e.Claims, clock, "the API server's clock", "Compare the clocks of the API server's machine, the provider and this machine."))
		e.Now = time.Time{} // the API server's decides
	}
	findings = append(findings, errorsIn(Judge(e, a))...)
	if e.Claims == nil {
		return findings
	}
	for _, doubt := range []func(Evidence, Authentication, time.Time) []Finding{
		doubtGroups, doubtIssuer, doubtAudience, doubtReload, doubtReach, doubtAlgorithm, doubtClaims, doubtClock, doubtLog,
	} {
		findings = append(findings, doubt(e, a, clock)...)
	}
	return findings
}

// doubtGroups is for groups that the API server has to get from elsewhere.
func doubtGroups(e Evidence, a Authentication, _ time.Time) []Finding {
	elsewhere := judgeDistributedClaims(e, a)
	if Worst(elsewhere) == Error { // which was said before
		return nil
	}
	return elsewhere
}

func doubtIssuer(e Evidence, _ Authentication, _ time.Time) []Finding {
	issuer, _ := e.Claims["iss"].(string)
	return found(Warning, "issuer", "Compare issuer.url in the file of --authentication-config, or the flag --oidc-issuer-url.",
		"The API server may be told another issuer than %s, or none. Each letter and the slash at the end count.", untrusted.Quoted(issuer))
}

func doubtAudience(e Evidence, _ Authentication, _ time.Time) []Finding {
	audiences, _ := textOrTexts(e.Claims["aud"])
	return found(Warning, "audience", "Compare issuer.audiences in the file, or the flag --oidc-client-id.",
		"The API server may be told another audience than %s.", untrusted.QuotedList(audiences))
}

// doubtReload knows that a configuration that cannot be used does not take the place of the one before it.
func doubtReload(Evidence, Authentication, time.Time) []Finding {
	return found(Warning, "reload", "Wait a minute. Then look at the metric apiserver_authentication_config_controller_automatic_reloads_total for failures. "+
		"After a change of flags, restart the API server.",
		"The configuration may be too new: the file is reloaded within about a minute, at each API server of its own. "+
			"With an error in it, with another setting of anonymous, or where the issuer does not answer, the old one stays.")
}

func doubtReach(_ Evidence, a Authentication, _ time.Time) []Finding {
	authority := "It is told no certificate authority, so it believes those that its own machine or container knows."
	if a.CertificateAuthority != "" {
		authority = "It believes the issuer's certificate authority alone that it is told."
	}
	return found(Warning, "certificate authority",
		`Compare issuer.certificateAuthority in the file, or the flag --oidc-ca-file. Its log says "oidc authenticator: initializing plugin" and why.`,
		"The API server itself may not reach %s, or not believe its certificate. %s", untrusted.Quoted(a.Issuer), authority)
}

func doubtAlgorithm(e Evidence, _ Authentication, _ time.Time) []Finding {
	algorithm, _ := e.Header["alg"].(string)
	if algorithm == defaultAlgorithm {
		return nil
	}
	return found(Warning, "signing algorithm", "Compare the flag --oidc-signing-algs. With the file, nothing is to be done.",
		"The token is signed with %s. An API server that is told by flags takes RS256 alone unless another is named.", untrusted.Quoted(algorithm))
}

func doubtClaims(_ Evidence, a Authentication, _ time.Time) []Finding {
	return found(Note, "claims", "Compare claimMappings, claimValidationRules and userValidationRules in the file, or the flags "+
		"--oidc-username-claim, --oidc-groups-claim and --oidc-required-claim.",
		"The API server may take the user name from another claim than %s, which the token does not have, or require another claim. "+
			"Without a prefix, names that begin with system: are refused; a wrong prefix leads to 403, not to 401.", untrusted.Quoted(a.usernameClaim()))
}

func doubtClock(_ Evidence, _ Authentication, clock time.Time) []Finding {
	if !clock.IsZero() {
		return nil
	}
	return found(Note, "clock", "Compare the clocks of the API server's machine, the provider and this machine.",
		"The API server's clock may be wrong. It refuses a token from the second at which it ends, and one that begins more than a minute later.")
}

func doubtLog(Evidence, Authentication, time.Time) []Finding {
	return found(Note, "log", `Look for "Unable to authenticate the request" there. If it says "invalid bearer token" and no more, it knows no such issuer.`,
		"The API server's log says why it refused a token of an issuer that it knows.")
}
