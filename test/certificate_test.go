package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// commandCertificate makes a certificate for a host name, in NAME.crt and NAME.key: "certificate NAME HOST LIFETIME".
func commandCertificate(script *testscript.TestScript, _ bool, arguments []string) {
	name, host := arguments[0], arguments[1]
	lifetime, err := time.ParseDuration(arguments[2])
	script.Check(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	script.Check(err)
	now := scenarioOf(script).program.now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: host},
		DNSNames:     []string{host},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(lifetime),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	script.Check(err)
	writePEM(script, name+".crt", "CERTIFICATE", certificate)
	encodedKey, err := x509.MarshalPKCS8PrivateKey(key)
	script.Check(err)
	writePEM(script, name+".key", "PRIVATE KEY", encodedKey)
}

func writePEM(script *testscript.TestScript, name, kind string, content []byte) {
	script.Check(os.WriteFile(script.MkAbs(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600))
}
