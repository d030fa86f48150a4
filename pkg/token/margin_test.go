package token

import (
	"testing"
	"time"
)

func TestMargin(t *testing.T) {
	t.Parallel()
	for lifetime, want := range map[time.Duration]time.Duration{
		-time.Second:         0,
		0:                    0,
		9 * time.Second:      3 * time.Second, // never more than a third
		30 * time.Second:     10 * time.Second,
		time.Minute:          10 * time.Second, // at least ten seconds
		5 * time.Minute:      30 * time.Second, // a tenth
		10 * time.Minute:     time.Minute,
		time.Hour:            time.Minute, // at most a minute
		365 * 24 * time.Hour: time.Minute,
	} {
		if got := Margin(lifetime); got != want {
			t.Errorf("lifetime %s: expected %s, got %s", lifetime, want, got)
		}
	}
}

// kubectl compares the expiry without a margin, so it is told ours; but never a time that is past.
func TestToldExpiry(t *testing.T) {
	t.Parallel()
	issued := time.Unix(1_800_000_000, 0)
	idToken := IDToken{Issued: issued, Expiry: issued.Add(time.Minute)}
	for age, want := range map[time.Duration]time.Duration{
		0:                50 * time.Second,
		49 * time.Second: 50 * time.Second,
		50 * time.Second: time.Minute,
		59 * time.Second: time.Minute,
	} {
		if got := idToken.ToldExpiry(issued.Add(age)).Sub(issued); got != want {
			t.Errorf("at age %s: expected %s, got %s", age, want, got)
		}
	}
}

// kubectl is told whole seconds. It must not ask again while the same token would still be served.
func TestUseUntilIsAWholeSecond(t *testing.T) {
	t.Parallel()
	issued := time.Unix(1_800_000_000, 987_654_321)
	idToken := IDToken{Issued: issued, Expiry: issued.Add(14 * time.Second)}
	for _, instant := range []time.Time{idToken.UseUntil(), idToken.ToldExpiry(issued), idToken.ToldExpiry(issued.Add(13 * time.Second))} {
		if instant.Nanosecond() != 0 || instant.After(idToken.Expiry) {
			t.Errorf("got %s", instant.Format(time.RFC3339Nano))
		}
	}
}
