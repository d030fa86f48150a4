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
		return call{read, flags, err, flags.Parse(arguments) == nil}
	}
	if err != nil {
		return call{read, flags, flagError(err), false}
	}
	return call{read, flags, checkWords(exec, flags.Args()), true}
}

// checkWords looks at the arguments that are no flags: there must be the verb, and nothing else.
func checkWords(exec *kubeconfig.Exec, words []string) error {
	const verb = "get-token"
	arguments, _ := exec.PluginArguments()
	switch at := slices.Index(words, verb); {
	case at < 0 && len(words) > 0 && arguments[0] == words[0]:
		return fmt.Errorf("its args call %q, not %s", words[0], verb)
	case at < 0:
		return fmt.Errorf("the verb %s is missing among its args", verb)
	default:
		words = slices.Delete(slices.Clone(words), at, at+1)
	}
	if len(words) == 0 {
		return nil
	}
	return fmt.Errorf("%w: number %d of its args is no flag, and belongs to none", errUnexpectedArgument, slices.Index(exec.Args, words[0])+1)
}

// parseGetToken reads the arguments of get-token as that would.
func parseGetToken(arguments []string) (*options, *pflag.FlagSet, error) {
	read, flags := getTokenFlags()
	return read, flags, flags.Parse(arguments)
}

func getTokenFlags() (*options, *pflag.FlagSet) {
	read := &options{}
	flags := pflag.NewFlagSet("get-token", pflag.ContinueOnError)
	read.addFlags(flags)
	flags.Bool("force-refresh", false, "")
	addKlogFlags(flags)
	return read, flags
}
