package untrusted

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Reason is why a request got no answer.
type Reason int

// The reasons that a person can do something about, each another thing.
const (
	OtherReason      Reason = iota
	Interrupted             // the context was cancelled
	UnknownHost             // the name cannot be looked up
	UnknownAuthority        // the server's certificate is signed by an authority that is not trusted
	WrongCertificate        // it is for another name, has expired, or is wrong otherwise
	TimedOut
	WrongScheme // the server speaks http where https was asked
)

// NetworkError finds the reason in an error of net/http, and says it in one that does not repeat the URL. Nor does it show anything
// that a server said: where that was no HTTP, it may be a token.
func NetworkError(err error) (Reason, error) {
	err = innermost(err)
	var host *net.DNSError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return Interrupted, context.Canceled
	case errors.As(err, &host):
		return UnknownHost, fmt.Errorf("the name %s cannot be looked up", Printable(host.Name))
	case errors.As(err, &authority):
		return UnknownAuthority, errors.New("its certificate is signed by an unknown authority")
	case errors.As(err, &hostname), errors.As(err, &verification):
		return WrongCertificate, withoutQuotes(err)
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return TimedOut, errors.New("no answer in time")
	case errors.Is(err, http.ErrSchemeMismatch) || isHTTP(err):
		return WrongScheme, errors.New("it speaks http, and not https")
	}
	return OtherReason, withoutQuotes(err)
}

// innermost drops what net/http and net put before the cause.
func innermost(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	for operation := (*net.OpError)(nil); errors.As(err, &operation); { // one is around another where a proxy is asked
		err = operation.Err
	}
	return err
}

// isHTTP recognises an answer that was expected to be TLS, as net/http does where nothing is around the error.
func isHTTP(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header) && string(header.RecordHeader[:]) == "HTTP/"
}

// withoutQuotes cuts a text at the first thing that it quotes, which in net/http's errors is what the server sent.
func withoutQuotes(err error) error {
	text, _, quotes := strings.Cut(err.Error(), `"`)
	if short := strings.TrimRight(Printable(text), " :="); quotes || short != text {
		return errors.New(short)
	}
	return err
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
