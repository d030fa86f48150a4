package idp

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Request is one that was received.
type Request struct {
	Endpoint Endpoint
	Method   string
	Protocol string // such as HTTP/2.0
	Query    url.Values
	Form     url.Values
	Header   http.Header
	Time     time.Time
}

// Requests are all that were received since the start, in order. Their maps must not be changed.
func (s *Server) Requests() []Request {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.requests)
}

// Count is the number of requests that an endpoint received since the start, refused and failed ones included.
func (s *Server) Count(endpoint Endpoint) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	count := 0
	for _, request := range s.requests {
		if request.Endpoint == endpoint {
			count++
		}
	}
	return count
}

// Secrets are every code, state, nonce, code_verifier, token and client secret that was received or issued, sorted.
// No output of a client may contain one, its credential excepted.
func (s *Server) Secrets() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Sorted(maps.Keys(s.secrets))
}

// record runs before a request is judged, so that bad ones are kept too.
func (s *Server) record(endpoint Endpoint, r *http.Request) {
	request := Request{
		Endpoint: endpoint,
		Method:   r.Method,
		Protocol: r.Proto,
		Query:    r.URL.Query(),
		Form:     r.PostForm,
		Header:   r.Header.Clone(),
		Time:     s.config.Now(),
	}
	s.requests = append(s.requests, request)

	for _, name := range []string{
		"state", "nonce", "code", "code_verifier", "refresh_token", "access_token", "id_token_hint", "client_secret",
		"device_code", "password", "client_assertion", "token",
	} {
		s.keepSecret(request.Query[name]...)
		s.keepSecret(request.Form[name]...)
	}
	if _, secret, ok := basicCredentials(r); ok {
		s.keepSecret(secret)
	}
	if token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
		s.keepSecret(token)
	}
}

func (s *Server) keepSecret(values ...string) {
	for _, value := range values {
		if value != "" {
			s.secrets[value] = true
		}
	}
}
