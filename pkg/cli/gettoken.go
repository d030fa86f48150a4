package cli

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/plugin"
)

func newGetTokenCommand(env Env, terminal *terminal) *cobra.Command {
	var options options
	var forceRefresh bool
	command := &cobra.Command{
		Use:   "get-token",
		Short: "Print a token for kubectl, which calls this",
		Long: `Print a token for kubectl, which calls this.

The token is the stored one, or a renewed one, or that of a login in the browser. It is printed as an
ExecCredential on stdout; all other words go to stderr.`,
		Example: `  ` + commandName + ` get-token --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes`,
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return getToken(command, env, terminal, &options, forceRefresh)
		},
	}
	options.addFlags(command.Flags())
	describeProvider(command.Flags(), "required")
	command.Flags().BoolVar(&forceRefresh, "force-refresh", false, "renew the token even if the stored one is good")
	return command
}

// getToken is the way a call goes: request, identity, token, credential.
func getToken(command *cobra.Command, env Env, terminal *terminal, options *options, forceRefresh bool) error {
	request, err := plugin.ReadRequest(env.getenv(plugin.ExecInfoVariable))
	if err != nil {
		return &token.Error{Kind: token.Misused, Err: err}
	}
	session, err := newSession(command.Flags(), env, terminal, options, request.Server)
	if err != nil {
		return err
	}
	session.source.ForceRefresh = forceRefresh
	if env.getenv(plugin.ExecInfoVariable) != "" {
		session.source.Caller = callerOf(env, request)
	}
	idToken, ok := session.source.Stored(command.Context(), session.key)
	if !ok {
		ctx, stop := env.Interruptible(command.Context())
		defer stop()
		// What asks nobody is no window that a program in the background could open.
		session.source.HasTerminal = options.grant.asksNobody() || env.HasTerminal()
		session.source.LoginHint = options.loginHint(command.Flags())
		session.source.MayAsk = func() error { return mayAsk(env, options, session.source.LoginHint) }
		if !options.grant.asksNobody() {
			session.source.Ended = func(reason error) { terminal.say("%v", reason) }
		}
		if idToken, err = session.source.Obtain(ctx, session.key); err != nil {
			return err
		}
	}
	told := idToken.ToldExpiry(env.Now())
	if err := plugin.WriteCredential(env.Stdout, request, idToken.Raw.Reveal(), told); err != nil {
		return err
	}
	session.source.Answered(command.Context(), session.key, idToken, told)
	return nil
}

func callerOf(env Env, request plugin.Request) token.Caller {
	pid, started := env.Parent()
	return token.Caller{PID: pid, Started: started, Server: request.Server}
}

// session is the wiring of one call: an identity, and where its tokens come from.
type session struct {
	key      token.Key
	source   *token.Source
	store    *store.Store
	provider *provider.Provider
}

// newSession is for verbs that may log in. Target names what the person logs in to, if it is known.
func newSession(flags *pflag.FlagSet, env Env, terminal *terminal, options *options, target string) (*session, error) {
	config, err := options.providerConfig(env, terminal, flags, newLog(env.Stderr, options.verbose))
	if err != nil {
		return nil, err
	}
	if err := options.login.configure(env, terminal, &config, flags); err != nil {
		return nil, err
	}
	config.Target = target
	browsing := env.without(options.secret.variable) // which a browser would get
	screen := newLoginScreen(browsing, terminal, options.login, config.Issuer)
	config.ShowLogin, config.ReadAnswer = screen.show, screen.readAnswer
	config.ShowDevice = func(_ context.Context, device provider.Device) {
		showDevice(browsing, terminal, options.login, config.Issuer, config.Log, device)
	}
	asker := &asker{env, terminal, options.grant}
	config.AskCode, config.AskPassword = asker.code, asker.password
	return options.connect(env, terminal, config)
}

// newQuietSession is for verbs that never ask a person.
func newQuietSession(flags *pflag.FlagSet, env Env, terminal *terminal, options *options) (*session, error) {
	config, err := options.providerConfig(env, terminal, flags, newLog(env.Stderr, options.verbose))
	if err != nil {
		return nil, err
	}
	return options.connect(env, terminal, config)
}

// connect joins provider and store.
func (o *options) connect(env Env, terminal *terminal, config provider.Config) (*session, error) {
	if err := o.store.openDocuments(env, &config); err != nil {
		return nil, err
	}
	openIDProvider, err := provider.New(config)
	if err != nil {
		return nil, err
	}
	opened, err := o.store.open(env, terminal, config.Log)
	if err != nil {
		return nil, err
	}
	source := &token.Source{Store: opened, Provider: openIDProvider, Now: env.Now, Began: env.Now(), Warn: terminal.warn, Log: config.Log}
	return &session{config.Key(), source, opened, openIDProvider}, nil
}

// newLog makes the log of -v.
func newLog(writer io.Writer, verbose int) *slog.Logger {
	if verbose <= 0 {
		return slog.New(slog.DiscardHandler)
	}
	level := slog.LevelInfo
	if verbose > 1 {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(writer, &slog.HandlerOptions{Level: level}))
}
