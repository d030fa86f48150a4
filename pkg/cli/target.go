package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// targetOptions say whose login a verb is about where no flag names the provider: a user of the kubeconfig.
type targetOptions struct {
	kubeconfig string
	context    string
	user       string
}

// addFlags comes after those of the provider.
func (o *targetOptions) addFlags(flags *pflag.FlagSet) {
	describeProvider(flags, "default: that of the kubeconfig's user")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "`file` to read in place of $KUBECONFIG and ~/.kube/config")
	flags.StringVar(&o.context, "context", "", "`name` of the kubeconfig's context whose login is meant (default: the current one)")
	flags.StringVar(&o.user, "user", "", "`name` of the kubeconfig's user whose login is meant")
	flags.SortFlags = false
}

// target is one login: its flags, and what the kubeconfig says of it.
type target struct {
	env     Env // with the variables that the kubeconfig sets
	kubectl Env // without them, as kubectl has it
	options *options
	flags   *pflag.FlagSet
	user    kubeconfig.User    // without a name: by flags alone
	cluster kubeconfig.Cluster // without a name where none is known
	call    call               // how kubectl calls the plugin; without a name of the user there is none
}

// resolve finds the login that is meant, and refuses one that kubectl cannot use. Given are the verb's own flags; they come on
// top of those in the kubeconfig.
func (o *targetOptions) resolve(env Env, given *options, flags *pflag.FlagSet) (*target, error) {
	target, err := o.find(env, given, flags)
	if err != nil {
		return nil, err
	}
	return target, target.refusal()
}

// find finds the login that is meant, whatever kubectl could do with it.
func (o *targetOptions) find(env Env, given *options, flags *pflag.FlagSet) (*target, error) {
	if given.provider.issuerURL != "" {
		if o.context != "" || o.user != "" {
			return nil, misused(errors.New("the login is named in two ways: by --oidc-issuer-url, and by --context or --user"))
		}
		return &target{env: env, kubectl: env, options: given, flags: flags}, nil
	}
	config, err := o.load(env)
	if err != nil {
		return nil, err
	}
	user, cluster, err := o.choose(config)
	if err != nil {
		return nil, err
	}
	if !user.Exec.IsPlugin() {
		return nil, o.notOurs(env, config, user)
	}
	return newTarget(env, user, cluster, flags)
}

func (o *targetOptions) load(env Env) (*kubeconfig.Config, error) {
	paths, err := o.paths(env)
	if err != nil {
		return nil, err
	}
	return kubeconfig.Load(paths)
}

func (o *targetOptions) paths(env Env) (kubeconfig.Paths, error) {
	flag, err := expandHome(env, o.kubeconfig)
	if err != nil {
		return kubeconfig.Paths{}, err
	}
	variable := env.getenv("KUBECONFIG")
	home, err := env.HomeDir()
	if err != nil && flag == "" && variable == "" {
		return kubeconfig.Paths{}, fmt.Errorf("cannot find your home directory for ~/.kube/config: %w", err)
	}
	return kubeconfig.Find(flag, variable, home), nil
}

// choose finds the user by its name, or that of a context.
func (o *targetOptions) choose(config *kubeconfig.Config) (kubeconfig.User, kubeconfig.Cluster, error) {
	name := o.user
	context, found := config.Context(cmp.Or(o.context, config.CurrentContext))
	switch {
	case o.context != "" && !found:
		return kubeconfig.User{}, kubeconfig.Cluster{}, whichContext(fmt.Errorf("the kubeconfig has no context %q", o.context), config)
	case name == "" && !found:
		return kubeconfig.User{}, kubeconfig.Cluster{}, whichLogin(config)
	case name == "" && context.User == "":
		return kubeconfig.User{}, kubeconfig.Cluster{}, whichContext(fmt.Errorf("the context %q of the kubeconfig has no user", context.Name), config)
	case name == "":
		name = context.User
	}
	user, ok := config.User(name)
	if !ok {
		return kubeconfig.User{}, kubeconfig.Cluster{}, misused(fmt.Errorf("the kubeconfig has no user %q", name))
	}
	if o.context == "" && context.User != name { // a token is for no other cluster than the user's
		context, _ = config.ContextOf(name)
	}
	cluster, _ := config.Cluster(context.Cluster)
	return user, cluster, nil
}

// whichLogin is for a kubeconfig without a current context.
func whichLogin(config *kubeconfig.Config) error {
	cause := noneHas(config.Paths, "has no current context", "has a current context")
	switch {
	case config.Paths.AreMissing():
		cause = noneHas(config.Paths, "does not exist", "exists")
	case config.CurrentContext != "":
		unknown := fmt.Sprintf("context %q, which it calls the current one", config.CurrentContext)
		cause = noneHas(config.Paths, "has no "+unknown, "has the "+unknown)
	}
	return token.WithHint(whichContext(errors.New(cause), config),
		"Or name the kubeconfig with --kubeconfig, or the provider with --oidc-issuer-url and --oidc-client-id.")
}

// noneHas says what the one file of a kubeconfig does not have, or its several files.
func noneHas(paths kubeconfig.Paths, hasNot, has string) string {
	if len(paths.Files) == 1 {
		return paths.Files[0] + " " + hasNot
	}
	return "none of " + strings.Join(paths.Files, ", ") + " " + has
}

// whichContext adds to a cause which contexts log in by this plugin.
func whichContext(cause error, config *kubeconfig.Config) error {
	const most = 10 // people look for one of a few, or know the name
	names := namesOf(pluginContexts(config), func(context kubeconfig.Context) string { return context.Name })
	hint := "No context logs in by this plugin: " + commandName + " setup writes one."
	switch {
	case len(names) > most:
		hint = fmt.Sprintf("Name one of these contexts with --context: %s, or one of %d others.", strings.Join(names[:most], ", "), len(names)-most)
	case len(names) > 0:
		hint = "Name one of these contexts with --context: " + strings.Join(names, ", ") + "."
	}
	return token.WithHint(misused(cause), hint)
}

// notOurs says what a user has in place of this plugin.
func (o *targetOptions) notOurs(env Env, config *kubeconfig.Config, user kubeconfig.User) error {
	cause := fmt.Errorf("the kubeconfig's user %q does not log in by this plugin; it has %s", user.Name, judge(env, config).User(user).What)
	return token.WithHint(whichContext(cause, config), strings.TrimSpace("Run: "+commandName+" doctor kubeconfig "+quoteAll(o.kubeconfigWords())))
}

// newTarget reads the flags of a user who logs in by this plugin, and adds those that were given.
func newTarget(env Env, user kubeconfig.User, cluster kubeconfig.Cluster, given *pflag.FlagSet) (*target, error) {
	call := readCall(user.Exec)
	if err := addGiven(call.flags, given); err != nil {
		return nil, misused(err)
	}
	return &target{env: env.with(user.Exec.Env), kubectl: env, options: call.options, flags: call.flags, user: user, cluster: cluster,
		call: call}, nil
}

// refusal is why kubectl cannot use the login.
func (t *target) refusal() error {
	if t.call.refusal == nil {
		return nil
	}
	return token.WithHint(misused(fmt.Errorf("the kubeconfig's user %q: %w", t.user.Name, t.call.refusal)), t.callRemedy())
}

// callRemedy says where to correct what kubectl calls the plugin with.
func (t *target) callRemedy() string {
	remedy := "Correct the args of that user in " + t.user.File + "."
	if errors.Is(t.call.refusal, errUnexpectedArgument) {
		remedy += " A flag that is on or off takes its value after an equals sign."
	}
	return remedy
}

// addGiven sets flags as they were given elsewhere; lists grow.
func addGiven(flags, given *pflag.FlagSet) error {
	var failure error
	given.Visit(func(flag *pflag.Flag) {
		own := flags.Lookup(flag.Name)
		if own == nil || failure != nil {
			return
		}
		ownList, isList := own.Value.(pflag.SliceValue)
		switch {
		case isList && own.Changed:
			for _, value := range flag.Value.(pflag.SliceValue).GetSlice() {
				failure = errors.Join(failure, ownList.Append(value))
			}
		case isList:
			failure = ownList.Replace(flag.Value.(pflag.SliceValue).GetSlice())
			own.Changed = true
		case flag.Value.Type() == "stringToString":
			failure = flags.Set(flag.Name, revealedPairs(given, flag.Name))
		default:
			failure = flags.Set(flag.Name, flag.Value.String())
		}
	})
	return failure
}

// name is what a person calls this login in a command.
func (t *target) name(o targetOptions) []string {
	words := o.kubeconfigWords()
	for _, flag := range []struct{ name, value string }{{"context", o.context}, {"user", o.user}} {
		if flag.value != "" {
			words = append(words, "--"+flag.name+"="+flag.value)
		}
	}
	if t.user.Name == "" {
		words = getTokenArguments(t.flags)
	}
	return words
}

// kubeconfigWords are what a command needs for the kubeconfig that was read.
func (o *targetOptions) kubeconfigWords() []string {
	if o.kubeconfig == "" {
		return nil
	}
	return []string{"--kubeconfig=" + o.kubeconfig}
}

// pluginUsers are the users of a kubeconfig that log in by this plugin.
func pluginUsers(config *kubeconfig.Config) []kubeconfig.User {
	return slices.DeleteFunc(slices.Clone(config.Users), func(user kubeconfig.User) bool {
		_, ours := user.Exec.PluginArguments()
		return !ours
	})
}

// pluginContexts are the contexts of those users.
func pluginContexts(config *kubeconfig.Config) []kubeconfig.Context {
	return slices.DeleteFunc(slices.Clone(config.Contexts), func(context kubeconfig.Context) bool {
		user, _ := config.User(context.User)
		return !user.Exec.IsPlugin()
	})
}
