package cli

import (
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// A hint that has expired is of no use to a thief, so it goes first; of those that live, the one that ends first.
func TestHintFrom(t *testing.T) {
	t.Parallel()
	now := time.Now()
	idToken := func(name string, left time.Duration) token.IDToken {
		return token.IDToken{Raw: token.NewSecret(name), Expiry: now.Add(left)}
	}
	older, old, short, long := idToken("older", -time.Hour), idToken("old", 0), idToken("short", time.Second), idToken("long", time.Hour)
	for name, test := range map[string]struct {
		key  token.Key
		held []token.IDToken
		want string
	}{
		"nothing":         {token.Key{}, nil, ""},
		"a live one":      {token.Key{}, []token.IDToken{long}, "long"},
		"two live ones":   {token.Key{}, []token.IDToken{long, short}, "short"},
		"an expired one":  {token.Key{}, []token.IDToken{long, old, short, older}, "old"},
		"an access token": {token.Key{AccessToken: true}, []token.IDToken{long}, ""},
	} {
		if got := hintFrom(test.key, token.Holdings{IDTokens: test.held}, now); got.Reveal() != test.want {
			t.Errorf("%s: expected %q, got %q", name, test.want, got.Reveal())
		}
	}
}
