package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// takeOver merges a kubeconfig that somebody else wrote. It is read with suspicion: what it names would run on this
// machine, with this person's rights.
func (s *setup) takeOver(ctx context.Context) error {
	if err := s.refuseOtherFlags(); err != nil {
		return err
	}
	text, err := s.readFrom(ctx)
	if err != nil {
		return err
	}
	theirs, err := kubeconfig.Parse(s.wanted.from, text)
	if err != nil {
		return err
	}
	command, err := pluginPath(s.env)
	if err != nil {
		return err
	}
	plan, ours, err := s.planOf(theirs, command)
	if err != nil {
		return err
	}
	s.page.section("From %s", s.wanted.from)
	for _, user := range plan.Users {
		s.page.line("  the user %s, for whom kubectl will run: %s", user.Name, commandLine(user.Exec))
	}
	for _, one := range plan.Clusters {
		s.page.line("  the cluster %s at %s", one.Name, one.Server)
	}
	for _, warning := range sharedLogins(s.env, ours, theirs) {
		s.page.line("  warning: %s", warning)
	}
	written, err := s.write(ctx, plan)
	if err != nil || !written {
		return err
	}
	s.showPolicy(command)
	s.page.section("Try it")
	s.page.block(tryCommand(theirs.Contexts, theirs.Users))
	return s.page.err
}

// refuseOtherFlags: the file says it all, so most flags would be without effect.
func (s *setup) refuseOtherFlags() error {
	used := []string{"from", "kubeconfig", "use-context", "yes", "dry-run", "v"}
	if s.isFromURL() {
		used = append(used, "certificate-authority", "certificate-authority-data")
	}
	var others []string
	s.flags.Visit(func(flag *pflag.Flag) {
		if _, isIgnored := flag.Value.(ignored); !isIgnored && !slices.Contains(used, flag.Name) {
			others = append(others, "--"+flag.Name)
		}
	})
	if len(others) == 0 {
		return nil
	}
	return token.WithHint(misused(fmt.Errorf("--from takes all from the file: %s would have no effect", strings.Join(others, ", "))),
		"What the file says counts; leave out the rest.")
}

// planOf takes from a stranger's kubeconfig what is harmless and new, and refuses it all for anything else. It also returns
// what the person has. That stays as it is: what has the same name must be the same.
func (s *setup) planOf(theirs *kubeconfig.Config, command string) (*plan, *kubeconfig.Config, error) {
	if len(theirs.Users) == 0 {
		return nil, nil, misused(errors.New("--from: it has no users"))
	}
	paths, err := (&targetOptions{kubeconfig: s.wanted.kubeconfig}).paths(s.env)
	if err != nil {
		return nil, nil, err
	}
	paths.Explicit = false
	ours, err := kubeconfig.Load(paths)
	if err != nil {
		return nil, nil, err
	}
	plan := &plan{config: ours}
	if plan.Users, err = newUsers(ours, theirs, command); err != nil {
		return nil, nil, notTakenOver(err)
	}
	if plan.Clusters, err = newClusters(ours, theirs); err != nil {
		return nil, nil, notTakenOver(err)
	}
	if plan.Contexts, err = newContexts(ours, theirs); err != nil {
		return nil, nil, notTakenOver(err)
	}
	if _, found := theirs.Context(theirs.CurrentContext); theirs.CurrentContext != "" && !found {
		return nil, nil, notTakenOver(fmt.Errorf("its current context %q is not among its contexts", theirs.CurrentContext))
	}
	if ours.CurrentContext == "" || s.wanted.useContext {
		plan.CurrentContext = theirs.CurrentContext
	}
	return plan, ours, nil
}

// notTakenOver says what to do, unless the cause does.
func notTakenOver(cause error) error {
	err := misused(fmt.Errorf("--from: %w", cause))
	var known *token.Error
	if errors.As(cause, &known) && len(known.Hint) > 0 {
		return token.WithHint(err, "Nothing was written. "+strings.Join(known.Hint, " "))
	}
	return token.WithHint(err, "Nothing was written. Ask whoever gave you the file.")
}

// commandLine is how a person reads what will run, which no shell does: nothing may be left out of it on any system.
func commandLine(exec *kubeconfig.Exec) string {
	words := []string{quoteForPOSIX(exec.Command)}
	for _, argument := range exec.Args {
		words = append(words, quoteForPOSIX(argument))
	}
	return strings.Join(words, " ")
}

func newUsers(ours, theirs *kubeconfig.Config, command string) ([]kubeconfig.User, error) {
	var added []kubeconfig.User
	for _, user := range theirs.Users {
		if err := checkShared(user); err != nil {
			return nil, err
		}
		if old, found := ours.User(user.Name); found {
			if err := refuseOther("user", user.Name, differingUsers(old, user)); err != nil {
				return nil, err
			}
			continue
		}
		arguments, _ := user.Exec.PluginArguments()
		added = append(added, kubeconfig.User{Name: user.Name, Exec: &kubeconfig.Exec{
			APIVersion: "client.authentication.k8s.io/v1", Command: command, Args: arguments, InstallHint: installHint,
			InteractiveMode: "IfAvailable"}})
	}
	return added, nil
}

func newClusters(ours, theirs *kubeconfig.Config) ([]kubeconfig.Cluster, error) {
	var added []kubeconfig.Cluster
	for _, one := range theirs.Clusters {
		if err := checkSharedCluster(one); err != nil {
			return nil, err
		}
		old, found := ours.Cluster(one.Name)
		if !found {
			added = append(added, one)
			continue
		}
		if err := refuseOther("cluster", one.Name, differingClusters(old, one)); err != nil {
			return nil, err
		}
	}
	return added, nil
}

func newContexts(ours, theirs *kubeconfig.Config) ([]kubeconfig.Context, error) {
	var added []kubeconfig.Context
	for _, one := range theirs.Contexts {
		if err := checkSharedContext(theirs, one); err != nil {
			return nil, err
		}
		old, found := ours.Context(one.Name)
		if !found {
			added = append(added, one)
			continue
		}
		if err := refuseOther("context", one.Name, differingContexts(old, one)); err != nil {
			return nil, err
		}
	}
	return added, nil
}

func refuseOther(kind, name string, differing []string) error {
	if len(differing) == 0 {
		return nil
	}
	return token.WithHint(fmt.Errorf("you have another %s %q already; it differs in %s", kind, name, strings.Join(differing, ", ")),
		"If you believe the file, rename or remove your "+kind+" first, or have another file written with --kubeconfig.")
}

// differingClusters names all that says whom kubectl talks to.
func differingClusters(one, other kubeconfig.Cluster) []string {
	return differing(
		property{"server", one.Server == other.Server},
		property{"tls-server-name", one.TLSServerName == other.TLSServerName},
		property{"certificate-authority", one.CertificateAuthority == other.CertificateAuthority},
		property{"certificate-authority-data", slices.Equal(one.CertificateAuthorityData, other.CertificateAuthorityData)},
		property{"insecure-skip-tls-verify", one.InsecureSkipTLSVerify == other.InsecureSkipTLSVerify},
		property{"proxy-url", one.ProxyURL == other.ProxyURL},
	)
}

// differingContexts takes no namespace for any.
func differingContexts(old, wanted kubeconfig.Context) []string {
	return differing(
		property{"cluster", old.Cluster == wanted.Cluster},
		property{"user", old.User == wanted.User},
		property{"namespace", wanted.Namespace == "" || old.Namespace == wanted.Namespace},
	)
}

// property is one thing in which two may differ.
type property struct {
	name   string
	isSame bool
}

func differing(all ...property) []string {
	var names []string
	for _, one := range all {
		if !one.isSame {
			names = append(names, one.name)
		}
	}
	return names
}

// differingUsers holds two users against each other by what their arguments mean, however they are written.
func differingUsers(old, wanted kubeconfig.User) []string {
	one, err := loginOf(old)
	if err != nil {
		return []string{"what kubectl runs for it"}
	}
	other, err := loginOf(wanted)
	if err != nil {
		return []string{"what kubectl runs for it"}
	}
	names := differing(property{"env", len(old.Exec.Env) == len(wanted.Exec.Env)}, // a shared one has none
		property{"another credential", old.HasOtherCredentials() == wanted.HasOtherCredentials()},
		property{"as", old.Impersonate == wanted.Impersonate})
	one.flags.VisitAll(func(flag *pflag.Flag) {
		if meaningOf(one.flags, flag.Name) != meaningOf(other.flags, flag.Name) {
			names = append(names, "--"+flag.Name)
		}
	})
	return names
}

func meaningOf(flags *pflag.FlagSet, name string) string {
	flag := flags.Lookup(name)
	if flag.Value.Type() == "stringToString" { // whose own text has no order
		return revealedPairs(flags, name)
	}
	return flag.Value.String()
}

// pluginLogin is what a user of a kubeconfig asks of this plugin.
type pluginLogin struct {
	options *options
	flags   *pflag.FlagSet
}

// loginOf reads the arguments of a user as the plugin will.
func loginOf(user kubeconfig.User) (pluginLogin, error) {
	arguments, ours := user.Exec.PluginArguments()
	if !ours || arguments[0] != tokenVerb {
		return pluginLogin{}, errors.New("it does not log in by this plugin")
	}
	read, flags, err := parseGetToken(arguments[1:])
	switch {
	case err != nil:
		err = flagError(err)
	case flags.NArg() > 0:
		err = errUnexpectedArgument
	}
	return pluginLogin{read, flags}, err
}

// sharedLogins says which of the clusters that come would get tokens that clusters of the person take too. A token says
// nothing of a cluster: kube-apiserver looks at issuer and audience
// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens).
func sharedLogins(env Env, ours, theirs *kubeconfig.Config) []string {
	var warnings []string
	for _, joined := range theirs.Contexts {
		user, _ := theirs.User(joined.User)
		login, err := loginOf(user)
		if err != nil {
			continue
		}
		clusters, hasForeignAuthority := takersOf(env, ours, login)
		if slices.Contains(clusters, joined.Cluster) {
			continue // as it is today
		}
		if len(clusters) > 0 {
			warnings = append(warnings, fmt.Sprintf("the cluster %s will get the same tokens as %s, so whoever runs it could act as you there",
				joined.Cluster, strings.Join(clusters, ", ")))
		}
		if hasForeignAuthority {
			warnings = append(warnings, fmt.Sprintf("the user %s believes a certificate authority that your own users of %s do not; "+
				"whoever has its key could take over the session that you have there", joined.User, login.options.provider.issuerURL))
		}
	}
	return slices.Compact(warnings)
}

// takersOf are the person's clusters that take the tokens of a login, and whether it adds certificate authorities to those
// that such a login of the person has.
func takersOf(env Env, ours *kubeconfig.Config, login pluginLogin) (clusters []string, hasForeignAuthority bool) {
	for _, joined := range ours.Contexts {
		user, _ := ours.User(joined.User)
		own, err := loginOf(user)
		if err != nil || !haveCommonTokens(own.options.provider, login.options.provider) {
			continue
		}
		clusters = append(clusters, cmp.Or(joined.Cluster, joined.Name))
		believed, _ := own.options.tls.authorities(env)
		added, _ := login.options.tls.authorities(env)
		hasForeignAuthority = hasForeignAuthority ||
			slices.ContainsFunc(added, func(authority string) bool { return !slices.Contains(believed, authority) })
	}
	slices.Sort(clusters)
	return slices.Compact(clusters), hasForeignAuthority
}

// haveCommonTokens reports whether a token of one login is for the audience of the other.
func haveCommonTokens(one, other providerOptions) bool {
	audiences := append([]string{one.clientID}, one.trustedAudiences...)
	isCommon := func(audience string) bool { return slices.Contains(audiences, audience) }
	return one.issuerURL == other.issuerURL && slices.ContainsFunc(append([]string{other.clientID}, other.trustedAudiences...), isCommon)
}
