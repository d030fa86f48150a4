package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A service of the provider's example store, which gets access tokens for itself. They are JWTs here.
const (
	ServiceClientID = "sid1"
	ServiceSecret   = "verysecret"
)

// Zitadel is the OpenID Provider of the library zitadel/oidc, with one user and one service.
type Zitadel struct {
	Provider
	client *http.Client
}

// StartZitadel starts a provider with short-lived ID tokens and refresh tokens that rotate.
func StartZitadel(tb testing.TB, ca *CertificateAuthority, moreClients ...string) *Zitadel {
	tb.Helper()
	address := freeAddress(tb)
	traffic := StartRecordingProxy(tb, ca, "https://"+address)
	zitadel := &Zitadel{client: ca.HTTPClient()}
	zitadel.Provider = Provider{
		IssuerURL: traffic.URL,
		Clients:   append([]string{ServiceClientID, ClientID}, moreClients...),
		User: User{
			ID:       "b0b5f00d",
			Name:     "bob",
			Email:    "bob@example.com",
			Password: "staple battery horse correct",
			Form:     LoginForm{Name: "#username", Password: "#password", Submit: "button[type=submit]"},
		},
		Device: DevicePages{
			Code:  "#user_code",
			Enter: "button[type=submit]",
			Allow: "button.green",
			Deny:  "button.red",
			Done:  "You can now return to the device",
		},
		Traffic: traffic,
		proof:   zitadel.ClientCredentialsGrant,
	}

	certificate := ca.IssueServerCertificate(tb)
	server := startProcess(tb, exec.Command(programs.Zitadel,
		"-address="+address,
		"-issuer="+zitadel.IssuerURL,
		"-certificate="+certificate.CertificateFile,
		"-key="+certificate.KeyFile,
		"-clients="+strings.Join(zitadel.Clients[1:], ","),
		"-id-token-lifetime="+IDTokenLifetime.String(),
		"-users="+writeUsers(tb, zitadel.User),
	))
	discovery := getRequest(tb, "https://"+address+"/.well-known/openid-configuration")
	server.awaitReady(tb, func() error { return probeHTTP(zitadel.client, discovery) })
	return zitadel
}

// ClientCredentialsGrant gives the service an access token. https://www.rfc-editor.org/rfc/rfc6749#section-4.4
func (z *Zitadel) ClientCredentialsGrant(tb testing.TB) (accessToken string) {
	tb.Helper()
	return askForTokens(tb, z.client, z.IssuerURL+"/oauth/token", url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {ServiceClientID},
		"client_secret": {ServiceSecret},
		"scope":         {"openid"},
	}).AccessToken
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
