package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/group"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
	"k8s.io/client-go/util/cert"
)

// apiServer is a Kubernetes API of a few objects. Who may come in is decided by the code that decides it in
// kube-apiserver, with the settings that an administrator would make.
type apiServer struct {
	*server
	caCertificate []byte // PEM
}

// startAPIServer starts an API that believes the provider. It is ready when this returns. The context must live as long
// as the server.
func startAPIServer(ctx context.Context, issuer *provider) (*apiServer, error) {
	users, err := newAuthenticator(ctx, issuer)
	if err != nil {
		return nil, err
	}
	certificatePEM, keyPEM, err := cert.GenerateSelfSignedCertKey("127.0.0.1", nil, nil)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	certificate, err := tls.X509KeyPair(certificatePEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	started, err := serve(authenticated(users, newAPI()), certificate)
	if err != nil {
		return nil, err
	}
	return &apiServer{started, certificatePEM}, nil
}

// newAuthenticator turns a request into a user as kube-apiserver does: the bearer token, the user in it, and the group
// of all who were let in.
func newAuthenticator(ctx context.Context, issuer *provider) (authenticator.Request, error) {
	tokens, err := oidc.New(ctx, oidc.Options{
		JWTAuthenticator:  authenticationConfiguration(issuer).JWT[0],
		CAContentProvider: caCertificate(issuer.CACertificate()),
	})
	if err != nil {
		return nil, fmt.Errorf("authentication configuration: %w", err)
	}
	if err := awaitHealth(ctx, tokens.HealthCheck); err != nil {
		return nil, err
	}
	return group.NewAuthenticatedGroupAdder(bearertoken.New(tokens)), nil
}

// authenticationConfiguration is what an administrator gives to kube-apiserver with --authentication-config.
func authenticationConfiguration(issuer *provider) *apiserver.AuthenticationConfiguration {
	prefix := "oidc:" // keeps the provider's names apart from the cluster's own
	return &apiserver.AuthenticationConfiguration{JWT: []apiserver.JWTAuthenticator{{
		Issuer: apiserver.Issuer{
			URL:                  issuer.Issuer(),
			CertificateAuthority: string(issuer.CACertificate()),
			Audiences:            []string{issuer.ClientID()},
		},
		ClaimMappings: apiserver.ClaimMappings{
			Username: apiserver.PrefixedClaimOrExpression{Claim: "sub", Prefix: &prefix},
			Groups:   apiserver.PrefixedClaimOrExpression{Claim: "groups", Prefix: &prefix},
		},
	}}}
}

// caCertificate hands over a PEM, as the authenticator wants it.
type caCertificate []byte

func (c caCertificate) CurrentCABundleContent() []byte { return c }

// awaitHealth waits for the authenticator, which reads the provider's description behind our back.
func awaitHealth(ctx context.Context, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("authenticator: %w: %w", ctx.Err(), err)
		}
	}
}

// authenticated lets nobody in without a good token.
func authenticated(users authenticator.Request, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response, ok, err := users.AuthenticateRequest(r)
		if err != nil || !ok {
			// kube-apiserver keeps the reason to itself, too.
			answerError(w, apierrors.NewUnauthorized("Unauthorized"))
			return
		}
		api.ServeHTTP(w, r.WithContext(withUser(r.Context(), response.User)))
	})
}

// answerToStranger is the status that a request without a token gets.
func (a *apiServer) answerToStranger(ctx context.Context) (string, error) {
	transport, err := trusting(a.caCertificate)
	if err != nil {
		return "", err
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/api", nil)
	if err != nil {
		return "", err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	return response.Status, response.Body.Close()
}
