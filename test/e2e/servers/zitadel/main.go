// Command zitadel serves the example provider of github.com/zitadel/oidc with TLS, people, and public clients.
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	address := flag.String("address", "", "`HOST:PORT` to listen on")
	issuer := flag.String("issuer", "", "`URL` under which everybody knows the provider")
	certificate := flag.String("certificate", "", "`FILE` of the server's certificate, PEM")
	key := flag.String("key", "", "`FILE` of its key, PEM")
	clientIDs := flag.String("clients", "", "`IDS` of the public clients, separated by commas")
	lifetime := flag.Duration("id-token-lifetime", time.Minute, "how long an ID token is good")
	users := flag.String("users", "", "`FILE` of the people, JSON")
	flag.Parse()

	people, err := storage.StoreFromFile(*users)
	if err != nil {
		log.Fatal(err)
	}
	for clientID := range strings.SplitSeq(*clientIDs, ",") {
		// Of a native client any port of localhost will do (https://www.rfc-editor.org/rfc/rfc8252#section-7.3).
		storage.RegisterClients(storage.NativeClient(clientID, "http://localhost"))
	}
	provider := exampleop.SetupServer(*issuer, &store{storage.NewStorage(people), people, *lifetime},
		slog.New(slog.NewTextHandler(os.Stderr, nil)), false)
	log.Fatal(http.ListenAndServeTLS(*address, *certificate, *key, provider))
}

// store is the example's, with clients as a cluster wants them, and with what it leaves out of the device flow.
type store struct {
	*storage.Storage
	people   storage.UserStore
	lifetime time.Duration
}

// GetClientByClientID implements op.Storage.
func (s *store) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	found, err := s.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return client{found, s.lifetime}, nil
}

// ClientCredentials implements op.ClientCredentialsStorage.
func (s *store) ClientCredentials(ctx context.Context, id, secret string) (op.Client, error) {
	found, err := s.Storage.ClientCredentials(ctx, id, secret)
	if err != nil {
		return nil, err
	}
	return service{found}, nil
}

// CompleteDeviceAuthorization notes who has approved. The example's pages give the name in place of the ID.
func (s *store) CompleteDeviceAuthorization(ctx context.Context, userCode, name string) error {
	state, err := s.GetDeviceAuthorizationByUserCode(ctx, userCode)
	if err != nil {
		return err
	}
	state.AuthTime = time.Now()
	return s.Storage.CompleteDeviceAuthorization(ctx, userCode, s.people.GetUserByUsername(name).ID)
}

// CreateAccessAndRefreshTokens notes to which client a refresh token of the device flow belongs, as the example does in
// the other flows.
func (s *store) CreateAccessAndRefreshTokens(ctx context.Context, request op.TokenRequest, current string) (
	accessTokenID, refreshToken string, expiry time.Time, err error,
) {
	if device, ok := request.(*op.DeviceAuthorizationState); ok {
		request = storage.RefreshTokenRequestFromBusiness(&storage.RefreshToken{
			ApplicationID: device.ClientID,
			UserID:        device.Subject,
			Audience:      device.GetAudience(),
			Scopes:        device.Scopes,
			AuthTime:      device.AuthTime,
		})
	}
	return s.Storage.CreateAccessAndRefreshTokens(ctx, request, current)
}

// client gets ID tokens that live as long as we say, and have the claims about the person: an API server sees nothing else.
type client struct {
	op.Client
	lifetime time.Duration
}

func (c client) IDTokenLifetime() time.Duration       { return c.lifetime }
func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }
func (c client) PostLogoutRedirectURIs() []string     { return []string{"http://localhost/logged-out"} }
func (c client) GrantTypes() []oidc.GrantType {
	return slices.Concat(c.Client.GrantTypes(), []oidc.GrantType{oidc.GrantTypeDeviceCode})
}

// service gets access tokens that an API server can read.
type service struct{ op.Client }

func (s service) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
