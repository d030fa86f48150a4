package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

// The one person whom the provider knows.
const (
	username = "alice"
	password = "correct horse"
)

// provider is an OpenID Provider with a login page that any browser shows without complaint.
type provider struct {
	*idp.Server
	loginPage *server
}

func startProvider(tokenLifetime time.Duration) (*provider, error) {
	started, err := idp.Start(idp.Config{
		TLS:             true, // Kubernetes accepts no issuer without
		Form:            true,
		IDTokenLifetime: tokenLifetime,
		Users: map[string]idp.User{
			username: {Password: password, Name: "Alice Example", Groups: []string{"developers"}},
		},
	})
	if err != nil {
		return nil, err
	}
	loginPage, err := serveLoginPage(started)
	if err != nil {
		started.Close()
		return nil, fmt.Errorf("login page: %w", err)
	}
	return &provider{started, loginPage}, nil
}

func (p *provider) close() error {
	p.Close()
	return p.loginPage.close()
}

// serveLoginPage shows the login page by plain http, as it never leaves this machine: a browser would warn of the
// provider's certificate, whose authority was made a moment ago.
func serveLoginPage(behind *idp.Server) (*server, error) {
	issuer, err := url.Parse(behind.Issuer())
	if err != nil {
		return nil, err
	}
	transport, err := trusting(behind.CACertificate())
	if err != nil {
		return nil, err
	}
	path := "/" + string(idp.Authorization)
	mux := http.NewServeMux()
	mux.Handle(path, &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(issuer) },
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0),
	})
	page, err := serve(mux)
	if err != nil {
		return nil, err
	}
	return page, behind.Set("discovery.authorization_endpoint", page.url+path)
}

// traffic is how often the provider was asked for something.
type traffic struct {
	logins  int // its login page
	tokens  int // tokens
	lookUps int // its public documents: its description and its keys
}

// traffic counts from the start.
func (p *provider) traffic() traffic {
	return traffic{
		logins:  p.Count(idp.Authorization),
		tokens:  p.Count(idp.Token),
		lookUps: p.Count(idp.Discovery) + p.Count(idp.Keys),
	}
}

func (t traffic) since(earlier traffic) traffic {
	return traffic{t.logins - earlier.logins, t.tokens - earlier.tokens, t.lookUps - earlier.lookUps}
}

func (t traffic) String() string {
	if t.logins > 0 {
		return "with a login in the browser"
	}
	if t == (traffic{}) {
		return "no browser, 0 requests to the provider"
	}
	text := fmt.Sprintf("no browser, requests to the provider: %d for tokens", t.tokens)
	if t.lookUps > 0 {
		text += fmt.Sprintf(", %d for its public documents", t.lookUps)
	}
	return text
}
