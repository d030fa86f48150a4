package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
)

// localServerOptions make the listener for the browser's answer speak TLS, for providers that take no http redirect URI, not
// even one of this machine (https://www.rfc-editor.org/rfc/rfc8252#section-7.3).
type localServerOptions struct {
	certificate string
	key         string
}

func (o *localServerOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.certificate, "local-server-cert", "",
		"PEM `file` of a certificate for localhost that your browser believes; the redirect URL then begins with https")
	flags.StringVar(&o.key, "local-server-key", "", "PEM `file` of its private key")
}

func (o *localServerOptions) configure(env Env, terminal *terminal, config *provider.Config) error {
	switch {
	case o.certificate == "" && o.key == "":
		return nil
	case o.certificate == "" || o.key == "":
		return misused(errors.New("--local-server-cert and --local-server-key: one needs the other"))
	}
	host := "localhost"
	if redirect, err := url.Parse(config.RedirectURL); err == nil && redirect.Hostname() != "" {
		host = redirect.Hostname()
	}
	config.ServerCertificate = func() (*tls.Certificate, error) { return o.read(env, terminal, host) }
	return nil
}

// read loads the files for one login. What the browser will not like is said before it opens.
func (o *localServerOptions) read(env Env, terminal *terminal, host string) (*tls.Certificate, error) {
	certificatePath, err := expandHome(env, o.certificate)
	if err != nil {
		return nil, err
	}
	keyPath, err := expandHome(env, o.key)
	if err != nil {
		return nil, err
	}
	certificate, err := tls.LoadX509KeyPair(certificatePath, keyPath)
	if err != nil {
		return nil, misused(fmt.Errorf("--local-server-cert and --local-server-key: %w", err))
	}
	if info, err := os.Stat(keyPath); err == nil && isReadableByOthers(info) {
		terminal.warn(fmt.Errorf("--local-server-key: others can read %s", keyPath))
	}
	leaf := certificate.Leaf
	if now := env.Now(); now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		terminal.warn(fmt.Errorf("--local-server-cert: it is good from %s to %s, so your browser will not believe it",
			leaf.NotBefore.Format(time.DateTime), leaf.NotAfter.Format(time.DateTime)))
	}
	if leaf.VerifyHostname(host) != nil {
		terminal.warn(fmt.Errorf("--local-server-cert: it is not for %s, so your browser will not believe it", host))
	}
	return &certificate, nil
}
