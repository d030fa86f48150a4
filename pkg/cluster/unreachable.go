package cluster

import (
	"errors"
	"fmt"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

const portalHint = "A proxy, a captive portal or a login page may answer in its place. Check the network and the server's address in the kubeconfig."

func noAnswer(hint, format string, arguments ...any) error {
	return &token.Error{Kind: token.Unreachable, Err: fmt.Errorf(format, arguments...), Hint: []string{hint}}
}

// unreachable says why no answer came.
func unreachable(host string, err error) error {
	reason, cause := untrusted.NetworkError(err)
	hint := "Check the network or the VPN, and the server's address in the kubeconfig."
	switch reason {
	case untrusted.Interrupted:
		return fmt.Errorf("asking %s: interrupted: %w", untrusted.Printable(host), cause)
	case untrusted.UnknownAuthority:
		cause = errors.New("its certificate is signed by an authority that is not the cluster's")
		hint = "Check certificate-authority-data of the cluster in the kubeconfig."
	case untrusted.WrongCertificate:
		hint = "Check the server's address and tls-server-name in the kubeconfig, and the server's certificate."
	case untrusted.UnknownHost, untrusted.TimedOut, untrusted.WrongScheme, untrusted.OtherReason:
	}
	return noAnswer(hint, "cannot reach %s: %w", untrusted.Printable(host), cause)
}
