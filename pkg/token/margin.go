package token

import "time"

const (
	// Time for the token to travel through kubectl's retries, proxies and webhooks before it is checked.
	minMargin = 10 * time.Second
	// More would renew an hour's token needlessly early.
	maxMargin = 60 * time.Second
)

// Margin returns how long before its end a token of this lifetime is renewed: a tenth of the lifetime, but at least ten
// seconds, at most sixty, and never more than a third of the lifetime.
func Margin(lifetime time.Duration) time.Duration {
	margin := min(max(lifetime/10, minMargin), maxMargin)
	return max(min(margin, lifetime/3), 0)
}

// UseUntil returns the instant from which the token is renewed rather than handed out: a whole second, since that is what
// kubectl can be told, and both must mean the same instant.
func (t IDToken) UseUntil() time.Time {
	return t.Expiry.Add(-Margin(t.Expiry.Sub(t.Issued))).Truncate(time.Second)
}

// LivesAt reports whether the token is good. One from the future was got before the clock was set back: its times mean
// nothing now.
func (t IDToken) LivesAt(now time.Time) bool {
	return now.Before(t.Expiry) && !now.Add(clockStep).Before(t.Issued)
}

// ToldExpiry returns the expiry that kubectl is told. It compares without a margin of its own, so it gets UseUntil; but
// never an instant that is past, which it would take for a token without use.
func (t IDToken) ToldExpiry(now time.Time) time.Time {
	if until := t.UseUntil(); now.Before(until) {
		return until
	}
	return t.Expiry.Truncate(time.Second)
}
