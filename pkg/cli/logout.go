package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

func newLogoutCommand(env Env, terminal *terminal) *cobra.Command {
	var options options
	var chosen targetOptions
	var all bool
	var logout logoutOptions
	command := &cobra.Command{
		Use:   "logout",
		Short: "End your session, here and at the provider",
		Long: `End your session, here and at the provider.

It is for the current context of your kubeconfig, or the one that you name, or the provider of the flags; with --all for
all users there that log in by this plugin.

It revokes the refresh token at the provider, or uses it up where nothing can be revoked, and removes what is stored of
this login: the session, the ID token and notes, also where the provider cannot be reached, which ends with code 4. Other
logins stay. An ID token that kubectl has lives on until it expires, since a cluster does not ask the provider. A session
in a keychain that does not answer stays there, but is not used any more; that ends with code 1.

Your browser may still be logged in at the provider; with --provider-session that ends too.`,
		Example: `  ` + commandName + ` logout
  ` + commandName + ` logout --context=production --provider-session
  ` + commandName + ` logout --all
  ` + commandName + ` logout --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes --provider-session`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if all {
				return logOutOfAll(command, env, terminal, &options, chosen, logout)
			}
			return logOutOfOne(command, env, terminal, &options, chosen, logout)
		},
	}
	options.addQuietFlags(command.Flags())
	options.login.addBrowserFlags(command.Flags())
	command.Flags().IntVar(&options.login.timeoutSeconds, "authentication-timeout-sec", defaultLoginTimeoutSeconds,
		"for how many `seconds` the browser is awaited")
	logout.addFlags(command.Flags())
	chosen.addFlags(command.Flags())
	command.Flags().BoolVar(&all, "all", false, "end the sessions of all users of the kubeconfig that log in by this plugin")
	return command
}

// logoutOptions say what a logout does besides revoking and removing.
type logoutOptions struct {
	providerSession bool
	redirectURI     string
}

func (o *logoutOptions) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.providerSession, "provider-session", false, "log your browser out at the provider too")
	flags.StringVar(&o.redirectURI, "post-logout-redirect-uri", "",
		"`URI` at which the browser ends after --provider-session, as registered at the provider; one on this machine is awaited")
}

// redirect is where the browser ends.
func (o *logoutOptions) redirect() (*url.URL, error) {
	if o.redirectURI != "" && !o.providerSession {
		return nil, misused(errors.New("--post-logout-redirect-uri: needs --provider-session"))
	}
	return provider.ParsePostLogoutRedirectURI(o.redirectURI)
}

func logOutOfOne(command *cobra.Command, env Env, terminal *terminal, options *options, chosen targetOptions, logout logoutOptions) error {
	target, err := chosen.resolve(env, options, command.Flags())
	if err != nil {
		return err
	}
	ctx, stop := env.Interruptible(command.Context())
	defer stop()
	return target.logOut(ctx, terminal, logout)
}

// logOutOfAll goes on where one fails. Users that share a stored login have one logout.
func logOutOfAll(command *cobra.Command, env Env, terminal *terminal, options *options, chosen targetOptions, logout logoutOptions) error {
	if options.provider.issuerURL != "" || chosen.context != "" || chosen.user != "" {
		return misused(errors.New("--all is for the whole kubeconfig, and needs no other name of a login"))
	}
	config, err := chosen.load(env)
	if err != nil {
		return err
	}
	users := pluginUsers(config)
	if len(users) == 0 {
		return misused(errors.New("no user of the kubeconfig logs in by this plugin"))
	}
	ctx, stop := env.Interruptible(command.Context())
	defer stop()
	var failures []error
	done := map[storedLogin]bool{}
	for _, user := range users {
		if err := logOutOfUser(ctx, env, terminal, user, command.Flags(), logout, done); err != nil {
			terminal.warn(fmt.Errorf("%s: %w", user.Name, err))
			terminal.hints(err)
			failures = append(failures, err)
		}
	}
	if len(failures) > 0 {
		return &token.Error{
			Kind: providersKind(failures),
			Err:  fmt.Errorf("%d of %d users could not be logged out as they should", len(failures), len(users)),
		}
	}
	return nil
}

// providersKind is that of the first failure which is the provider's, since a token is then still valid there.
func providersKind(failures []error) token.Kind {
	for _, err := range failures {
		var failure *token.Error
		if errors.As(err, &failure) && (failure.Kind == token.Unreachable || failure.Kind == token.Refused) {
			return failure.Kind
		}
	}
	return token.Failed
}

// storedLogin is an identity, and where its tokens lie.
type storedLogin struct{ id, mode, directory string }

func (t *target) storedLogin(key token.Key) storedLogin {
	directory, _ := t.options.store.absoluteDirectory(t.env) // none where none is needed
	return storedLogin{key.ID(), t.options.store.mode, directory}
}

// logOutOfUser passes over a stored login that is done, since users may share it.
func logOutOfUser(ctx context.Context, env Env, terminal *terminal, user kubeconfig.User, given *pflag.FlagSet, logout logoutOptions,
	done map[storedLogin]bool) error {
	target, err := newTarget(env, user, kubeconfig.Cluster{}, given)
	if err == nil {
		err = target.refusal()
	}
	if err != nil {
		return err
	}
	session, err := newQuietSession(target.flags, target.env, terminal, target.options)
	if err != nil {
		return err
	}
	stored := target.storedLogin(session.key)
	if done[stored] {
		return nil
	}
	done[stored] = true
	if _, err := fmt.Fprintf(env.Stdout, "%s:\n", oneLine(user.Name)); err != nil {
		return fmt.Errorf("cannot write to stdout: %w", err)
	}
	return target.logOut(ctx, terminal, logout)
}

func (t *target) logOut(ctx context.Context, terminal *terminal, logout logoutOptions) error {
	if err := t.options.login.checkTimeout(); err != nil {
		return err
	}
	session, err := newQuietSession(t.flags, t.env, terminal, t.options)
	if err != nil {
		return err
	}
	return session.logOut(ctx, t.env.without(t.options.secret.variable), terminal, t.options.login, logout)
}

// logOut ends the session of one identity, and says each step.
func (s *session) logOut(ctx context.Context, env Env, terminal *terminal, login loginOptions, options logoutOptions) error {
	redirect, err := options.redirect()
	if err != nil {
		return err
	}
	report := &logoutReport{env: env, terminal: terminal}
	held, err := s.source.Logout(ctx, s.key, report.revoked)
	if err != nil {
		return err
	}
	report.removed(s.key, held)
	report.livesOn(s.key, held)
	report.unread(held.Unread)
	err = report.failure
	if options.providerSession {
		err = errors.Join(err, s.endProviderSession(ctx, env, report, login, hintFrom(s.key, held, env.Now()), redirect))
	}
	return errors.Join(err, report.writeErr)
}

// hintFrom is an ID token, if one was stored. It comes to the browser by a page that another user of the machine might fetch
// first, so one that has expired is preferred, which a provider should accept
// (https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout), then the one that ends first. An access token in
// its place is none.
func hintFrom(key token.Key, held token.Holdings, now time.Time) token.Secret {
	if key.AccessToken || len(held.IDTokens) == 0 {
		return token.Secret{}
	}
	expired := slices.DeleteFunc(slices.Clone(held.IDTokens), func(idToken token.IDToken) bool { return now.Before(idToken.Expiry) })
	if len(expired) > 0 {
		return newest(expired).Raw
	}
	return slices.MinFunc(held.IDTokens, func(one, other token.IDToken) int { return one.Expiry.Compare(other.Expiry) }).Raw
}

// newest is the one that lives longest.
func newest(idTokens []token.IDToken) token.IDToken {
	var newest token.IDToken
	for _, idToken := range idTokens {
		if idToken.Expiry.After(newest.Expiry) {
			newest = idToken
		}
	}
	return newest
}

// logoutReport tells a person what is done: on stdout what went as it should.
type logoutReport struct {
	env      Env
	terminal *terminal
	failure  error // why the provider still knows a token
	writeErr error
}

func (r *logoutReport) line(format string, arguments ...any) {
	if _, err := fmt.Fprintln(r.env.Stdout, oneLine(fmt.Sprintf(format, arguments...))); err != nil {
		r.writeErr = fmt.Errorf("cannot write to stdout: %w", err)
	}
}

// revoked is called before anything is removed.
func (r *logoutReport) revoked(revocation token.Revocation) {
	name := map[token.TokenKind]string{token.RefreshToken: "refresh token", token.AccessToken: "access token"}[revocation.Kind]
	switch err := revocation.Err; {
	case err == nil:
		r.line("revoked the %s at the provider", name)
	case errors.Is(err, token.ErrUsedUp):
		r.line("the provider has no revocation endpoint; the refresh token was used up instead, and its successor thrown away")
	case errors.Is(err, token.ErrNoRevocation):
		r.terminal.warn(errors.New("the provider has no revocation endpoint, so this login lives on there until it ends by itself"))
	case errors.Is(err, token.ErrUnsupportedTokenType):
		r.terminal.warn(fmt.Errorf("%w; the %s lives on at the provider until it ends by itself", err, name))
	default:
		r.terminal.warn(fmt.Errorf("%w; the %s is still valid at the provider", err, name))
		if r.failure == nil {
			r.failure = stillValid(err, name)
		}
	}
}

// stillValid has the kind of its cause, which has been told.
func stillValid(cause error, name string) error {
	failure := &token.Error{
		Err: fmt.Errorf("logged out on this machine alone: the %s is still valid at the provider", name),
		Hint: []string{"It is not on this machine any more. To end it at the provider, end the session in your account there, or ask " +
			"its administrator."},
	}
	var known *token.Error
	if errors.As(cause, &known) {
		failure.Kind = known.Kind
	}
	return failure
}

func (r *logoutReport) removed(key token.Key, held token.Holdings) {
	var things []string
	if len(held.Sessions) > 0 {
		things = append(things, "the session")
	}
	if len(held.IDTokens) > 0 {
		things = append(things, "the "+servedToken(key))
	}
	switch {
	case len(things) > 0:
		r.line("removed from this machine: %s", strings.Join(things, " and "))
	case held.Unread == nil:
		r.line("you are not logged in")
	}
}

// unread is for a session that could not be looked for.
func (r *logoutReport) unread(cause error) {
	if cause == nil {
		return
	}
	cause = fmt.Errorf("%w, and is not revoked at the provider", cause)
	if r.failure != nil {
		r.terminal.warn(cause)
		return
	}
	r.failure = &token.Error{Err: cause,
		Hint: []string{"It is not used any more on this machine. Log out again when that place works."}}
}

// servedToken is what kubectl gets.
func servedToken(key token.Key) string {
	if key.AccessToken {
		return "access token"
	}
	return "ID token"
}

// livesOn says what no logout can end: a cluster verifies a token by itself
// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens).
func (r *logoutReport) livesOn(key token.Key, held token.Holdings) {
	if last := newest(held.IDTokens); r.env.Now().Before(last.Expiry) {
		r.line("the %s stays valid until %s for a cluster, which asks no provider", servedToken(key), last.Expiry.Format(time.DateTime))
	}
}

// endProviderSession logs the person's browser out at the provider.
func (s *session) endProviderSession(ctx context.Context, env Env, report *logoutReport, login loginOptions, hint token.Secret,
	redirect *url.URL) error {
	ending, err := s.provider.EndSession(ctx, hint, redirect)
	if err != nil {
		return err
	}
	command := browserCommand(env, login)
	reason := command.WhyNot()
	if login.skipOpenBrowser {
		reason = errors.New("--skip-open-browser")
	}
	if reason != nil {
		report.endElsewhere(fmt.Errorf("no browser opens here (%w)", reason), ending)
		return nil
	}
	report.terminal.say("log out at %s in the browser window that opens", ending.Host())
	back, err := ending.InBrowser(ctx, login.timeout(), func(address string) error { return env.OpenBrowser(command, address) })
	switch {
	case errors.Is(err, provider.ErrNoBrowser):
		report.endElsewhere(err, ending)
		return nil
	case err != nil:
		return err
	case back:
		report.line("the browser is back from the provider, which has ended its session")
	default:
		report.line("the browser was sent to %s to end the session there; it may ask you first", ending.Host())
	}
	return nil
}

// endElsewhere is for a browser on another machine. What it needs has to be typed or pasted, so no token is in it.
func (r *logoutReport) endElsewhere(reason error, ending *provider.EndSession) {
	r.terminal.say("%v; to log out at the provider, open this URL in one: %s", reason, ending.PlainURL())
	r.terminal.say("the URL does not say who you are, so that no token is in it; the provider may ask you")
}
