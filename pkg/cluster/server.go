package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

const (
	connectTimeout = 10 * time.Second // name look-up and TCP
	tlsTimeout     = 10 * time.Second
	requestTimeout = 20 * time.Second // from dialling to the last octet
	maxBody        = 1 << 20          // far above any honest answer
	maxHeader      = 1 << 16
)

// Server says how to reach an API server, in the words of a kubeconfig's cluster
// (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#Cluster).
type Server struct {
	URL                  string // may have a path, as behind Rancher
	CertificateAuthority string // PEM; empty: the authorities of this machine
	TLSServerName        string // the name to expect in the certificate; empty: that of the URL
	Insecure             bool   // believe any certificate
	// Proxy chooses a proxy as in http.Transport; nil: none.
	Proxy     func(*http.Request) (*url.URL, error)
	UserAgent string
}

// address is the URL of a resource. A token goes over TLS, or not off this machine.
func (s Server) address(resource string) (string, error) {
	parsed, err := url.Parse(s.URL)
	if err != nil || parsed.Hostname() == "" || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
		return "", misused("the API server's address is not a URL such as https://HOST:6443")
	}
	if parsed.Scheme != "https" && (parsed.Scheme != "http" || !isLoopback(parsed.Hostname())) {
		return "", misused("the API server's address %s is not https, so others could read the token on its way", untrusted.Quoted(s.URL))
	}
	return parsed.JoinPath(resource).String(), nil
}

// client makes a client that sends a token to this server and to nobody else.
func (s Server) client() (*http.Client, error) {
	roots, err := s.roots()
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  s.Proxy,
			DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout:    tlsTimeout,
			MaxResponseHeaderBytes: maxHeader,
			TLSClientConfig: &tls.Config{
				MinVersion:         tls.VersionTLS12,
				RootCAs:            roots,
				ServerName:         s.TLSServerName,
				InsecureSkipVerify: s.Insecure, //nolint:gosec // the person asked for it by name
			},
		},
		// What is posted is never sent on: the token is for the address that the kubeconfig names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       requestTimeout,
	}, nil
}

// roots are those of the cluster alone, as for kubectl; nil means this machine's.
func (s Server) roots() (*x509.CertPool, error) {
	if s.CertificateAuthority == "" {
		return nil, nil
	}
	certificates, err := parseCertificates(s.CertificateAuthority)
	if err != nil {
		return nil, misused("the API server's certificate authority %w", err)
	}
	roots := x509.NewCertPool()
	for _, certificate := range certificates {
		roots.AddCert(certificate)
	}
	return roots, nil
}

func (s Server) host() string {
	parsed, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return parsed.Host
}

func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

func misused(format string, arguments ...any) error {
	return &token.Error{Kind: token.Misused, Err: fmt.Errorf(format, arguments...)}
}
