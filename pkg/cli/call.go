package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
)

// call is what kubectl calls the plugin with, as get-token reads it.
type call struct {
	options *options
	flags   *pflag.FlagSet
	refusal error // why get-token gives no token for it
	isRead  bool  // whether all flags that get-token knows were read, whatever it says of others
}

var errUnexpectedArgument = errors.New("unexpected argument")

// readCall reads what can be read. No secret is in its refusal.
func readCall(exec *kubeconfig.Exec) call {
	arguments, _ := exec.PluginArguments()
	read, flags, err := parseGetToken(arguments)
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		read, flags = getTokenFlags()
		flags.ParseErrorsAllowlist.UnknownFlags = true // it is told, and the others count all the same
		return call{read, flags, unknownFlag(unknown), flags.Parse(arguments) == nil}
	}
	if err != nil {
		return call{read, flags, flagError(err), false}
	}
	return call{read, flags, checkWords(exec, flags.Args()), true}
}

// unknownFlag leaves out what follows one of a single letter, since that may be a secret.
func unknownFlag(err *pflag.NotExistError) error {
	if err.GetSpecifiedShortnames() == "" {
		return err
	}
	return errors.New("unknown flag: -" + err.GetSpecifiedName())
}

const tokenVerb = "get-token"

// checkWords looks at the arguments that are no flags: there must be the verb, and nothing else.
func checkWords(exec *kubeconfig.Exec, words []string) error {
	arguments, _ := exec.PluginArguments()
	switch {
	case slices.Equal(words, []string{tokenVerb}):
		return nil
	case slices.Contains(words, tokenVerb):
		before := len(exec.Args) - len(arguments)
		return fmt.Errorf("%w: number %d of its args is no flag, and belongs to none", errUnexpectedArgument, before+placeOfWord(arguments))
	case len(words) > 0 && arguments[0] == words[0]:
		return fmt.Errorf("its args call %q, not %s", words[0], tokenVerb)
	}
	return fmt.Errorf("the verb %s is missing among its args", tokenVerb)
}

// placeOfWord counts to the first argument that is neither the verb nor a flag's.
func placeOfWord(arguments []string) int {
	for place := 1; place < len(arguments); place++ {
		_, flags, _ := parseGetToken(arguments[:place])
		if words := flags.Args(); len(words) > 0 && !slices.Equal(words, []string{tokenVerb}) {
			return place
		}
	}
	return len(arguments)
}

// parseGetToken reads the arguments of get-token as that would.
func parseGetToken(arguments []string) (*options, *pflag.FlagSet, error) {
	read, flags := getTokenFlags()
	return read, flags, flags.Parse(arguments)
}

func getTokenFlags() (*options, *pflag.FlagSet) {
	read := &options{}
	flags := pflag.NewFlagSet("get-token", pflag.ContinueOnError)
	flags.Usage = func() {} // which pflag prints where it meets --help
	read.addFlags(flags)
	flags.Bool("force-refresh", false, "")
	addKlogFlags(flags)
	return read, flags
}
