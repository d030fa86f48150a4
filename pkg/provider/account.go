package provider

import (
	"encoding/json"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// checkAccount holds a verified ID token against the account that was meant. A browser that is logged in as somebody else
// would otherwise answer for them, since login_hint binds nobody
// (https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
func (p *Provider) checkAccount(verified token.Secret) error {
	if p.config.Account == "" {
		return nil
	}
	var person struct {
		Subject  any `json:"sub"`
		Email    any `json:"email"`
		Verified any `json:"email_verified"`
		Username any `json:"preferred_username"`
	}
	read, err := parseIDToken(verified.Reveal())
	if err != nil {
		return err
	}
	if err := json.Unmarshal(read.payload, &person); err != nil {
		return err
	}
	isEmail := isNameInAnyCase(p.config.Account, person.Email)
	if isName(p.config.Account, person.Subject) || isEmail && mayBeVerified(person.Verified) ||
		isNameInAnyCase(p.config.Account, person.Username) {
		return nil
	}
	if isEmail {
		return failed("Nothing was stored. Name the account by its subject if that is the one that you mean.",
			"login: expected the account %q, got %s, whose email address %q the provider has not verified",
			untrusted.Printable(p.config.Account), describePerson(person.Subject, person.Username), untrusted.Printable(p.config.Account))
	}
	return failed("Nothing was stored. Log out at the provider in your browser, or log in with --select-account.",
		"login: expected the account %q, got %s", untrusted.Printable(p.config.Account), describePerson(person.Subject, person.Email, person.Username))
}

func isName(account string, claim any) bool { return claim == account }

// isNameInAnyCase is for the names that people type.
func isNameInAnyCase(account string, claim any) bool {
	name, ok := claim.(string)
	return ok && strings.EqualFold(account, name)
}

// mayBeVerified is for an email address: one that a person has only claimed to have is no name
// (https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims). Many providers verify all, and say nothing of it.
func mayBeVerified(claim any) bool {
	text, isText := claim.(string)
	return claim == nil || claim == true || isText && strings.EqualFold(text, "true") // some providers write it as a string
}

// describePerson joins the names that a person has.
func describePerson(claims ...any) string {
	var names []string
	for _, claim := range claims {
		if name, ok := claim.(string); ok && name != "" {
			names = append(names, name)
		}
	}
	return untrusted.QuotedList(names)
}
