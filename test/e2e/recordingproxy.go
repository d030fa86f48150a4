package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

// RecordingProxy stands before a server and remembers what was asked of it.
type RecordingProxy struct {
	URL string

	backend http.RoundTripper
	mu      sync.Mutex
	refused string // the value of an Authorization header that gets no further
	taken   int
	all     []Exchange
}

// Exchange is one request and its answer.
type Exchange struct {
	Method string
	Path   string
	Form   url.Values // of a POST
	Status int
	Answer []byte
}

// StartRecordingProxy listens with a certificate of the authority, and hands everything on to the backend.
func StartRecordingProxy(tb testing.TB, ca *CertificateAuthority, backend string) *RecordingProxy {
	tb.Helper()
	backendURL, err := url.Parse(backend)
	if err != nil {
		tb.Fatal(err)
	}
	proxy := &RecordingProxy{backend: ca.HTTPClient().Transport}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite:   func(request *httputil.ProxyRequest) { request.SetURL(backendURL) },
		Transport: proxy,
	})
	server.TLS = ca.IssueServerCertificate(tb).TLSConfig(tb)
	server.StartTLS()
	tb.Cleanup(server.Close)
	proxy.URL = server.URL
	return proxy
}

// RefuseToken makes the proxy answer 401 to a bearer token from now on, as a server does that believes it no longer.
func (p *RecordingProxy) RefuseToken(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = "Bearer " + token
}

func (p *RecordingProxy) refuses(request *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused != "" && request.Header.Get("Authorization") == p.refused
}

// unauthorized is what kube-apiserver answers to a token that it does not believe.
func unauthorized(request *http.Request) *http.Response {
	const status = `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}`
	return &http.Response{
		StatusCode: http.StatusUnauthorized,
		ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Content-Type": {"application/json"}},
		Body:    io.NopCloser(strings.NewReader(status)),
		Request: request,
	}
}

// RoundTrip hands one request on and records it with its answer. It is called by the reverse proxy.
func (p *RecordingProxy) RoundTrip(request *http.Request) (*http.Response, error) {
	if p.refuses(request) {
		return unauthorized(request), nil
	}
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	response, err := p.backend.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))

	form, _ := url.ParseQuery(string(body)) // a body that is no form has nothing for the tests
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, Exchange{request.Method, request.URL.Path, form, response.StatusCode, answer})
	return response, nil
}

// Take returns what was exchanged since it was asked last.
func (p *RecordingProxy) Take() []Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := slices.Clone(p.all[p.taken:])
	p.taken = len(p.all)
	return fresh
}

// All returns everything since the start.
func (p *RecordingProxy) All() []Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

// IsTokenRequest says whether the exchange was one with the token endpoint.
func (e Exchange) IsTokenRequest() bool {
	return e.Method == http.MethodPost && path.Base(e.Path) == "token"
}

// Tokens returns what the token endpoint gave.
func (e Exchange) Tokens(tb testing.TB) Tokens {
	tb.Helper()
	var tokens Tokens
	if err := json.Unmarshal(e.Answer, &tokens); err != nil {
		tb.Fatalf("the answer of %s %s: %v", e.Method, e.Path, err)
	}
	return tokens
}
