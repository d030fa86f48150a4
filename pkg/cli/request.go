package cli

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
)

// requestOptions say what the provider is asked for besides scopes, and which of its tokens the API server gets. They
// belong to the identity.
type requestOptions struct {
	extraParameters map[string]string
	acrValues       []string
	maxAgeSeconds   int
	audience        string
	resources       []string
	useAccessToken  bool
}

// noMaxAge is the default, since 0 has a meaning: log in anew.
const noMaxAge = -1

func (o *requestOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringToStringVar(&o.extraParameters, "oidc-auth-request-extra-params", nil,
		"`name=value` to add to the authorization request; may be repeated")
	flags.Lookup("oidc-auth-request-extra-params").DefValue = "" // help then names no default
	flags.StringSliceVar(&o.acrValues, "oidc-acr-values", nil,
		"authentication context `class` to ask for, which the ID token must name; may be repeated, then one of them")
	flags.IntVar(&o.maxAgeSeconds, "oidc-max-age", noMaxAge,
		"how many `seconds` ago the provider may have asked you last, when you log in; 0: it must ask")
	flags.Lookup("oidc-max-age").DefValue = "0" // help then names no default
	flags.StringVar(&o.audience, "oidc-audience", "", "`audience` to ask for, at providers that know this parameter")
	flags.StringArrayVar(&o.resources, "oidc-resource", nil, "`URI` for which the access token is asked (RFC 8707); may be repeated")
	flags.BoolVar(&o.useAccessToken, "oidc-use-access-token", false, "give kubectl the access token in place of the ID token")
}

func (o *requestOptions) configure(config *provider.Config) error {
	config.Parameters = maps.Clone(o.extraParameters)
	config.Audience, config.Resources, config.UseAccessToken = o.audience, o.resources, o.useAccessToken
	for _, value := range o.acrValues {
		config.ACRValues = append(config.ACRValues, strings.Fields(value)...)
	}
	return o.configureMaxAge(config)
}

// configureMaxAge also finds it among the extra parameters, so that the login is held against it there too.
func (o *requestOptions) configureMaxAge(config *provider.Config) error {
	flag, seconds := "--oidc-max-age", o.maxAgeSeconds
	if text, ok := config.Parameters["max_age"]; ok && seconds == noMaxAge {
		var err error
		flag = "--oidc-auth-request-extra-params=max_age"
		if seconds, err = strconv.Atoi(text); err != nil {
			return misused(fmt.Errorf("%s=%s: must be a number of seconds", flag, text))
		}
		delete(config.Parameters, "max_age")
	}
	switch {
	case seconds == noMaxAge && flag == "--oidc-max-age":
		return nil
	case seconds < 0:
		return misused(fmt.Errorf("%s=%d: must not be below 0", flag, seconds))
	}
	age := time.Duration(seconds) * time.Second
	config.MaxAge = &age
	return nil
}
