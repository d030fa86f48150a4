package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// interactive says whether a person may be asked to log in.
const (
	interactiveAuto   = "auto"
	interactiveAlways = "always"
	interactiveNever  = "never"
)

// mayAsk returns why nobody may be asked, or nil. Always means it: a person said so.
func mayAsk(env Env, options *options, loginHint string) error {
	var reason string
	switch {
	case options.grant.asksNobody():
		return nil
	case options.login.interactive == interactiveNever:
		reason = "--interactive=never"
	case options.grant.asksByTerminal() && !env.HasKeyboard():
		reason = "there is no terminal to type at"
	case options.login.interactive != interactiveAlways:
		reason = whyNobodyIsThere(env, options.login)
	}
	if reason == "" {
		return nil
	}
	return &token.Error{
		Kind: token.LoginNeeded,
		Err:  fmt.Errorf("login needed, but nobody may be asked: %s", reason),
		Hint: []string{loginHint},
	}
}

// whyNobodyIsThere recognises calls that no person waits for. A window that nobody asked for is worse than an error.
func whyNobodyIsThere(env Env, options loginOptions) string {
	switch {
	case isCompletion(env):
		return "this is the shell completing a word"
	case isTrue(env.getenv("CI")):
		return "this is a CI job (the environment has CI)"
	case env.HasTerminal() || options.skipOpenBrowser:
		return ""
	}
	if reason := browserCommand(env, options).WhyNot(); reason != nil {
		return fmt.Sprintf("no browser opens here (%v), and there is no terminal for a URL", reason)
	}
	return ""
}

// isCompletion recognises shells that complete a word: kubectl has a hidden command for it, which is then our parent, and
// bash says so to the programs of "complete -C".
func isCompletion(env Env) bool {
	return env.getenv("COMP_LINE") != "" || slices.ContainsFunc(env.ParentArguments(), func(argument string) bool {
		return argument == "__complete" || argument == "__completeNoDesc"
	})
}

func isTrue(value string) bool {
	return value != "" && value != "0" && !strings.EqualFold(value, "false")
}

func checkInteractive(value string) error {
	switch value {
	case interactiveAuto, interactiveAlways, interactiveNever:
		return nil
	}
	return misused(errors.New("--interactive=" + value + ": must be auto, always or never"))
}

// loginHint is for get-token. Who calls it may have set the variable with the client's secret, as a kubeconfig can; login
// sets it likewise where it looks the user up there.
func (o *options) loginHint(flags *pflag.FlagSet) string {
	if store.Mode(o.store.mode) == store.None {
		return "With --token-cache-storage=none each call logs in by itself. Where nobody may be asked, leave that flag out and log in before."
	}
	if o.secret.variable != "" {
		return "Run, with --context=NAME unless the current context is meant: " + commandName + " login"
	}
	return loginHint(getTokenArguments(flags))
}

// loginHint is the command that logs in where this call may not ask.
func loginHint(arguments []string) string {
	return strings.TrimSpace("Run: " + commandName + " login " + quoteAll(arguments))
}
