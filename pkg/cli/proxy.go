package cli

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
)

// with is this environment with the variables that a kubeconfig sets for the plugin. They can name a proxy.
func (e Env) with(variables []kubeconfig.Variable) Env {
	e.Environ = slices.Clip(e.Environ)
	for _, variable := range variables {
		e.Environ = append(e.Environ, variable.Name+"="+variable.Value)
	}
	if slices.ContainsFunc(variables, namesProxy) {
		e.Proxy = e.proxy()
	}
	return e
}

func namesProxy(variable kubeconfig.Variable) bool {
	return slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}, strings.ToUpper(variable.Name))
}

// proxy does with the variables what http.ProxyFromEnvironment does with those of the process.
func (e Env) proxy() func(*http.Request) (*url.URL, error) {
	choose := (&httpproxy.Config{
		HTTPProxy:  cmp.Or(e.getenv("HTTP_PROXY"), e.getenv("http_proxy")),
		HTTPSProxy: cmp.Or(e.getenv("HTTPS_PROXY"), e.getenv("https_proxy")),
		NoProxy:    cmp.Or(e.getenv("NO_PROXY"), e.getenv("no_proxy")),
	}).ProxyFunc()
	return func(request *http.Request) (*url.URL, error) { return choose(request.URL) }
}
