package e2e

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Internet is what a computer reaches through its proxy: nothing but the sites of the test.
type Internet struct {
	ProxyURL string

	ca *CertificateAuthority
}

// StartInternet starts a proxy (https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6). The sites are by host and port, as
// github.com:443; each has a certificate of the authority.
func StartInternet(tb testing.TB, ca *CertificateAuthority, sites map[string]http.Handler) *Internet {
	tb.Helper()
	addresses := map[string]string{}
	for site, handler := range sites {
		host, _, err := net.SplitHostPort(site)
		if err != nil {
			tb.Fatal(err)
		}
		server := httptest.NewUnstartedServer(handler)
		server.TLS = &tls.Config{Certificates: ca.IssueServerCertificate(tb, host).TLSConfig(tb).Certificates}
		server.StartTLS()
		tb.Cleanup(server.Close)
		addresses[site] = server.Listener.Addr().String()
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address, known := addresses[r.Host]
		if r.Method != http.MethodConnect || !known {
			http.Error(w, "this internet has no "+r.Method+" "+r.Host, http.StatusBadGateway)
			return
		}
		tunnel(w, address)
	}))
	tb.Cleanup(proxy.Close)
	return &Internet{ProxyURL: proxy.URL, ca: ca}
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
