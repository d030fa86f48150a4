package cluster

import "time"

const (
	// The API server lets nbf be this much later than its clock, and exp not a second earlier.
	notBeforeLeeway = time.Minute
	// Whole seconds and the time that an answer takes are no wrong clock. The API server itself does not look at iat.
	issuedAtLeeway = 30 * time.Second
)

func judgeClock(e Evidence, _ Authentication) []Finding {
	return judgeTimes(e.Claims, e.Now, "this machine's clock", "Set this machine's clock, best by NTP. If it is right, the provider's is wrong.")
}

// judgeTimes holds the token against a clock.
func judgeTimes(claims map[string]any, now time.Time, whose, remedy string) []Finding {
	const subject = "clock"
	expiry, ok := dateOf(claims["exp"])
	notBefore, hasNotBefore := dateOf(claims["nbf"])
	issued, hasIssued := dateOf(claims["iat"])
	if !ok {
		return found(Error, subject, "Ask the provider's administrator.", "The token does not say when it ends (exp). The API server will refuse it.")
	}
	if now.IsZero() {
		return nil
	}
	at := now.UTC().Format(time.TimeOnly) + " UTC"
	switch {
	case hasNotBefore && notBefore.Sub(now) > notBeforeLeeway:
		return found(Error, subject, remedy, "By %s, at %s, the token is not good before %s (nbf) have passed. The API server will refuse it.",
			whose, at, inWords(notBefore.Sub(now).Round(time.Second)))
	case expiry.Before(now):
		return found(Error, subject, "Get a new one. "+remedy, "By %s, at %s, the token ended %s ago (exp).",
			whose, at, inWords(now.Sub(expiry).Round(time.Second)))
	case hasIssued && issued.Sub(now) > issuedAtLeeway:
		return found(Warning, subject, remedy, "By %s, at %s, the token will be issued in %s (iat).",
			whose, at, inWords(issued.Sub(now).Round(time.Second)))
	case hasNotBefore && notBefore.After(now):
		return found(Note, subject, remedy, "By %s, at %s, the token will be good in %s (nbf). The API server allows for a minute.",
			whose, at, inWords(notBefore.Sub(now).Round(time.Second)))
	}
	return found(OK, subject, "", "By %s, the token is good.", whose)
}
