package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// server serves one handler on a free port of this machine.
type server struct {
	url  string
	http *http.Server
}

// serve starts a server; https if there is a certificate.
func serve(handler http.Handler, certificates ...tls.Certificate) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	started := &server{
		url: "http://" + listener.Addr().String(),
		http: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second,
			// A browser that goes away in the middle of an answer is no news.
			ErrorLog: log.New(io.Discard, "", 0),
		},
	}
	if len(certificates) == 0 {
		go func() { _ = started.http.Serve(listener) }() // always ErrServerClosed
		return started, nil
	}
	started.url = "https://" + listener.Addr().String()
	started.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certificates}
	go func() { _ = started.http.ServeTLS(listener, "", "") }()
	return started, nil
}

func (s *server) close() error {
	if err := s.http.Close(); err != nil {
		return fmt.Errorf("%s: %w", s.url, err)
	}
	return nil
}

// trusting makes a client's side for a server whose certificate no system knows.
func trusting(caCertificate []byte) (*http.Transport, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(caCertificate) {
		return nil, errors.New("the CA certificate is not PEM")
	}
	return &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}, nil
}
