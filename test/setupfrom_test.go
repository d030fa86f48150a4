package test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A kubeconfig for everybody comes by https, from a server that is believed, and from no other that it is sent on to.
func TestSetupFromURL(t *testing.T) {
	t.Parallel()
	const shared = `users:
- name: everybody
  user: {exec: {command: kubectl-oidc_login, args: [get-token, --oidc-issuer-url=https://issuer.example, --oidc-client-id=b]}}
`
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(shared)) }))
	t.Cleanup(plain.Close)
	another := httptest.NewTLSServer(plain.Config.Handler) // with the same certificate, so it is believed as well
	t.Cleanup(another.Close)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/kubeconfig":
			_, _ = w.Write([]byte(shared))
		case "/moved":
			http.Redirect(w, r, "/kubeconfig", http.StatusFound)
		case "/astray":
			http.Redirect(w, r, plain.URL, http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, another.URL, http.StatusFound)
		case "/around":
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		case "/large":
			_, _ = w.Write([]byte(strings.Repeat("#", 2<<20)))
		}
	}))
	t.Cleanup(server.Close)
	folder := t.TempDir()
	authority := filepath.Join(folder, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, test := range map[string]struct {
		believed bool
		code     int
		says     string
	}{
		"/kubeconfig":       {true, 0, "for whom kubectl will run: "},
		"/moved":            {true, 0, "for whom kubectl will run: "},
		"/astray":           {true, 1, "the server sends on to " + plain.URL + ", which is another one\n"},
		"/elsewhere":        {true, 1, "the server sends on to " + another.URL + ", which is another one\noidc-login: hint: Name that address yourself if you believe it."},
		"/around":           {true, 1, "the server sends on again and again"},
		"/large":            {true, 1, "that is too large for a kubeconfig"},
		"/kubeconfig?again": {false, 1, "certificate"},
	} {
		arguments := []string{"setup", "--dry-run", "--from=" + server.URL + path, "--kubeconfig=" + filepath.Join(folder, "config")}
		if test.believed {
			arguments = append(arguments, "--certificate-authority="+authority)
		}
		code, stdout, stderr := callQuietly(t, arguments...)
		if code != test.code || !strings.Contains(stdout+stderr, test.says) {
			t.Errorf("%s: exit code %d\n%s%s", path, code, stdout, stderr)
		}
	}
}
