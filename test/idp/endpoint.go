package idp

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Endpoint names one of the provider's endpoints.
type Endpoint string

// The endpoints of the provider.
const (
	Discovery     Endpoint = "discovery"
	Keys          Endpoint = "keys"
	Authorization Endpoint = "authorization"
	Token         Endpoint = "token"
	UserInfo      Endpoint = "userinfo"
	Device        Endpoint = "device_authorization"
	DevicePage    Endpoint = "device"
	Revocation    Endpoint = "revocation"
	EndSession    Endpoint = "end_session"
)

// path of an endpoint is relative to the issuer.
func (c Config) path(endpoint Endpoint) string {
	switch endpoint {
	case Discovery:
		// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest
		return "/.well-known/openid-configuration"
	case Keys:
		return c.KeysPath
	default:
		return "/" + string(endpoint)
	}
}

// route is how one endpoint is served.
type route struct {
	endpoint Endpoint
	methods  []string
	process  func(*http.Request) answer // runs under the mutex
}

// routes is the whole of the provider seen from outside.
func (s *Server) routes() http.Handler {
	authorizationMethods := []string{http.MethodGet}
	if s.config.Form {
		authorizationMethods = append(authorizationMethods, http.MethodPost)
	}
	mux := http.NewServeMux()
	for _, route := range []route{
		{Discovery, []string{http.MethodGet}, s.discover},
		{Keys, []string{http.MethodGet}, s.publishKeys},
		{Authorization, authorizationMethods, s.authorize},
		// https://www.rfc-editor.org/rfc/rfc6749#section-3.2: the client must use POST
		{Token, []string{http.MethodPost}, s.token},
		{UserInfo, []string{http.MethodGet, http.MethodPost}, s.userInfo},
		{Device, []string{http.MethodPost}, s.authorizeDevice},
		{DevicePage, []string{http.MethodGet}, s.devicePage},
		// https://www.rfc-editor.org/rfc/rfc7009#section-2: the client must use POST
		{Revocation, []string{http.MethodPost}, s.revoke},
		// https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout: both must be supported
		{EndSession, []string{http.MethodGet, http.MethodPost}, s.endSession},
	} {
		mux.Handle(strings.TrimSuffix(s.config.Path, "/")+s.config.path(route.endpoint), s.serve(route))
	}
	return mux
}

// serve is what all endpoints have in common: the request is recorded, then answered or failed as Set asked for.
func (s *Server) serve(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		malformed := r.ParseForm()
		fault, latency := s.receive(route.endpoint, r)
		var answer answer
		switch {
		case fault.kind == hang:
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case fault.kind == reset:
			panic(http.ErrAbortHandler)
		case fault.kind == fixedAnswer:
			answer = fault.answer
		case !slices.Contains(route.methods, r.Method):
			answer = page(http.StatusMethodNotAllowed, "method not allowed")
			answer.header.Set("Allow", strings.Join(route.methods, ", "))
		case malformed != nil:
			answer = page(http.StatusBadRequest, "malformed request")
		default:
			answer = s.process(route, r)
		}
		if fault.kind == otherType {
			answer.header.Set("Content-Type", fault.answer.header.Get("Content-Type"))
		}
		if fault.kind == resetAfter {
			panic(http.ErrAbortHandler)
		}
		if !wait(r, latency) {
			panic(http.ErrAbortHandler)
		}
		answer.send(w, s.config.Now())
	})
}

// receive records a request and says how to fail it, and how long to delay the answer.
func (s *Server) receive(endpoint Endpoint, r *http.Request) (fault, time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.record(endpoint, r)
	if endpoint != Token {
		return s.behaviour.fault(endpoint), 0
	}
	return s.behaviour.fault(endpoint), s.behaviour.latency
}

func (s *Server) process(route route, r *http.Request) answer {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return route.process(r)
}

// wait returns false if the client went away or the provider was closed meanwhile.
func wait(r *http.Request, delay time.Duration) bool {
	select {
	case <-time.After(delay):
		return true
	case <-r.Context().Done():
		return false
	}
}

// answer is a response that is not sent yet, so that it can be delayed or dropped after its request took effect.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) send(w http.ResponseWriter, now time.Time) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that is gone needs no answer
}

// page is an answer for people.
func page(status int, text string) answer {
	return htmlAnswer(status, []byte("<!DOCTYPE html>\n<title>Provider</title>\n<p>"+html.EscapeString(text)+"</p>\n"))
}

func htmlAnswer(status int, body []byte) answer {
	header := http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Cache-Control": {"no-store"}}
	return answer{status, header, body}
}

func textAnswer(text string) answer {
	return answer{http.StatusOK, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, []byte(text)}
}

func jsonAnswer(status int, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		return page(http.StatusInternalServerError, err.Error())
	}
	return answer{status, http.Header{"Content-Type": {"application/json"}}, body}
}

func redirectAnswer(status int, location string) answer {
	return answer{status, http.Header{"Location": {location}, "Cache-Control": {"no-store"}}, nil}
}

// failure is an error of OAuth 2.0, as told to the client.
type failure struct {
	code, description string
}

func (f failure) Error() string { return f.code + ": " + f.description }

// repeated finds a parameter that is given more than once.
func repeated(parameters url.Values) (name string, found bool) {
	for name, values := range parameters {
		// https://www.rfc-editor.org/rfc/rfc8707#section-2: resource alone may be there more than once
		if len(values) > 1 && name != "resource" {
			return name, true
		}
	}
	return "", false
}
