package provider

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/loopback"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// Config says which provider, as which client, and how a person is reached.
type Config struct {
	Issuer       string       // the issuer URL, byte for byte as in its tokens
	ClientID     string       // the client registered for kubectl
	ClientSecret token.Secret // empty for a public client, which is the right kind
	// ReadClientSecret returns the secret where it lies elsewhere; nil: ClientSecret. It is called for each request.
	ReadClientSecret func() (token.Secret, error)
	SecretMethod     SecretMethod // how the secret is sent
	// ClientAssertion returns a JWT that authenticates the client in place of a secret; nil: there is none. It is called
	// for each request, since others renew the assertion.
	ClientAssertion func() (token.Secret, error)
	Scopes          []string // asked for besides openid
	// TrustedAudiences may be audiences of an ID token besides the client.
	TrustedAudiences []string

	// Parameters are added to the authorization request. None may be one of the protocol's.
	Parameters map[string]string
	ACRValues  []string       // authentication context classes; the ID token must name one of them
	MaxAge     *time.Duration // how long ago the person may have been asked last; nil: not said
	Audience   string         // for whom access tokens are asked, in the words of some vendors
	Resources  []string       // the same in those of the standard, as absolute URIs
	// UseAccessToken sends the access token in place of the ID token.
	UseAccessToken bool

	ListenAddresses []string      // tried in order for the browser's answer, as host:port
	RedirectURL     string        // empty: http://localhost:PORT
	LoginTimeout    time.Duration // how long a person may take
	// ServerCertificate returns what makes the listener for the browser's answer speak TLS; nil: it does not.
	ServerCertificate func() (*tls.Certificate, error)
	// NextURL is where the browser goes after a login; empty: it shows how the login ended.
	NextURL string

	Grant    Grant        // how to log in
	PKCE     PKCE         // whether a code is of use to others
	Username string       // for Password; part of the identity
	Password token.Secret // for Password
	// Account is the subject, email or username of the person who is meant; empty: whoever logs in. It is part of the
	// identity.
	Account string
	// SelectAccount asks the provider to let the person choose the account.
	SelectAccount bool

	// CertificateAuthorities returns PEM texts that are added to the system's roots; nil: none. It is called when the
	// provider is first asked for something, since most calls never ask.
	CertificateAuthorities func() ([]string, error)
	InsecureSkipTLSVerify  bool // believe any certificate: for experiments only
	// Renegotiation is what the provider may ask of a TLS connection; the zero value, never, is right.
	Renegotiation tls.RenegotiationSupport
	// Trust names the two settings above, so that documents fetched under other ones are not mixed up.
	Trust string

	// Headers are sent with each request to the provider. Their values may be secrets.
	Headers map[string]token.Secret

	UserAgent func() string                         // names the program to the provider
	Proxy     func(*http.Request) (*url.URL, error) // nil: no proxy
	Now       func() time.Time                      // the clock
	Log       *slog.Logger                          // steps, without secrets
	Warn      func(error)                           // what the person should know although the login goes on

	// LoadDocument and SaveDocument keep the provider's metadata and keys between processes; nil: nothing is kept.
	LoadDocument func(name string) []byte
	SaveDocument func(name string, text []byte)

	// ShowLogin brings a login before a person, in a browser or on the terminal, and returns at once.
	ShowLogin func(context.Context, Invitation)
	// ReadAnswer waits for a line that the person types at the terminal, where the browser cannot bring the answer; nil:
	// nobody can type one. It is called as soon as a login is shown, and its context ends with the wait.
	ReadAnswer func(context.Context) (string, error)
	// ShowDevice brings the code of a device login before a person, and returns at once.
	ShowDevice func(context.Context, Device)
	// AskCode brings the authorization URL before a person and returns what they bring back.
	AskCode func(ctx context.Context, authorizationURL string) (string, error)
	// AskPassword asks for what is missing of Username and Password, and returns both.
	AskPassword func(context.Context) (username string, password token.Secret, err error)
	// Sleep waits, and returns the cause where the context ends first.
	Sleep func(context.Context, time.Duration) error
	// Target is what the person logs in to, for the last page; empty: not said.
	Target string
}

// Invitation is what a person needs to log in.
type Invitation struct {
	AuthorizationURL string    // to be opened in a browser
	Until            time.Time // when nobody waits any more
	RedirectURI      string    // where the provider sends the browser with the answer
	Port             int       // where this machine waits for it
	OffersDeviceFlow bool      // the provider has an endpoint for https://www.rfc-editor.org/rfc/rfc8628
}

// Provider is an OpenID Provider as seen by one client. It asks nothing of the network before its methods are
// called.
type Provider struct {
	config   Config
	redirect *url.URL
	client   func() (*http.Client, error)
}

// New checks the configuration. Its errors are for the person who wrote the flags.
func New(config Config) (*Provider, error) {
	if err := checkIssuer(config.Issuer); err != nil {
		return nil, misused(err)
	}
	if config.ClientID == "" {
		return nil, misused(fmt.Errorf("the client ID is missing"))
	}
	if err := config.checkParameters(); err != nil {
		return nil, misused(err)
	}
	if err := config.checkHeaders(); err != nil {
		return nil, misused(err)
	}
	if err := config.checkNextURL(); err != nil {
		return nil, misused(err)
	}
	redirect, err := config.redirect()
	if err != nil {
		return nil, misused(err)
	}
	client := sync.OnceValues(func() (*http.Client, error) { return newHTTPClient(config) })
	return &Provider{config: config, redirect: redirect, client: client}, nil
}

// Scopes returns what is asked for: openid, once, and the others
// (https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
func (c Config) scopes() []string {
	scopes := []string{"openid"}
	for _, scope := range c.Scopes {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// Key returns the identity that this configuration asks for.
func (c Config) Key() token.Key {
	key := token.Key{
		Issuer:      c.Issuer,
		ClientID:    c.ClientID,
		Scopes:      c.scopes(),
		Parameters:  c.parameters(),
		AccessToken: c.UseAccessToken,
		Machine:     c.Grant == ClientCredentials,
		Account:     c.Account,
	}
	if c.Grant == Password && key.Account == "" {
		key.Account = c.Username
	}
	return key
}

// redirect is where the browser's answer is caught, if this program does so.
func (c Config) redirect() (*url.URL, error) {
	switch c.Grant {
	case AuthCode:
		parsed, err := parseRedirectURL(c.RedirectURL)
		if err == nil {
			err = c.checkRedirectScheme(parsed)
		}
		return parsed, err
	case AuthCodeKeyboard:
		// https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2
		if parsed, err := url.Parse(c.RedirectURL); err != nil || parsed.Scheme == "" || parsed.Fragment != "" {
			return nil, fmt.Errorf("redirect URL %q is not a URL without fragment", untrusted.Printable(c.RedirectURL))
		}
	}
	return nil, nil
}

// checkIssuer asks for https without query or fragment
// (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata).
func checkIssuer(issuer string) error {
	parsed, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return fmt.Errorf("the issuer URL is missing")
	case err != nil || parsed.Hostname() == "":
		return fmt.Errorf("issuer URL %q is not a URL", untrusted.Printable(issuer))
	case parsed.User != nil:
		return fmt.Errorf("issuer URL has a user name in it")
	case parsed.RawQuery != "" || parsed.Fragment != "" || strings.HasSuffix(issuer, "?") || strings.HasSuffix(issuer, "#"):
		return fmt.Errorf("issuer URL %q has a query or a fragment", untrusted.Printable(issuer))
	}
	return checkTransport(parsed)
}

// checkTransport lets secrets travel by TLS only; plain http is for this machine alone.
func checkTransport(target *url.URL) error {
	if target.Scheme == "https" || target.Scheme == "http" && isLoopback(target.Hostname()) {
		return nil
	}
	return fmt.Errorf("%s is not https", untrusted.Printable(target.Redacted()))
}

func parseRedirectURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	parsed, err := url.Parse(text)
	if err != nil || !isWeb(parsed) || parsed.Fragment != "" {
		return nil, fmt.Errorf("redirect URL %q is not an http or https URL without user name and fragment", untrusted.Printable(text))
	}
	return parsed, nil
}

// checkRedirectScheme holds a redirect URL that leads straight to the listener against what the listener speaks. One that
// leads to another host is the business of whoever is there.
func (c Config) checkRedirectScheme(redirect *url.URL) error {
	if redirect == nil || !isLoopback(redirect.Hostname()) {
		return nil
	}
	switch secure := c.ServerCertificate != nil; {
	case redirect.Scheme == "https" && !secure:
		return fmt.Errorf("redirect URL %q is https, which needs --local-server-cert and --local-server-key", untrusted.Printable(redirect.String()))
	case redirect.Scheme == "http" && secure:
		return fmt.Errorf("redirect URL %q is not https, though there is a --local-server-cert", untrusted.Printable(redirect.String()))
	}
	return nil
}

// checkNextURL lets the browser go to web pages only.
func (c Config) checkNextURL() error {
	if c.NextURL == "" {
		return nil
	}
	if parsed, err := url.Parse(c.NextURL); err != nil || !isWeb(parsed) || untrusted.Printable(c.NextURL) != c.NextURL {
		return fmt.Errorf("the URL to open after the login, %q, is not an http or https URL without user name", untrusted.Printable(c.NextURL))
	}
	return nil
}

func isWeb(address *url.URL) bool {
	return (address.Scheme == "http" || address.Scheme == "https") && address.Hostname() != "" && address.User == nil
}

// listenConfig says where to wait for the browser's answer, and as what it is addressed. The certificate is read only now.
func (p *Provider) listenConfig() (loopback.Config, error) {
	config := loopback.Config{Addresses: p.config.ListenAddresses, RedirectURL: p.redirect}
	if p.config.ServerCertificate == nil {
		return config, nil
	}
	var err error
	config.Certificate, err = p.config.ServerCertificate()
	return config, err
}
