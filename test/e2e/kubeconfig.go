package e2e

import (
	"testing"
)

// kubeconfig has one cluster, and one user whose credentials come from a plugin.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
const kubeconfig = `
apiVersion: v1
kind: Config
current-context: test
contexts:
- name: test
  context: {cluster: test, user: oidc}
clusters:
- name: test
  cluster:
    server: {{ .Server | quote }}
    certificate-authority: {{ .CertificateAuthority | quote }}
users:
- name: oidc
  user:
    exec:
      apiVersion: {{ .User.APIVersion | quote }}
      interactiveMode: {{ .User.InteractiveMode | quote }}
      command: {{ .User.Command | quote }}
      args:
      {{- range .User.Args }}
      - {{ . | quote }}
      {{- end }}
`

// ExecUser is how a kubeconfig tells kubectl to run a credential plugin.
type ExecUser struct {
	APIVersion      string
	InteractiveMode string
	Command         string
	Args            []string
}

// WriteKubeconfig makes the user's plugin the way to the API server.
func (w *Workstation) WriteKubeconfig(tb testing.TB, apiServer *APIServer, user ExecUser) {
	tb.Helper()
	writeFile(tb, w.kubeconfigFile, render(tb, kubeconfig, map[string]any{
		"Server":               apiServer.URL,
		"CertificateAuthority": apiServer.CA.File,
		"User":                 user,
	}))
}
