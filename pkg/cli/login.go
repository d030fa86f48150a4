package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

func newLoginCommand(env Env, terminal *terminal) *cobra.Command {
	var options options
	var chosen targetOptions
	command := &cobra.Command{
		Use:   "login",
		Short: "Log in now, whatever is stored",
		Long: `Log in now, whatever is stored.

It is for the current context of your kubeconfig, or the one that you name, or the provider of the flags; flags come on
top of those in the kubeconfig. kubectl logs you in when it has to. Use this where it may not ask, as in an editor, or
to change the person.`,
		Example: `  ` + commandName + ` login
  ` + commandName + ` login --context=production
  ` + commandName + ` login --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return logIn(command, env, terminal, &options, chosen)
		},
	}
	options.addFlags(command.Flags())
	chosen.addFlags(command.Flags())
	return command
}

func logIn(command *cobra.Command, env Env, terminal *terminal, options *options, chosen targetOptions) error {
	target, err := chosen.resolve(env, options, command.Flags())
	if err != nil {
		return err
	}
	session, err := newSession(target.flags, target.env, terminal, target.options, target.cluster.Server)
	if err != nil {
		return err
	}
	ctx, stop := env.Interruptible(command.Context())
	defer stop()
	if err := canKeep(ctx, session.store, store.Mode(target.options.store.mode)); err != nil {
		return err
	}
	idToken, err := session.source.Login(ctx, session.key)
	if errors.Is(err, token.ErrNotKept) {
		return token.WithHint(err, "kubectl would ask you again. Mend that, or choose another place with --token-cache-storage or --token-cache-dir.")
	}
	if err != nil {
		return err
	}
	login := session.key.Issuer
	if person := idToken.Person(); person != "" {
		login += " as " + person
	}
	terminal.say("logged in to %s; the %s is good until %s", login, servedToken(session.key), idToken.Expiry.Format(time.TimeOnly))
	return nil
}

// canKeep refuses before anybody is asked what nobody would have anything of. Only what can be known at once is looked at.
func canKeep(ctx context.Context, opened *store.Store, mode store.Mode) error {
	switch mode {
	case store.None:
		return token.WithHint(misused(errors.New("--token-cache-storage=none: nothing of a login would be kept")),
			"A login then serves one call of kubectl alone, and begins there. Leave that flag out to log in beforehand.")
	case store.Keyring:
		if _, err := opened.ProbeKeychain(ctx); err != nil {
			return token.WithHint(err, "Unlock it, or use --token-cache-storage=auto.")
		}
	}
	return nil
}
