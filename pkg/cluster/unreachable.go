package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

const portalHint = "A proxy, a captive portal or a login page may answer in its place. Check the network and the server's address in the kubeconfig."

func noAnswer(hint, format string, arguments ...any) error {
	return &token.Error{Kind: token.Unreachable, Err: fmt.Errorf(format, arguments...), Hint: []string{hint}}
}

// unreachable says why no answer came. Nothing is shown that a server said: where that was no HTTP, it may be a token.
func unreachable(host string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("asking %s: interrupted: %w", printable(host), context.Canceled)
	}
	hint, cause := causeOf(err)
	return noAnswer(hint, "cannot reach %s: %w", printable(host), cause)
}

// causeOf finds the cause in an error of net/http, whose text repeats the URL, and what to do about it.
func causeOf(err error) (hint string, cause error) {
	hint = "Check the network or the VPN, and the server's address in the kubeconfig."
	var name *net.DNSError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &name):
		return hint, fmt.Errorf("the name %s cannot be looked up", printable(name.Name))
	case errors.As(err, &authority):
		return "Check certificate-authority-data of the cluster in the kubeconfig.",
			errors.New("its certificate is signed by an authority that is not the cluster's")
	case errors.As(err, &hostname), errors.As(err, &verification):
		return "Check the server's address and tls-server-name in the kubeconfig, and the server's certificate.", withoutQuotes(innermost(err))
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return hint, errors.New("no answer in time")
	}
	return hint, withoutQuotes(innermost(err))
}

// innermost drops what net/http and net put before the cause.
func innermost(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		err = operation.Err
	}
	return err
}

// withoutQuotes cuts a text at the first thing that it quotes, which in net/http's errors is what the server sent.
func withoutQuotes(err error) error {
	text, _, quotes := strings.Cut(err.Error(), `"`)
	if short := strings.TrimRight(printable(text), " :="); quotes || short != text {
		return errors.New(short)
	}
	return err
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
