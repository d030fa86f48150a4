package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// wanted is what a person asked of the login itself. A refresh cannot change that, so a refreshed token is not held
// against it.
type wanted struct {
	acrValues []string       // one of them, if there are any
	maxAge    *time.Duration // since the person was last asked
}

// checkLoginTime applies https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation, step 13.
func checkLoginTime(got idToken, want expected) error {
	if want.login.maxAge == nil {
		return nil
	}
	if got.claims.AuthTime == nil {
		return errors.New("it has no time of the login (auth_time), though a maximum age was asked for")
	}
	if age := want.now.Sub(got.claims.AuthTime.Time); age > *want.login.maxAge+clockLeeway {
		return failed("Nothing was stored. Log out at the provider in your browser, or add --oidc-auth-request-extra-params=prompt=login, and log in again.",
			"you last logged in (auth_time) at %s, more than %s ago", stamp(got.claims.AuthTime.Time), *want.login.maxAge)
	}
	return nil
}

// checkContextClass applies step 12.
func checkContextClass(got idToken, want expected) error {
	if len(want.login.acrValues) == 0 {
		return nil
	}
	var payload struct {
		ACR any `json:"acr"`
	}
	_ = json.Unmarshal(got.payload, &payload) // it was read once before
	class, _ := payload.ACR.(string)
	if slices.Contains(want.login.acrValues, class) {
		return nil
	}
	return failed("Nothing was stored. The provider did not authenticate you as --oidc-acr-values asks.",
		"expected authentication context class (acr) %s, got %s", untrusted.QuotedList(want.login.acrValues), shownClass(class))
}

func shownClass(class string) string {
	if class == "" {
		return "none"
	}
	return fmt.Sprintf("%q", untrusted.Printable(class))
}
