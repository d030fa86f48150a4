// Command kubectl-oidc_login logs a person in to Kubernetes with OpenID Connect. kubectl finds it by its name: it is
// both "kubectl oidc-login" and the exec credential of a kubeconfig.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, cli.OSEnv())
	stop()
	os.Exit(code)
}
