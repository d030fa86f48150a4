package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

func newSetupCommand(env Env, terminal *terminal) *cobra.Command {
	var options options
	var wanted setupOptions
	command := &cobra.Command{
		Use:   "setup",
		Short: "Make a cluster and your kubeconfig ready for this plugin",
		Long: `Make a cluster and your kubeconfig ready for this plugin.

It checks the provider, logs you in, shows the claims that the API server will see and what is to be said of them, prints
what the API server must be told, writes a user to your kubeconfig, and asks the cluster whom it sees.

On a terminal it asks before it writes. In scripts --yes writes, and --dry-run shows what would be written.`,
		Example: `  ` + commandName + ` setup --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes
  ` + commandName + ` setup --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes --context=production --yes
  ` + commandName + ` setup --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes --output=kubeconfig > for-everybody.yaml
  ` + commandName + ` setup --from=https://intranet.example.com/for-everybody.yaml`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			setup := &setup{env: env, terminal: terminal, options: &options, wanted: wanted, flags: command.Flags(),
				page: &page{writer: env.Stdout}}
			return setup.run(command.Context())
		},
	}
	options.addFlags(command.Flags())
	wanted.addFlags(command.Flags())
	describeProvider(command.Flags(), "required without --from")
	return command
}

// setupOptions say what becomes of a login.
type setupOptions struct {
	kubeconfig     string
	user           string
	context        string
	useContext     bool
	cluster        string
	server         string
	authority      string
	usernameClaim  string
	usernamePrefix string
	groupsClaim    string
	groupsPrefix   string
	role           string
	yes            bool
	dryRun         bool
	output         string
	from           string
}

func (o *setupOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "`file` to write to in place of $KUBECONFIG and ~/.kube/config")
	flags.StringVar(&o.user, "user", "", "`name` of the user to write (default: made of the cluster and the issuer)")
	flags.StringVar(&o.context, "context", "", "`name` of a context to write too, of that user at the cluster")
	flags.BoolVar(&o.useContext, "use-context", false, "make that context the current one")
	flags.StringVar(&o.cluster, "cluster", "", "`name` of the kubeconfig's cluster that is meant (default: that of the current context)")
	flags.StringVar(&o.server, "cluster-server", "", "`URL` of an API server, to write a cluster too")
	flags.StringVar(&o.authority, "cluster-certificate-authority", "", "PEM `file` of that API server's certificate authority")
	flags.StringVar(&o.usernameClaim, "username-claim", "", "`claim` that the API server takes for the user name (default sub)")
	flags.StringVar(&o.usernamePrefix, "username-prefix", defaultPrefix, "`prefix` that the API server puts before it")
	flags.StringVar(&o.groupsClaim, "groups-claim", "", "`claim` that the API server takes for the groups; none: no groups (default groups, where the token has it)")
	flags.StringVar(&o.groupsPrefix, "groups-prefix", defaultPrefix, "`prefix` that the API server puts before them")
	flags.StringVar(&o.role, "role", "view", "cluster `role` that the printed binding gives")
	flags.BoolVar(&o.yes, "yes", false, "write the kubeconfig without asking")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be written, and write nothing")
	flags.StringVar(&o.output, "output", "", "`format` kubeconfig: print a kubeconfig without secrets that everybody can take with --from; log nobody in")
	flags.StringVar(&o.from, "from", "", "`file` or https URL of such a kubeconfig, to be merged into yours")
	flags.SortFlags = false
}

// defaultPrefix keeps a provider from naming users and groups of the cluster's own.
const defaultPrefix = "oidc:"

func (o *setupOptions) check() error {
	switch {
	case o.output != "" && o.output != "kubeconfig":
		return misused(fmt.Errorf("--output=%s: must be kubeconfig", o.output))
	case o.yes && o.dryRun:
		return misused(errors.New("--yes and --dry-run exclude each other"))
	case o.useContext && o.context == "" && o.from == "":
		return misused(errors.New("--use-context: needs --context"))
	case o.authority != "" && o.server == "":
		return misused(errors.New("--cluster-certificate-authority: needs --cluster-server"))
	}
	return nil
}

// setup is one run: it checks, logs in, tells, writes and verifies, in this order.
type setup struct {
	env      Env
	terminal *terminal
	options  *options
	wanted   setupOptions
	flags    *pflag.FlagSet
	page     *page
}

func (s *setup) run(ctx context.Context) error {
	if err := s.wanted.check(); err != nil {
		return err
	}
	ctx, stop := s.env.Interruptible(ctx)
	defer stop()
	switch {
	case s.wanted.from != "":
		return errors.Join(s.takeOver(ctx), s.page.err)
	case s.wanted.output != "":
		return errors.Join(s.handOut(), s.page.err)
	}
	return errors.Join(s.setUp(ctx), s.page.err)
}

func (s *setup) setUp(ctx context.Context) error {
	session, err := newSession(s.flags, s.env, s.terminal, s.options, s.wanted.server)
	if err != nil {
		return err
	}
	plan, err := s.plan()
	if err != nil {
		return err
	}
	report, err := session.provider.Inspect(ctx)
	if err != nil {
		return err
	}
	if err := s.showProvider(report); err != nil {
		return err
	}
	idToken, err := session.source.Login(ctx, session.key)
	if errors.Is(err, token.ErrNotKept) {
		s.terminal.warn(err) // the kubeconfig may be for others
	} else if err != nil {
		return err
	}
	evidence, err := s.showClaims(ctx, session, idToken, report)
	if err != nil {
		return err
	}
	if evidence.Claims == nil {
		return &token.Error{Kind: token.Refused, Err: errors.New("the access token is no JWT, so kube-apiserver cannot read it"),
			Hint: []string{"Leave out --oidc-use-access-token, or have the provider make JWTs."}}
	}
	authentication, err := s.authentication(ctx, session.key, evidence)
	if err != nil {
		return err
	}
	s.page.section("What the API server makes of your %s", servedToken(session.key))
	s.page.findings(cluster.Judge(evidence, authentication))
	s.page.findings(s.options.judgeAudiences(authentication.Audiences))
	if err := s.showServer(authentication, evidence); err != nil {
		return err
	}
	written, err := s.write(ctx, plan)
	if err != nil || !written {
		return err
	}
	s.showPolicy(plan.Users[0].Exec.Command)
	return s.verify(ctx, session, plan, evidence, authentication)
}

// getTokenArguments are the flags that were given here and that get-token needs too, in the order of their definition:
// client-go keeps credentials by these words, so the same login is always the same words. A secret is named, not shown.
func getTokenArguments(flags *pflag.FlagSet) []string {
	var arguments []string
	var login options
	known := pflag.NewFlagSet("get-token", pflag.ContinueOnError)
	login.addFlags(known)
	flags.VisitAll(func(flag *pflag.Flag) {
		switch values, ok := flag.Value.(pflag.SliceValue); {
		case !flag.Changed:
		case flag.Hidden: // without effect, or another name of a default
		case known.Lookup(flag.Name) == nil || flag.Name == "v" || flag.Name == "interactive": // a verb's own
		case flag.Name == "oidc-client-secret":
			arguments = append(arguments, "--oidc-client-secret=YOUR_CLIENT_SECRET")
		case flag.Name == "password":
			arguments = append(arguments, "--password=YOUR_PASSWORD")
		case flag.Value.Type() == "stringToString":
			arguments = append(arguments, "--"+flag.Name+"="+pairsOf(flags, flag.Name))
		case ok:
			for _, value := range values.GetSlice() {
				arguments = append(arguments, "--"+flag.Name+"="+value)
			}
		default:
			arguments = append(arguments, "--"+flag.Name+"="+flag.Value.String())
		}
	})
	return arguments
}
