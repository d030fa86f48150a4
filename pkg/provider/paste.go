package provider

import (
	"errors"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/loopback"
)

// paste lets the person bring the answer by hand, or nothing where they cannot.
//
// A pasted address is checked like a request of the browser. A bare code comes without state and issuer. That is
// acceptable: the state is there because any page can send the browser to the port, but this terminal only the person
// reaches. And a code that somebody else talked them into is of no use: the verifier fits no other login's code
// (https://www.rfc-editor.org/rfc/rfc9700#section-4.5.3.1), nor does the nonce, where the provider does not know PKCE. It is
// sent to the one provider that was configured.
func (p *Provider) paste(bare func(code string) error) *loopback.Paste {
	if p.config.ReadAnswer == nil {
		return nil
	}
	return &loopback.Paste{Read: p.config.ReadAnswer, Bare: bare, Refuse: p.config.Warn}
}

// notKnown says that a code was no code of this login, which is no reason to end it: the right one is still unspent.
func notKnown(outcome error) error {
	if oauthCode(outcome) == "invalid_grant" {
		return errors.New("the provider does not take the pasted code; still waiting for the right one")
	}
	return nil
}
