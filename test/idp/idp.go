// Package idp is an OpenID Provider for tests that runs inside the test's own process. It is strict: a request that
// breaks a rule of OAuth 2.0, PKCE or OpenID Connect is refused, even where real providers let it pass. And it can be
// told to misbehave, with Server.Set, so that a client's defences can be seen at work.
//
// It knows one client, keeps everything in memory, and holds no browser session: each login starts from nothing.
package idp

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says what kind of provider to start. The zero value is a useful provider.
type Config struct {
	// TLS serves https with a certificate of a CA made at start, see Server.CACertificate.
	TLS bool
	// ClientID of the one registered client; "" means "kubernetes".
	ClientID string
	// ClientSecret makes the client confidential; "" means a public client.
	ClientSecret string
	// ClientAssertion is the JWT that authenticates the client, in place of a secret; "" means none.
	ClientAssertion string
	// RedirectURIs are compared exactly; nil means any http URI on localhost, 127.0.0.1 or [::1].
	RedirectURIs []string
	// PostLogoutRedirectURIs are compared exactly; nil means any http URI on localhost, 127.0.0.1 or [::1].
	PostLogoutRedirectURIs []string
	// Users by username; nil means alice with the password "correct horse".
	Users map[string]User
	// Form shows a login form. Without it a request is approved at once for the user that login_hint names (by
	// username or email), or else for the first in alphabetical order.
	Form bool
	// IDTokenLifetime is that of access tokens as well; 0 means one minute.
	IDTokenLifetime time.Duration
	// RefreshIdle is how long a refresh token lives unused; 0 means 20 minutes.
	RefreshIdle time.Duration
	// Latency is added to every answer of the token endpoint, after the request was processed.
	Latency time.Duration
	// IDTokenPadding is the number of octets in a junk claim of ID tokens; 0 means no such claim.
	IDTokenPadding int
	// Now is the provider's clock, which its Date headers show too; nil means time.Now. It is called from many
	// goroutines and must not call the Server.
	Now func() time.Time
	// Address to listen on; "" means "127.0.0.1:0". Its host is the issuer's.
	Address string
	// Path is that of the issuer, such as "/realms/x"; "" means none. A slash at its end is kept in the issuer.
	Path string
	// KeysPath is that of the key set, within the issuer's; "" means "/keys".
	KeysPath string
}

// User can log in.
type User struct {
	// Subject is the sub claim; "" means the username.
	Subject string
	// Password is asked for by the login form.
	Password string
	// Email, Name and Groups are left out of the claims where they are empty.
	Email, Name string
	Groups      []string
}

// Server is a running provider. Its methods may be called from any goroutine.
type Server struct {
	config        Config
	issuer        string
	caCertificate []byte
	server        *http.Server
	address       string
	connections   *busyConnections
	stop          context.CancelFunc
	stopped       chan struct{}

	mutex         sync.Mutex // guards everything below
	behaviour     behaviour
	keys          *keyring
	foreignKeys   *keyring // never published; nil until needed
	rotations     int
	codes         map[string]*authorizationCode
	deviceCodes   map[string]*deviceCode
	refreshTokens map[string]*refreshToken
	accessTokens  map[string]*accessToken
	reuse         int
	requests      []Request
	secrets       map[string]bool
}

// Start starts a provider that runs until it is closed.
func Start(config Config) (*Server, error) {
	config = config.withDefaults()
	host, _, err := net.SplitHostPort(config.Address)
	if err != nil {
		return nil, fmt.Errorf("address of the provider: %w", err)
	}
	for _, path := range []string{config.Path, config.KeysPath} {
		if path != "" && !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("paths of the provider must begin with a slash: %q", path)
		}
	}
	s := &Server{
		config:        config,
		connections:   newBusyConnections(),
		stopped:       make(chan struct{}),
		behaviour:     goodBehaviour(config),
		codes:         map[string]*authorizationCode{},
		deviceCodes:   map[string]*deviceCode{},
		refreshTokens: map[string]*refreshToken{},
		accessTokens:  map[string]*accessToken{},
		secrets:       map[string]bool{},
	}
	s.keepSecret(config.ClientSecret, config.ClientAssertion)
	if s.keys, err = newKeyring(firstPublishedKey); err != nil {
		return nil, fmt.Errorf("keys of the provider: %w", err)
	}
	if err := s.listen(host); err != nil {
		return nil, err
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	c.ClientID = cmp.Or(c.ClientID, "kubernetes")
	c.IDTokenLifetime = cmp.Or(c.IDTokenLifetime, time.Minute)
	c.RefreshIdle = cmp.Or(c.RefreshIdle, 20*time.Minute)
	c.Address = cmp.Or(c.Address, "127.0.0.1:0")
	c.KeysPath = cmp.Or(c.KeysPath, "/keys")
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Users == nil {
		c.Users = map[string]User{"alice": {
			Password: "correct horse",
			Email:    "alice@example.com",
			Name:     "Alice Example",
			Groups:   []string{"developers"},
		}}
	}
	c.Users = maps.Clone(c.Users)
	for username, user := range c.Users {
		user.Subject = cmp.Or(user.Subject, username)
		c.Users[username] = user
	}
	c.RedirectURIs = slices.Clone(c.RedirectURIs)
	c.PostLogoutRedirectURIs = slices.Clone(c.PostLogoutRedirectURIs)
	return c
}

// listen fixes the issuer, whose port is known only now, and begins to serve.
func (s *Server) listen(host string) error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.server = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         s.connections.note,
		// A client that refuses our certificate is what a test may want, and no news.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	scheme, serve := "http", s.server.Serve
	if s.config.TLS {
		configuration, caCertificate, err := newTLSConfig(host)
		if err != nil {
			return fmt.Errorf("certificate of the provider: %w", err)
		}
		s.caCertificate, s.server.TLSConfig = caCertificate, configuration
		scheme, serve = "https", func(l net.Listener) error { return s.server.ServeTLS(l, "", "") }
	}
	listener, err := net.Listen("tcp", s.config.Address)
	if err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	s.address = listener.Addr().String()
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return fmt.Errorf("address of the provider: %w", err)
	}
	s.issuer = scheme + "://" + net.JoinHostPort(cmp.Or(host, "localhost"), port) + s.config.Path
	go func() {
		defer close(s.stopped)
		_ = serve(listener) // always ErrServerClosed
	}()
	return nil
}

// Close stops the provider and breaks off every request under way.
func (s *Server) Close() {
	s.stop()
	_ = s.server.Close()
	<-s.stopped
}

// Issuer is the issuer identifier.
func (s *Server) Issuer() string { return s.issuer }

// CACertificate is the PEM of the CA that signed the provider's certificate, nil without TLS.
func (s *Server) CACertificate() []byte { return slices.Clone(s.caCertificate) }

// ClientID is that of the registered client.
func (s *Server) ClientID() string { return s.config.ClientID }

// url is where an endpoint is reached.
func (s *Server) url(endpoint Endpoint) string {
	return strings.TrimSuffix(s.issuer, "/") + s.config.path(endpoint)
}
