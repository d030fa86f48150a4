package cluster

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

var (
	errNoCertificate     = errors.New("has no PEM certificate in it")
	errBrokenCertificate = errors.New("has a certificate that cannot be read")
)

// parseCertificates reads a bundle as kube-apiserver does: other blocks are passed over, a broken certificate is an error.
func parseCertificates(bundle string) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for rest := []byte(bundle); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			continue
		}
		parsed, err := x509.ParseCertificates(block.Bytes)
		if err != nil {
			return nil, errBrokenCertificate
		}
		certificates = append(certificates, parsed...)
	}
	if len(certificates) == 0 {
		return nil, errNoCertificate
	}
	return certificates, nil
}

// encodeCertificates writes the certificates and nothing that stood between them.
func encodeCertificates(certificates []*x509.Certificate) string {
	var bundle strings.Builder
	for _, certificate := range certificates {
		_ = pem.Encode(&bundle, &pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}) // a Builder takes all
	}
	return bundle.String()
}
