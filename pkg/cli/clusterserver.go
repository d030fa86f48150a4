package cli

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
)

// serverOf is the API server that a kubeconfig describes.
func serverOf(env Env, described kubeconfig.Cluster) (cluster.Server, error) {
	if described.Server == "" {
		return cluster.Server{}, misused(errors.New("the kubeconfig names no cluster to ask; name a context with --context"))
	}
	authority := string(described.CertificateAuthorityData)
	if authority == "" && described.CertificateAuthority != "" {
		text, err := os.ReadFile(described.CertificateAuthority)
		if err != nil {
			return cluster.Server{}, fmt.Errorf("the certificate authority of cluster %q: %w", described.Name, err)
		}
		authority = string(text)
	}
	proxy := env.Proxy
	if described.ProxyURL != "" {
		address, err := url.Parse(described.ProxyURL)
		if err != nil {
			return cluster.Server{}, fmt.Errorf("the proxy-url of cluster %q is no URL", described.Name)
		}
		proxy = func(*http.Request) (*url.URL, error) { return address, nil }
	}
	return cluster.Server{
		URL:                  described.Server,
		CertificateAuthority: authority,
		TLSServerName:        described.TLSServerName,
		Insecure:             described.InsecureSkipTLSVerify,
		Proxy:                proxy,
		UserAgent:            userAgent(),
	}, nil
}
