// Command kubectl-oidc_login logs a person in to Kubernetes with OpenID Connect. kubectl finds it by its name: it is
// both "kubectl oidc-login" and the exec credential of a kubeconfig.
package main

import (
	"context"
	"os"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cli"
)

func main() { os.Exit(cli.Run(context.Background(), cli.OSEnv())) }
