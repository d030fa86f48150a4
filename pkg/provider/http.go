package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

const (
	connectTimeout = 10 * time.Second // name look-up and TCP
	tlsTimeout     = 10 * time.Second
	requestTimeout = 20 * time.Second // one request, from dialling to the last octet
	maxBody        = 1 << 20          // far above any honest answer
	// A network that is just coming up, or a server that restarts, is often there a moment later.
	dialRetry = 200 * time.Millisecond
)

// newHTTPClient makes the one client for everything that is asked of the provider.
func newHTTPClient(config Config) (*http.Client, error) {
	roots, err := config.roots()
	if err != nil {
		return nil, ours(err)
	}
	transport := &http.Transport{
		Proxy:                  config.Proxy,
		OnProxyConnectResponse: proxyAnswer,
		DialContext:            dial,
		TLSHandshakeTimeout:    tlsTimeout,
		// HTTP/1.1 alone: a call asks once or twice, and HTTP/2 would have nothing to share. It knows no renegotiation either
		// (https://www.rfc-editor.org/rfc/rfc9113#section-9.2.1). The builds leave it out.
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			RootCAs:            roots,
			InsecureSkipVerify: config.InsecureSkipTLSVerify, //nolint:gosec // the person asked for it by name
			Renegotiation:      config.Renegotiation,
		},
	}
	return &http.Client{
		Transport:     &polite{next: transport, userAgent: config.UserAgent(), headers: config.Headers, proxy: config.Proxy},
		CheckRedirect: sameOrigin,
		Timeout:       requestTimeout,
	}, nil
}

// dialUntil is the context key of a context that ends dialling alone.
type dialUntil struct{}

// cancelledOnlyByDial returns a context that follows the end of ctx while a connection is being made and not after that.
func cancelledOnlyByDial(ctx context.Context) context.Context {
	return context.WithValue(context.WithoutCancel(ctx), dialUntil{}, ctx)
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if until, ok := ctx.Value(dialUntil{}).(context.Context); ok {
		if err := until.Err(); err != nil {
			return nil, err
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(until, cancel)()
	}
	return (&net.Dialer{Timeout: connectTimeout}).DialContext(ctx, network, address)
}

// roots are the system's and the configured ones; nil means the system's alone, which are then loaded when needed.
func (c Config) roots() (*x509.CertPool, error) {
	if c.CertificateAuthorities == nil {
		return nil, nil
	}
	certificates, err := c.CertificateAuthorities()
	if err != nil || len(certificates) == 0 {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a machine without roots of its own
	}
	for _, pem := range certificates {
		if !roots.AppendCertsFromPEM([]byte(pem)) {
			return nil, errors.New("certificate authority: no PEM certificate in it")
		}
	}
	return roots, nil
}

// polite names the program, says what the person wants to be said, and caps what a server may send.
type polite struct {
	next      http.RoundTripper
	userAgent string
	headers   map[string]token.Secret
	proxy     func(*http.Request) (*url.URL, error) // nil: there is none
}

func (p *polite) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("User-Agent", p.userAgent)
	if request.Header.Get("Accept") == "" {
		request.Header.Set("Accept", "application/json")
	}
	addHeaders(request.Header, p.headers)
	response, err := p.next.RoundTrip(request)
	if isDialError(err) && pause(request.Context(), dialRetry) {
		// Nothing was sent, so even a request that must not be sent twice may be tried again.
		response, err = p.next.RoundTrip(request)
	}
	if err != nil {
		return nil, proxiedBy(p.proxy, request, err)
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxBody), response.Body}
	return response, nil
}

func isDialError(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) && (operation.Op == "dial" || operation.Op == connectingToProxy)
}

// pause waits, and tells whether it was allowed to.
func pause(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// sameOrigin follows a moved document within its server. What is posted is never sent on, and nobody is asked whom the
// issuer did not name.
func sameOrigin(next *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || len(via) > 3 || next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// get fetches a JSON document.
func (p *Provider) get(ctx context.Context, address, what string) ([]byte, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", what, err)
	}
	client, err := p.client()
	if err != nil {
		return nil, nil, err
	}
	started := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, unreachable(what, hostOf(address), err)
	}
	defer func() { _ = response.Body.Close() }()
	p.config.Log.Info("asked the provider", "for", what, "status", response.StatusCode, "took", time.Since(started))
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, unreachable(what, hostOf(address), err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, wrongStatus(what, address, response.StatusCode, retryAfter(response.Header, p.config.Now()))
	}
	if isHTML(response.Header) && !json.Valid(body) { // some servers call everything a page
		return nil, nil, notTheProvider(what, address)
	}
	return body, response.Header, nil
}

func isHTML(header http.Header) bool {
	return mediaType(header) == "text/html" || mediaType(header) == "application/xhtml+xml"
}

func mediaType(header http.Header) string {
	name, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return name
}

// retryAfter is for how long a server asks to be left alone, in seconds or until a date by its own clock; 0 where it does
// not, or says nothing that makes sense (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return max(until.Sub(now), 0)
}

func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

func hostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Host
}
