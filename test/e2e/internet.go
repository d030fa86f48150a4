package e2e

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// Internet is what a computer reaches through its proxy: nothing but the sites of the test.
type Internet struct {
	ProxyURL string

	ca        *CertificateAuthority
	mu        sync.Mutex
	addresses map[string]string // of its sites on this machine
}

// StartInternet starts a proxy that leads to no site yet. https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
func StartInternet(tb testing.TB, ca *CertificateAuthority) *Internet {
	tb.Helper()
	internet := &Internet{ca: ca, addresses: map[string]string{}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		internet.mu.Lock()
		address, known := internet.addresses[r.Host]
		internet.mu.Unlock()
		if r.Method != http.MethodConnect || !known {
			http.Error(w, "this internet has no "+r.Method+" "+r.Host, http.StatusBadGateway)
			return
		}
		tunnel(w, address)
	}))
	tb.Cleanup(proxy.Close)
	internet.ProxyURL = proxy.URL
	return internet
}

// Add gives it a site, by host and port, with a certificate of the authority.
func (i *Internet) Add(tb testing.TB, site string, handler http.Handler) {
	tb.Helper()
	host, _, err := net.SplitHostPort(site)
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: i.ca.IssueServerCertificate(tb, host).TLSConfig(tb).Certificates}
	server.StartTLS()
	tb.Cleanup(server.Close)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.addresses[site] = server.Listener.Addr().String()
}

// Variables are those of the environment that lead programs, git among them, to it.
func (i *Internet) Variables() []string {
	return []string{
		"HTTPS_PROXY=" + i.ProxyURL,
		"NO_PROXY=127.0.0.1,localhost",
		"SSL_CERT_FILE=" + i.ca.File,
		"GIT_SSL_CAINFO=" + i.ca.File,
	}
}

// ReverseProxy is a site that hands everything on to a server of the test.
func ReverseProxy(tb testing.TB, ca *CertificateAuthority, backend string) http.Handler {
	tb.Helper()
	backendURL, err := url.Parse(backend)
	if err != nil {
		tb.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(backendURL)
			request.Out.Host = request.In.Host
		},
		Transport: ca.HTTPClient().Transport,
	}
}

// tunnel joins the client's connection with one to the address, until either ends.
func tunnel(w http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 Connected\r\n\r\n")
	for _, pair := range [][2]net.Conn{{here, there}, {there, here}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			_, _ = pair[0].Close(), pair[1].Close()
		}()
	}
}
