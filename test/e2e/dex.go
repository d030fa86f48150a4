package e2e

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// ClientID is the public client that everybody's kubectl uses.
	ClientID = "kubernetes"

	// IDTokenLifetime is as short as the product recommends.
	IDTokenLifetime = time.Minute
)

// dexConfiguration is for `dex serve`. https://dexidp.io/docs/configuration/
const dexConfiguration = `
issuer: {{ .IssuerURL | quote }}
storage: {type: memory}
web:
  https: {{ .Address | quote }}
  tlsCert: {{ .Certificate.CertificateFile | quote }}
  tlsKey: {{ .Certificate.KeyFile | quote }}
logger: {level: debug, format: text}
expiry:
  idTokens: {{ .IDTokenLifetime | quote }}
  refreshTokens: {reuseInterval: 0s} # a refresh token works once
oauth2:
  skipApprovalScreen: true
  passwordConnector: local
enablePasswordDB: true
staticPasswords:
- userID: {{ .User.ID | quote }}
  email: {{ .User.Email | quote }}
  username: {{ .User.Name | quote }}
  groups: [{{ .User.Group | quote }}]
  hash: {{ .User.PasswordHash | quote }}
staticClients:
{{- range .Clients }}
- {id: {{ . | quote }}, name: kubectl, public: true}
{{- end }}
`

// Dex is an OpenID Provider with one user.
type Dex struct {
	Provider
	client *http.Client
}

// StartDex starts a Dex with short-lived ID tokens and refresh tokens that rotate. Since it keeps one refresh token for
// each person and client, tests that share it need a client each.
func StartDex(tb testing.TB, ca *CertificateAuthority, moreClients ...string) *Dex {
	tb.Helper()
	return startDex(tb, ca, "", moreClients...)
}

// StartDexAs starts one that has another URL, where a site of the internet leads to its Traffic.
func StartDexAs(tb testing.TB, ca *CertificateAuthority, issuerURL string) *Dex {
	tb.Helper()
	return startDex(tb, ca, issuerURL)
}

func startDex(tb testing.TB, ca *CertificateAuthority, issuerURL string, moreClients ...string) *Dex {
	tb.Helper()
	address := freeAddress(tb)
	traffic := StartRecordingProxy(tb, ca, "https://"+address)
	if issuerURL == "" {
		issuerURL = traffic.URL + "/dex"
	}
	issuer, err := url.Parse(issuerURL)
	if err != nil {
		tb.Fatal(err)
	}
	dex := &Dex{client: ca.HTTPClient()}
	dex.Provider = Provider{
		IssuerURL: issuerURL,
		Clients:   append([]string{ClientID}, moreClients...),
		User: User{
			ID:           "08a8684b-db88-4b73-90a9-3cd1661f5466",
			Name:         "alice",
			Email:        "alice@example.com",
			Group:        "developers",
			Password:     "correct horse battery staple",
			PasswordHash: "$2a$10$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W",
			Form:         LoginForm{Name: "#login", Password: "#password", Submit: "#submit-login"},
		},
		Device:  DevicePages{Code: "#user_code", Enter: "#submit-login", ShowsCode: true, Done: "Login Successful for kubectl"},
		Traffic: traffic,
		proof:   dex.PasswordGrant,
	}

	configurationFile := filepath.Join(tb.TempDir(), "dex.yaml")
	writeFile(tb, configurationFile, render(tb, dexConfiguration, map[string]any{
		"IssuerURL":       dex.IssuerURL,
		"Address":         address,
		"Certificate":     ca.IssueServerCertificate(tb),
		"IDTokenLifetime": IDTokenLifetime.String(),
		"User":            dex.User,
		"Clients":         dex.Clients,
	}))
	server := startProcess(tb, exec.Command(programs.Dex, "serve", configurationFile))

	discovery := getRequest(tb, "https://"+address+issuer.Path+"/.well-known/openid-configuration")
	server.awaitReady(tb, func() error { return probeHTTP(dex.client, discovery) })
	return dex
}

// PasswordGrant logs the user in without a browser and without a refresh token, and returns the ID token.
// https://www.rfc-editor.org/rfc/rfc6749#section-4.3
func (d *Dex) PasswordGrant(tb testing.TB) (idToken string) {
	tb.Helper()
	return askForTokens(tb, d.client, d.IssuerURL+"/token", url.Values{
		"grant_type": {"password"},
		"client_id":  {ClientID},
		"username":   {d.User.Email},
		"password":   {d.User.Password},
		"scope":      {"openid email groups"},
	}).IDToken
}

// askForTokens sends a form to a token endpoint.
func askForTokens(tb testing.TB, client *http.Client, endpoint string, form url.Values) Tokens {
	tb.Helper()
	response, err := client.PostForm(endpoint, form)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	var tokens Tokens
	if err := json.NewDecoder(response.Body).Decode(&tokens); err != nil || response.StatusCode != http.StatusOK {
		tb.Fatalf("the grant %s answered %s (%v)", form.Get("grant_type"), response.Status, err)
	}
	return tokens
}

// Tokens are what a token endpoint answers. https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse
type Tokens struct {
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
}

// Claims are the parts of an ID token's payload that the tests look at.
type Claims struct {
	Subject string `json:"sub"`
	Expiry  int64  `json:"exp"`
}

// ParseClaims reads an ID token without verifying it, which is the API server's business.
func ParseClaims(tb testing.TB, idToken string) Claims {
	tb.Helper()
	parts := strings.Split(idToken, ".")
	if len(parts) != 3 {
		tb.Fatalf("an ID token has 3 parts, got %d", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		tb.Fatal(err)
	}
	var claims Claims
	if err := json.Unmarshal(payload, &claims); err != nil {
		tb.Fatal(err)
	}
	return claims
}
