package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

// Zitadel is the OpenID Provider of the library zitadel/oidc, with one user. Everybody reaches it through Traffic.
type Zitadel struct {
	IssuerURL string
	User      User
	Traffic   *RecordingProxy
}

// StartZitadel starts a provider with short-lived ID tokens and refresh tokens that rotate.
func StartZitadel(tb testing.TB, ca *CertificateAuthority) *Zitadel {
	tb.Helper()
	address := freeAddress(tb)
	traffic := StartRecordingProxy(tb, ca, "https://"+address)
	zitadel := &Zitadel{
		IssuerURL: traffic.URL,
		User: User{
			ID:       "b0b5f00d",
			Name:     "bob",
			Email:    "bob@example.com",
			Password: "staple battery horse correct",
			Form:     LoginForm{Name: "#username", Password: "#password", Submit: "button[type=submit]"},
		},
		Traffic: traffic,
	}

	certificate := ca.IssueServerCertificate(tb)
	server := startProcess(tb, exec.Command(programs.Zitadel,
		"-address="+address,
		"-issuer="+zitadel.IssuerURL,
		"-certificate="+certificate.CertificateFile,
		"-key="+certificate.KeyFile,
		"-client="+ClientID,
		"-id-token-lifetime="+IDTokenLifetime.String(),
		"-users="+writeUsers(tb, zitadel.User),
	))
	client := ca.HTTPClient()
	discovery := getRequest(tb, "https://"+address+"/.well-known/openid-configuration")
	server.awaitReady(tb, func() error { return probeHTTP(client, discovery) })
	return zitadel
}

// writeUsers writes what the provider's example store reads. Its people log in with their email here, as at Dex.
func writeUsers(tb testing.TB, user User) (file string) {
	tb.Helper()
	users, err := json.Marshal(map[string]any{
		user.ID: map[string]any{
			"ID":            user.ID,
			"Username":      user.Email,
			"Password":      user.Password,
			"FirstName":     user.Name,
			"LastName":      "Builder",
			"Email":         user.Email,
			"EmailVerified": true,
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	file = filepath.Join(tb.TempDir(), "users.json")
	writeFile(tb, file, string(users))
	return file
}
