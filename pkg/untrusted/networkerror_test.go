package untrusted

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
)

func TestNetworkError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		reason Reason
		text   string
	}{
		"cancelled":    {&url.Error{Err: context.Canceled}, Interrupted, "context canceled"},
		"late":         {&url.Error{Err: context.DeadlineExceeded}, TimedOut, "no answer in time"},
		"slow network": {&net.OpError{Err: os.ErrDeadlineExceeded}, TimedOut, "no answer in time"},
		"name":         {&net.OpError{Err: &net.DNSError{Name: "op.\x1bexample", Server: "192.0.2.1"}}, UnknownHost, "the name op.example cannot be looked up"},
		"authority": {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, UnknownAuthority,
			"its certificate is signed by an unknown authority"},
		"certificate": {&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired, Detail: "it is 2030"}},
			WrongCertificate, "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: it is 2030"},
		"refused": {&url.Error{Op: "Get", URL: "https://op.example/?secret", Err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}},
			OtherReason, "connection refused"},
		"proxy": {&net.OpError{Op: "proxyconnect", Err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}, OtherReason, "connection refused"},
		"scheme": {&url.Error{Err: fmt.Errorf("by proxy: %w", tls.RecordHeaderError{RecordHeader: [5]byte{'H', 'T', 'T', 'P', '/'}})}, WrongScheme,
			"it speaks http, and not https"},
		"quoted": {fmt.Errorf("malformed HTTP response %q", "hunter2"), OtherReason, "malformed HTTP response"},
	} {
		reason, err := NetworkError(test.err)
		if reason != test.reason || err.Error() != test.text {
			t.Errorf("%s: expected %d, %q, got %d, %q", name, test.reason, test.text, reason, err)
		}
	}
}

// The errors are those that net/http really returns.
func TestNetworkErrorOfServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that fail
	server.StartTLS()
	t.Cleanup(server.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	reasonOf := func(client *http.Client, address string) (Reason, string) {
		response, err := client.Get(address + "/?code=hunter2")
		if err == nil {
			_ = response.Body.Close()
			t.Fatalf("%s answered", address)
		}
		reason, err := NetworkError(err)
		return reason, err.Error()
	}
	wrongName := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for _, test := range []struct {
		client  *http.Client
		address string
		want    Reason
	}{
		{http.DefaultClient, server.URL, UnknownAuthority},
		{server.Client(), wrongName, WrongCertificate},
		{http.DefaultClient, "http://127.0.0.1:1", OtherReason},
		{http.DefaultClient, strings.Replace(plain.URL, "http", "https", 1), WrongScheme},
	} {
		if got, text := reasonOf(test.client, test.address); got != test.want || strings.Contains(text, "hunter2") {
			t.Errorf("%s: expected %d, got %d, %q", test.address, test.want, got, text)
		}
	}
}
