package provider

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// What is sent once must not be stopped by an impatient person; what is not sent yet, must.
func TestCancelledOnlyByDial(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		cancel() // the person loses patience when the request has arrived
		_, _ = io.WriteString(w, "answer")
	}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	send := func() (string, error) {
		request, err := http.NewRequestWithContext(cancelledOnlyByDial(ctx), http.MethodPost, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}

	if body, err := send(); body != "answer" || err != nil {
		t.Errorf("expected the answer, got %q, %v", body, err)
	}
	if _, err := send(); !errors.Is(err, context.Canceled) {
		t.Errorf("expected the connection not to be made, got %v", err)
	}
}

// Retry-After may be seconds or a date by the server's clock, and anything else means nothing.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	at := func(from time.Time, after time.Duration) string { return from.Add(after).Format(http.TimeFormat) }
	for name, test := range map[string]struct {
		text, date string
		want       time.Duration
	}{
		"nothing":                  {want: 0},
		"seconds":                  {text: "30", want: 30 * time.Second},
		"no seconds":               {text: "0", want: 0},
		"negative":                 {text: "-5", want: 0},
		"a fraction":               {text: "1.5", want: 0},
		"a word":                   {text: "soon", want: 0},
		"more than any number":     {text: "99999999999999999999", want: 0},
		"a date, our clock":        {text: at(now, time.Minute), want: time.Minute},
		"a date, the server's":     {text: at(now, time.Hour), date: at(now, 59*time.Minute), want: time.Minute},
		"a date in the past":       {text: at(now, -time.Minute), want: 0},
		"a date, rubbish for now":  {text: at(now, time.Minute), date: "yesterday", want: time.Minute},
		"seconds, rubbish for now": {text: "7", date: "yesterday", want: 7 * time.Second},
	} {
		header := http.Header{"Retry-After": {test.text}, "Date": {test.date}}
		if got := retryAfter(header, now); got != test.want {
			t.Errorf("%s: expected %s, got %s", name, test.want, got)
		}
	}
}

// Only a provider that is busy is waited for, and its word counts up to an hour.
func TestWaitHint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		wait   time.Duration
		want   []string
	}{
		{http.StatusTooManyRequests, 0, nil},
		{http.StatusTooManyRequests, 30 * time.Second, []string{"The provider asks to wait 30 s."}},
		{http.StatusServiceUnavailable, time.Hour, []string{"The provider asks to wait 3600 s."}},
		{http.StatusServiceUnavailable, time.Hour + time.Second, []string{"The provider asks to wait for more than an hour."}},
		{http.StatusNotFound, 30 * time.Second, nil},
	} {
		if got := waitHint(test.status, test.wait); !slices.Equal(got, test.want) {
			t.Errorf("%d and %s: expected %q, got %q", test.status, test.wait, test.want, got)
		}
	}
}

// newWiredProvider returns a provider with the real HTTP client, whose connections are made by dial.
func newWiredProvider(t *testing.T, issuer string, dial func(context.Context, string, string) (net.Conn, error)) *Provider {
	t.Helper()
	p, err := New(Config{
		Issuer:    issuer,
		ClientID:  "kubernetes",
		UserAgent: func() string { return "test" },
		Now:       time.Now,
		Log:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := p.client()
	if err != nil {
		t.Fatal(err)
	}
	client.Transport.(*polite).next.(*http.Transport).DialContext = dial
	return p
}

// A provider that hangs, wherever it does, holds up kubectl no longer than one request may take.
func TestHangingProvider(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "EXC-15", "TOK-12")
	// answer makes a server that reads a request, writes some of an answer, and then goes on as after does.
	answer := func(text string, after func(net.Conn)) func(net.Conn) {
		return func(connection net.Conn) {
			request, err := http.ReadRequest(bufio.NewReader(connection))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			_, _ = io.WriteString(connection, text)
			after(connection)
		}
	}
	silence := func(connection net.Conn) { _, _ = io.Copy(io.Discard, connection) } // until the client goes
	drip := func(connection net.Conn) {
		for {
			if _, err := io.WriteString(connection, " "); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}
	for name, test := range map[string]struct {
		scheme string
		serve  func(net.Conn) // nil: there is no connection
	}{
		"does not connect":    {"http", nil},
		"does no handshake":   {"https", silence},
		"does not read":       {"http", func(net.Conn) { time.Sleep(time.Minute) }},
		"does not answer":     {"http", answer("", silence)},
		"stops in the header": {"http", answer("HTTP/1.1 200 OK\r\nContent-", silence)},
		"stops in the body":   {"http", answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", silence)},
		"never ends the body": {"http", answer("HTTP/1.1 200 OK\r\n\r\n{", drip)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dial := func(context.Context, string, string) (net.Conn, error) {
					if test.serve == nil {
						time.Sleep(connectTimeout)
						return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
					}
					ours, theirs := net.Pipe()
					go func() {
						defer func() { _ = theirs.Close() }()
						test.serve(theirs)
					}()
					return ours, nil
				}
				p := newWiredProvider(t, test.scheme+"://127.0.0.1", dial)
				from := fuzzMetadata()
				from.TokenURL, from.JWKSURL = test.scheme+"://127.0.0.1/t", test.scheme+"://127.0.0.1/k"
				for what, ask := range map[string]func() error{
					"discovery":    func() error { _, _, err := p.discover(t.Context(), true); return err },
					"signing keys": func() error { _, _, err := p.keys(t.Context(), from, true); return err },
					"refresh": func() error {
						_, err := p.refresh(t.Context(), from, token.Session{RefreshToken: token.NewSecret("old")})
						return err
					},
				} {
					started := time.Now()
					err := ask()
					var failure *token.Error
					if !errors.As(err, &failure) || failure.Kind != token.Unreachable {
						t.Errorf("%s: expected nobody to be reached, got %v", what, err)
					}
					if took := time.Since(started); took > requestTimeout {
						t.Errorf("%s took %s", what, took)
					}
				}
				time.Sleep(time.Hour) // the bubble's own: all that was started comes to its end
			})
		})
	}
}

// A request is sent again only if it never went out.
func TestSecondTry(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "TOK-16")
	dialError := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, test := range map[string]struct {
		outcomes []error // of each try; nil is an answer
		tries    int
	}{
		"answered":          {[]error{nil}, 1},
		"connected then":    {[]error{dialError, nil}, 2},
		"never connected":   {[]error{dialError, dialError, nil}, 2},
		"lost while sent":   {[]error{&net.OpError{Op: "write", Err: errors.New("broken pipe")}, nil}, 1},
		"lost when sent":    {[]error{&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, nil}, 1},
		"closed when sent":  {[]error{io.EOF, nil}, 1},
		"no answer in time": {[]error{context.DeadlineExceeded, nil}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
					tries++
					if err := test.outcomes[tries-1]; err != nil {
						return nil, err
					}
					return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody, Request: request}, nil
				}))
				_, err := p.refresh(t.Context(), fuzzMetadata(), token.Session{RefreshToken: token.NewSecret("old")})
				if err == nil || tries != test.tries {
					t.Errorf("expected %d tries, got %d, %v", test.tries, tries, err)
				}
			})
		})
	}
}

// https://www.rfc-editor.org/rfc/rfc9325#section-3.1.1: nothing older than TLS 1.2
func TestTLSVersions(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "OUT-06")
	for version, ok := range map[uint16]bool{
		tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "{}")
		}))
		server.TLS = &tls.Config{MinVersion: version, MaxVersion: version}
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // refusals are what is wanted
		server.StartTLS()
		defer server.Close()
		_, _, err := newBeliever(t, server, server.URL).get(t.Context(), server.URL, "discovery")
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("%s: got %v", tls.VersionName(version), err)
		}
	}
}

// newBeliever makes a provider of an issuer that believes the server's certificate.
func newBeliever(t *testing.T, server *httptest.Server, issuer string) *Provider {
	t.Helper()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	p, err := New(Config{
		Issuer:                 issuer,
		ClientID:               "kubernetes",
		CertificateAuthorities: func() ([]string, error) { return []string{string(authority)}, nil },
		UserAgent:              func() string { return "test" },
		Now:                    time.Now,
		Log:                    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A certificate of an authority that is believed is good for its own names alone.
func TestCertificateOfAnotherName(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "OUT-06")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // refusals are what is wanted
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for host, ok := range map[string]bool{"127.0.0.1": true, "localhost": false} { // of which the certificate knows the first
		address := "https://" + net.JoinHostPort(host, port)
		_, _, err := newBeliever(t, server, address).get(t.Context(), address, "discovery")
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: got %v", host, err)
		}
	}
}
