package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CertificateAuthority signs the certificates of all servers of one test.
type CertificateAuthority struct {
	File string // the certificate, PEM
	PEM  string

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// ServerCertificate is a certificate for localhost and the loopback addresses, followed by that of its authority.
type ServerCertificate struct {
	CertificateFile string
	KeyFile         string
}

// NewCertificateAuthority makes an authority that is valid for this test alone.
func NewCertificateAuthority(tb testing.TB) *CertificateAuthority {
	tb.Helper()
	template := certificateTemplate("End-to-end test CA")
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign

	key := newKey(tb)
	certificate := sign(tb, template, template, key, key)
	ca := &CertificateAuthority{
		File:        filepath.Join(tb.TempDir(), "ca.crt"),
		PEM:         encodePEM("CERTIFICATE", certificate.Raw),
		certificate: certificate,
		key:         key,
	}
	writeFile(tb, ca.File, ca.PEM)
	return ca
}

// IssueServerCertificate signs a certificate for a new key, also for other names.
func (ca *CertificateAuthority) IssueServerCertificate(tb testing.TB, names ...string) ServerCertificate {
	tb.Helper()
	template := certificateTemplate("localhost")
	template.DNSNames = append(names, "localhost")
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}

	key := newKey(tb)
	certificate := sign(tb, template, ca.certificate, key, ca.key)
	issued := ServerCertificate{
		CertificateFile: filepath.Join(tb.TempDir(), "server.crt"),
		KeyFile:         filepath.Join(tb.TempDir(), "server.key"),
	}
	writeFile(tb, issued.CertificateFile, encodePEM("CERTIFICATE", certificate.Raw)+ca.PEM)
	writeFile(tb, issued.KeyFile, encodeKey(tb, key))
	return issued
}

// TLSConfig returns what a server of this process needs.
func (c ServerCertificate) TLSConfig(tb testing.TB) *tls.Config {
	tb.Helper()
	certificate, err := tls.LoadX509KeyPair(c.CertificateFile, c.KeyFile)
	if err != nil {
		tb.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}}
}

// HTTPClient returns a client that trusts this authority alone.
func (ca *CertificateAuthority) HTTPClient() *http.Client {
	trusted := x509.NewCertPool()
	trusted.AddCert(ca.certificate)
	return &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}},
		Timeout:   10 * time.Second,
	}
}

// PublicKeyHash names the authority's key the way browsers pin keys: base64 of the SHA-256 of the SubjectPublicKeyInfo.
func (ca *CertificateAuthority) PublicKeyHash() string {
	hash := sha256.Sum256(ca.certificate.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(hash[:])
}

func certificateTemplate(commonName string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func sign(tb testing.TB, template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		tb.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return certificate
}

func encodeKey(tb testing.TB, key *ecdsa.PrivateKey) string {
	tb.Helper()
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return encodePEM("EC PRIVATE KEY", der)
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func writeFile(tb testing.TB, name, content string) {
	tb.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func readFile(tb testing.TB, name string) string {
	tb.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}
