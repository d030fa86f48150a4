package provider

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

func misused(err error) error { return &token.Error{Kind: token.Misused, Err: err} }

// ours is for what the person can mend on this machine, whatever kind it was.
func ours(err error) error {
	failure := &token.Error{Kind: token.Misused, Err: err}
	var known *token.Error
	if errors.As(err, &known) {
		failure.Hint = known.Hint
	}
	return failure
}

func failed(hint, format string, arguments ...any) error {
	failure := &token.Error{Err: fmt.Errorf(format, arguments...)}
	if hint != "" {
		failure.Hint = []string{hint}
	}
	return failure
}

// withHint adds one more hint.
func withHint(err error, hint string) error {
	var failure *token.Error
	if !errors.As(err, &failure) {
		return err
	}
	return &token.Error{Kind: failure.Kind, Err: err, Hint: append(slices.Clone(failure.Hint), hint)}
}

// noDocument is for an answer that is not the document, whoever gave it.
func noDocument(hint, format string, arguments ...any) error {
	return &token.Error{Kind: token.Unreachable, Err: fmt.Errorf(format, arguments...), Hint: []string{hint + " Nothing stored is lost."}}
}

func refused(hint, format string, arguments ...any) error {
	return &token.Error{Kind: token.Refused, Err: fmt.Errorf(format, arguments...), Hint: []string{hint}}
}

func isKind(err error, kind token.Kind) bool {
	var failure *token.Error
	return errors.As(err, &failure) && failure.Kind == kind
}

const keptHint = "Nothing stored is lost. Try again when the provider can be reached."

const portalHint = "A proxy, a captive portal or a login page may answer in its place. Check the network and the issuer URL."

// errInterrupted is a person's own doing, and says nothing about the provider.
var errInterrupted = errors.New("interrupted")

// unreachable says why no answer came.
func unreachable(what, host string, err error) error {
	reason, cause := untrusted.NetworkError(err)
	host = untrusted.Printable(host)
	hint := keptHint
	switch reason {
	case untrusted.Interrupted:
		return fmt.Errorf("%s: %w", what, errInterrupted)
	case untrusted.UnknownHost:
		hint = "Check the network or the VPN, and the issuer URL. Nothing stored is lost."
	case untrusted.UnknownAuthority:
		cause = errors.New("its certificate is signed by an authority that this machine does not know")
		hint = "If the authority is your company's, name it with --certificate-authority."
	case untrusted.WrongCertificate:
		hint = "Check the issuer URL, and the provider's certificate."
	case untrusted.WrongScheme:
		hint = "Check the scheme and the port of --oidc-issuer-url. A captive portal may answer so, too. Nothing stored is lost."
	case untrusted.TimedOut, untrusted.OtherReason:
	}
	var proxied *proxiedError
	if errors.As(err, &proxied) {
		host += " through the proxy " + untrusted.Printable(proxied.proxy)
		hint = cmp.Or(proxied.hint(), hint)
	}
	return &token.Error{
		Kind: token.Unreachable,
		Err:  fmt.Errorf("%s: cannot reach %s: %w", what, host, cause),
		Hint: []string{hint},
	}
}

// wrongStatus says what was answered instead of the document. Only some answers mean that nobody is there. Wait is for how
// long the provider asks to be left alone.
func wrongStatus(what, address string, status int, wait time.Duration) error {
	failure := &token.Error{
		Kind: token.Unreachable,
		Err:  fmt.Errorf("%s: %s %w", what, untrusted.Printable(address), &statusError{status}),
		Hint: append([]string{keptHint}, waitHint(status, wait)...),
	}
	if status == http.StatusNotFound || status == http.StatusGone {
		failure.Kind = token.Failed
		failure.Hint = []string{"The provider's metadata names an address where nothing is; tell its administrator."}
		if strings.HasSuffix(address, wellKnownPath) {
			failure.Hint = []string{"Check --oidc-issuer-url; it is the part before " + wellKnownPath + "."}
		}
	}
	if status == http.StatusBadRequest && strings.HasPrefix(address, "http://") {
		failure.Kind = token.Failed
		failure.Hint = []string{"Check the scheme and the port of --oidc-issuer-url; a port for https answers so."}
	}
	if status >= 300 && status < 400 {
		failure.Hint = []string{portalHint, "If it redirects because it has moved, use the issuer URL that the provider itself states."}
	}
	return failure
}

// waitHint passes on what a busy provider asks for, up to a length that a person would wait.
func waitHint(status int, wait time.Duration) []string {
	const longest = time.Hour
	if wait <= 0 || status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return nil
	}
	if wait > longest {
		return []string{"The provider asks to wait for more than an hour."}
	}
	return []string{fmt.Sprintf("The provider asks to wait %d s.", int(wait.Seconds()))}
}

// statusError is an answer with an unexpected HTTP status.
type statusError struct{ code int }

func (e *statusError) Error() string {
	return fmt.Sprintf("answered %d %s", e.code, http.StatusText(e.code))
}

func notTheProvider(what, address string) error {
	return &token.Error{
		Kind: token.Unreachable,
		Err:  fmt.Errorf("%s: %s answered with a web page instead of JSON", what, untrusted.Printable(address)),
		Hint: []string{portalHint},
	}
}
