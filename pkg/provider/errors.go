package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
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

// unreachable says why no answer came. The text of net/http's errors repeats the URL; the cause below it is enough. Nor is
// anything shown that a server said: where that was no HTTP, it may be a token.
func unreachable(what, host string, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		err = operation.Err
	}
	hint := keptHint
	var name *net.DNSError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", what, errInterrupted)
	case errors.As(err, &name):
		err = fmt.Errorf("the name %s cannot be looked up", printable(name.Name))
		hint = "Check the network or the VPN, and the issuer URL. Nothing stored is lost."
	case errors.As(err, &authority):
		err = errors.New("its certificate is signed by an authority that this machine does not know")
		hint = "If the authority is your company's, name it with --certificate-authority."
	case errors.As(err, &hostname), errors.As(err, &verification):
		hint = "Check the issuer URL, and the provider's certificate."
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		err = errors.New("no answer in time")
	default:
		err = withoutQuotes(err)
	}
	return &token.Error{
		Kind: token.Unreachable,
		Err:  fmt.Errorf("%s: cannot reach %s: %w", what, printable(host), err),
		Hint: []string{hint},
	}
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

// wrongStatus says what was answered instead of the document. Only some answers mean that nobody is there. Wait is for how
// long the provider asks to be left alone.
func wrongStatus(what, address string, status int, wait time.Duration) error {
	failure := &token.Error{
		Kind: token.Unreachable,
		Err:  fmt.Errorf("%s: %s %w", what, printable(address), &statusError{status}),
		Hint: append([]string{keptHint}, waitHint(status, wait)...),
	}
	if status == http.StatusNotFound || status == http.StatusGone {
		failure.Kind = token.Failed
		failure.Hint = []string{"The provider's metadata names an address where nothing is; tell its administrator."}
		if strings.HasSuffix(address, wellKnownPath) {
			failure.Hint = []string{"Check --oidc-issuer-url; it is the part before " + wellKnownPath + "."}
		}
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
		Err:  fmt.Errorf("%s: %s answered with a web page instead of JSON", what, printable(address)),
		Hint: []string{portalHint},
	}
}

// printable makes a stranger's text fit for a terminal: control characters out, cut at a length that still tells.
func printable(text string) string {
	const longest = 300
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "..."
	}
	return text
}
