package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// authenticationConfiguration makes the API server trust the providers: --authentication-config.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
const authenticationConfiguration = `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
{{- range .Providers }}
- issuer:
    url: {{ .IssuerURL | quote }}
    certificateAuthority: {{ $.CertificateAuthority | quote }}
    audiences: [{{ range $i, $client := .Clients }}{{ if $i }}, {{ end }}{{ $client | quote }}{{ end }}]
    audienceMatchPolicy: MatchAny
  claimMappings:
    username: {claim: sub, prefix: "oidc:"}
    groups: {claim: groups, prefix: "oidc:"}
{{- end }}
`

// APIServer is a kube-apiserver with RBAC that takes tokens of providers. Everybody reaches it through Traffic.
type APIServer struct {
	URL        string
	Traffic    *RecordingProxy
	CA         *CertificateAuthority
	AdminToken string // a static token of the group system:masters

	authenticationFile string
}

// StartAPIServer starts an etcd and an API server that trusts the providers, and returns when both answer and a token of
// each is accepted.
func StartAPIServer(tb testing.TB, ca *CertificateAuthority, providers ...*Provider) *APIServer {
	tb.Helper()
	return startAPIServer(tb, ca, nil, render(tb, authenticationConfiguration, map[string]any{
		"Providers":            providers,
		"CertificateAuthority": ca.PEM,
	}), providers...)
}

// StartStrangeAPIServer starts one that knows no provider, until Authenticate tells it. The variables are for its environment.
func StartStrangeAPIServer(tb testing.TB, ca *CertificateAuthority, variables ...string) *APIServer {
	tb.Helper()
	return startAPIServer(tb, ca, variables, "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: []\n")
}

// Authenticate gives the API server another authentication configuration, which it reads soon.
func (a *APIServer) Authenticate(tb testing.TB, configuration string) {
	tb.Helper()
	writeFile(tb, a.authenticationFile+".new", configuration)
	if err := os.Rename(a.authenticationFile+".new", a.authenticationFile); err != nil {
		tb.Fatal(err)
	}
}

func startAPIServer(tb testing.TB, ca *CertificateAuthority, variables []string, configuration string, providers ...*Provider) *APIServer {
	tb.Helper()
	address := freeAddress(tb)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	apiServer := &APIServer{URL: "https://" + address, CA: ca, AdminToken: "admin-token-of-the-end-to-end-tests"}

	folder := tb.TempDir()
	tokenFile := filepath.Join(folder, "tokens.csv")
	writeFile(tb, tokenFile, apiServer.AdminToken+",admin,admin,system:masters\n")
	serviceAccountKeyFile := filepath.Join(folder, "service-account.key")
	writeFile(tb, serviceAccountKeyFile, encodeKey(tb, newKey(tb)))
	authenticationFile := filepath.Join(folder, "authentication.yaml")
	writeFile(tb, authenticationFile, configuration)
	apiServer.authenticationFile = authenticationFile

	certificate := ca.IssueServerCertificate(tb)
	command := exec.Command(programs.APIServer,
		"--etcd-servers="+StartEtcd(tb).URL,
		"--bind-address=127.0.0.1",
		"--secure-port="+port,
		"--cert-dir="+folder,
		"--tls-cert-file="+certificate.CertificateFile,
		"--tls-private-key-file="+certificate.KeyFile,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+serviceAccountKeyFile,
		"--service-account-signing-key-file="+serviceAccountKeyFile,
		"--service-cluster-ip-range=10.0.0.0/24",
		"--authorization-mode=RBAC",
		"--token-auth-file="+tokenFile,
		"--authentication-config="+authenticationFile,
	)
	command.Env = append(variables, "PATH=/usr/bin:/bin")
	server := startProcess(tb, command)

	client := ca.HTTPClient()
	ready := getRequest(tb, apiServer.URL+"/readyz")
	server.awaitReady(tb, func() error { return probeHTTP(client, ready) })

	// "Ready" does not mean that it has looked at the issuers yet. Once it took a token it has the issuer's keys, and will
	// not disturb a test that counts requests.
	for _, provider := range providers {
		authenticated := getRequest(tb, apiServer.URL+"/api")
		authenticated.Header.Set("Authorization", "Bearer "+provider.proof(tb))
		server.awaitReady(tb, func() error { return probeHTTP(client, authenticated) })
	}
	apiServer.Traffic = StartRecordingProxy(tb, ca, apiServer.URL)
	apiServer.URL = apiServer.Traffic.URL
	return apiServer
}
