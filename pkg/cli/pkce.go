package cli

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
)

// pkceOptions say whether a login is bound to this process by PKCE. The values are kubelogin's, but its auto leaves PKCE out
// where the provider does not list it.
type pkceOptions struct {
	method string
	always bool
}

const pkceAuto = "auto"

func (o *pkceOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.method, "oidc-pkce-method", pkceAuto,
		"`method` that makes an intercepted code useless: auto (S256), S256, or no (for providers that fail on it)")
	flags.BoolVar(&o.always, "oidc-use-pkce", false, "")
	hide(flags, "oidc-use-pkce") // kubelogin's older name of S256
}

func (o *pkceOptions) configure(config *provider.Config) error {
	switch {
	case o.always || o.method == string(provider.PKCES256):
		config.PKCE = provider.PKCES256
	case o.method == string(provider.PKCENone):
		config.PKCE = provider.PKCENone
	case o.method != pkceAuto:
		return misused(fmt.Errorf("--oidc-pkce-method=%s: must be auto, no or S256", o.method))
	}
	return nil
}
