package e2e

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// The API server sees whom the product foretells, and says 401 to what it is foretold to refuse.
func TestAPIServerSeesWhomItShould(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	dex := StartDex(t, ca)
	apiServer := StartAPIServer(t, ca, &dex.Provider)
	server := cluster.Server{URL: apiServer.URL, CertificateAuthority: ca.PEM, UserAgent: "e2e"}
	authentication := cluster.Authentication{ // as in authenticationConfiguration
		Issuer: dex.IssuerURL, Audiences: dex.Clients, CertificateAuthority: ca.PEM,
		UsernamePrefix: "oidc:", GroupsClaim: "groups", GroupsPrefix: "oidc:",
	}
	idToken := dex.PasswordGrant(t)
	evidence := cluster.Evidence{Header: jwtPart(t, idToken, 0), Claims: jwtPart(t, idToken, 1), Size: len(idToken), Now: time.Now()}

	if judged := cluster.Judge(evidence, authentication); cluster.Worst(judged) != cluster.OK {
		t.Errorf("a good token is judged to be %+v", judged)
	}
	predicted, err := authentication.Identity(evidence.Claims)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := cluster.WhoAmI(t.Context(), server, token.NewSecret(idToken))
	if err != nil {
		t.Fatal(err)
	}
	if compared := cluster.Compare(predicted, seen); cluster.Worst(compared) != cluster.OK || len(predicted.Groups) == 0 {
		t.Errorf("expected %+v, got %+v: %+v", predicted, seen, compared)
	}

	forged := idToken[:strings.LastIndex(idToken, ".")] + "." + strings.Repeat("A", 342)
	_, err = cluster.WhoAmI(t.Context(), server, token.NewSecret(forged))
	var unauthorized *cluster.UnauthorizedError
	if !errors.As(err, &unauthorized) || time.Since(unauthorized.Clock).Abs() > time.Minute {
		t.Errorf("expected a 401 with the clock, got %v", err)
	}
}

func jwtPart(t *testing.T, jwt string, number int) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[number])
	if err != nil {
		t.Fatal(err)
	}
	var part map[string]any
	if err := json.Unmarshal(text, &part); err != nil {
		t.Fatal(err)
	}
	return part
}
