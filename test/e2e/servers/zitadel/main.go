// Command zitadel serves the example provider of github.com/zitadel/oidc with TLS, one person, and one public client.
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	address := flag.String("address", "", "`HOST:PORT` to listen on")
	issuer := flag.String("issuer", "", "`URL` under which everybody knows the provider")
	certificate := flag.String("certificate", "", "`FILE` of the server's certificate, PEM")
	key := flag.String("key", "", "`FILE` of its key, PEM")
	clientID := flag.String("client", "", "`ID` of the public client")
	lifetime := flag.Duration("id-token-lifetime", time.Minute, "how long an ID token is good")
	users := flag.String("users", "", "`FILE` of the people, JSON")
	flag.Parse()

	people, err := storage.StoreFromFile(*users)
	if err != nil {
		log.Fatal(err)
	}
	// Of a native client any port of localhost will do (https://www.rfc-editor.org/rfc/rfc8252#section-7.3).
	storage.RegisterClients(storage.NativeClient(*clientID, "http://localhost"))
	provider := exampleop.SetupServer(*issuer, &store{storage.NewStorage(people), *lifetime},
		slog.New(slog.NewTextHandler(os.Stderr, nil)), false)
	log.Fatal(http.ListenAndServeTLS(*address, *certificate, *key, provider))
}

// store is the example's, with clients as a cluster wants them.
type store struct {
	*storage.Storage
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

// client gets ID tokens that live as long as we say, and have the claims about the person: an API server sees nothing else.
type client struct {
	op.Client
	lifetime time.Duration
}

func (c client) IDTokenLifetime() time.Duration       { return c.lifetime }
func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }
