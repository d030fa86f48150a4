package cli

import (
	"errors"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
)

// accountOptions say who logs in, for people who have several accounts at one provider.
type accountOptions struct {
	name   string
	choose bool
}

// addNameFlag is for every verb: the account belongs to the identity.
func (o *accountOptions) addNameFlag(flags *pflag.FlagSet) {
	flags.StringVar(&o.name, "account", "",
		"`name` of the account that you mean: its subject, email or username; another one is refused, and each has its own login")
}

func (o *accountOptions) addChooseFlag(flags *pflag.FlagSet) {
	flags.BoolVar(&o.choose, "select-account", false, "ask the provider to let you choose the account at each login")
}

func (o *accountOptions) configure(config *provider.Config) error {
	config.Account, config.SelectAccount = o.name, o.choose
	if config.Grant == provider.ClientCredentials && (o.name != "" || o.choose) {
		return misused(errors.New("--account and --select-account: no person logs in with --grant-type=client-credentials"))
	}
	if o.choose && config.Grant != provider.AuthCode && config.Grant != provider.AuthCodeKeyboard {
		return misused(errors.New("--select-account: only where you log in with authcode or authcode-keyboard"))
	}
	return nil
}
