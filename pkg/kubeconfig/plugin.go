package kubeconfig

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// PluginArguments are what kubectl calls this plugin with, its verb first. They are not ok where there are none, or where it
// calls another program.
func (e *Exec) PluginArguments() (arguments []string, ok bool) {
	arguments, ok = e.pluginCall()
	return arguments, ok && len(arguments) > 0
}

// IsPlugin reports whether kubectl calls this plugin, with or without arguments.
func (e *Exec) IsPlugin() bool {
	_, ours := e.pluginCall()
	return ours
}

// pluginCall knows the plugin by its file name; it is also what "kubectl oidc-login" leads to.
func (e *Exec) pluginCall() (arguments []string, ours bool) {
	if e == nil {
		return nil, false
	}
	name := path.Base(strings.ReplaceAll(e.Command, `\`, "/"))
	switch name = strings.TrimSuffix(strings.ToLower(name), ".exe"); {
	case name == "kubectl-oidc_login", name == "kubelogin" && e.namesIssuer():
		return e.Args, true
	case name == "kubectl" && len(e.Args) > 0 && e.Args[0] == "oidc-login":
		return e.Args[1:], true
	}
	return nil, false
}

// namesIssuer tells int128/kubelogin, whose place this plugin takes, from Azure's plugin of the same file name.
func (e *Exec) namesIssuer() bool {
	return slices.ContainsFunc(e.Args, func(argument string) bool { return strings.HasPrefix(argument, "--oidc-issuer-url") })
}

// IsSecretFlag knows the flags of this plugin, without their dashes, whose values are for nobody's eyes.
func IsSecretFlag(name string) bool {
	return slices.Contains([]string{"oidc-client-secret", "oidc-request-header", "password"}, name)
}

// SecretFlags are the flags among the arguments whose values are secrets and have a better place, whether those stand behind
// an equals sign or on their own. Headers have none.
func (e *Exec) SecretFlags() []string {
	var secret []string
	for _, argument := range e.Args {
		name, _, _ := strings.Cut(argument, "=")
		if known, isLong := strings.CutPrefix(name, "--"); isLong && IsSecretFlag(known) && known != "oidc-request-header" {
			secret = append(secret, name)
		}
	}
	return secret
}

// SkipsVerification reports whether this plugin is told to believe any certificate of the provider.
func (e *Exec) SkipsVerification() bool {
	skips := false
	for _, argument := range e.Args { // of which the last counts
		if name, value, hasValue := strings.Cut(argument, "="); name == "--insecure-skip-tls-verify" {
			given, err := strconv.ParseBool(value)
			skips = !hasValue || err == nil && given
		}
	}
	return skips
}

// HasOtherCredentials reports whether there is anything besides a plugin that kubectl could log in with.
// To act as somebody else is not: kubectl logs in first.
func (u User) HasOtherCredentials() bool {
	return u.AuthProvider != nil || !u.Token.IsEmpty() || u.TokenFile != "" || u.Username != "" || !u.Password.IsEmpty() ||
		u.ClientCertificate != "" || len(u.ClientCertificateData) > 0 || u.ClientKey != "" || u.HasClientKeyData
}
