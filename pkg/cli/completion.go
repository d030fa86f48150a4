package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
)

// pluginCompletion is what kubectl calls for "kubectl oidc-login <TAB>": a program of this name in PATH, with the words that
// were typed so far (https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/).
const pluginCompletion = `#!/bin/sh
# Put this into a folder of your PATH as kubectl_complete-oidc_login, and make it executable.
exec kubectl-oidc_login __complete "$@"
`

func newCompletionCommand(env Env) *cobra.Command {
	command := &cobra.Command{
		Use:   "completion kubectl|bash|zsh|fish|powershell",
		Short: "Print what a shell needs to complete commands and flags",
		Long: `Print what a shell needs to complete commands and flags.

With kubectl it is a program that kubectl calls for "kubectl oidc-login <TAB>"; your shell has to complete kubectl itself
already. The others complete kubectl-oidc_login, the program's own name. Completing reads the kubeconfig, and asks nobody.`,
		Example: `  ` + commandName + ` completion kubectl > ~/.local/bin/kubectl_complete-oidc_login
  chmod +x ~/.local/bin/kubectl_complete-oidc_login
  ` + commandName + ` completion bash > /etc/bash_completion.d/kubectl-oidc_login`,
		Args:      oneShell,
		ValidArgs: shells(),
		RunE: func(command *cobra.Command, arguments []string) error {
			text, err := completionFor(command.Root(), arguments[0])
			if err == nil {
				_, err = env.Stdout.Write(text)
			}
			if err != nil {
				return fmt.Errorf("completion: %w", err)
			}
			return nil
		},
	}
	return command
}

func shells() []string { return []string{"kubectl", "bash", "zsh", "fish", "powershell"} }

func oneShell(_ *cobra.Command, arguments []string) error {
	if len(arguments) != 1 || !slices.Contains(shells(), arguments[0]) {
		return misused(fmt.Errorf("completion: name one of %q", shells()))
	}
	return nil
}

// completionFor names the program as it lies in PATH.
func completionFor(root *cobra.Command, shell string) ([]byte, error) {
	root.Use = "kubectl-oidc_login"
	var text bytes.Buffer
	var err error
	switch shell {
	case "kubectl":
		text.WriteString(pluginCompletion)
	case "bash":
		err = root.GenBashCompletionV2(&text, true)
	case "zsh":
		err = root.GenZshCompletion(&text)
	case "fish":
		err = root.GenFishCompletion(&text, true)
	case "powershell":
		err = root.GenPowerShellCompletionWithDesc(&text)
	}
	return text.Bytes(), err
}

// completeFlags says what the values of flags can be. It is for the completing process alone, so that others do not pay.
func completeFlags(parent *cobra.Command, env Env) {
	fixed := map[string][]string{
		"grant-type":              {"auto", "authcode", "device-code", "authcode-keyboard", "client-credentials", "password"},
		"token-cache-storage":     {"auto", "keyring", "disk", "none"},
		"interactive":             {"auto", "always", "never"},
		"oidc-client-auth-method": {"auto", "client_secret_basic", "client_secret_post"},
		"oidc-pkce-method":        {"auto", "S256", "no"},
	}
	fileNames := append(fileFlags(), "kubeconfig", "from", "cluster-certificate-authority", "browser-command")
	for _, command := range parent.Commands() {
		if command.ValidArgs == nil {
			command.ValidArgsFunction = cobra.NoFileCompletions
		}
		// Help knows by backticks what to call a flag's value; shells show the text as it is.
		command.Flags().VisitAll(func(flag *pflag.Flag) { flag.Usage = strings.ReplaceAll(flag.Usage, "`", "") })
		fixed["output"] = []string{"json", "yaml"}
		if command.Name() == "setup" {
			fixed["output"] = []string{"kubeconfig"}
		}
		complete := func(name string, values func() []string) {
			if command.Flags().Lookup(name) != nil {
				_ = command.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
					return values(), cobra.ShellCompDirectiveNoFileComp
				})
			}
		}
		for name, values := range fixed {
			complete(name, func() []string { return values })
		}
		for _, name := range fileNames {
			_ = command.MarkFlagFilename(name) // fails where there is no such flag
		}
		completeFromKubeconfig(command, env, complete)
		completeFlags(command, env)
	}
}

// completeFromKubeconfig knows names. A kubeconfig that cannot be read has none.
func completeFromKubeconfig(command *cobra.Command, env Env, complete func(name string, values func() []string)) {
	load := func() *kubeconfig.Config {
		chosen := targetOptions{}
		if flag := command.Flags().Lookup("kubeconfig"); flag != nil {
			chosen.kubeconfig = flag.Value.String()
		}
		if config, err := chosen.load(env); err == nil {
			return config
		}
		return &kubeconfig.Config{}
	}
	anything := command.Name() == "setup"
	complete("user", func() []string {
		config := load()
		users := config.Users
		if !anything {
			users = pluginUsers(config)
		}
		return namesOf(users, func(user kubeconfig.User) string { return user.Name })
	})
	complete("context", func() []string {
		config := load()
		contexts := config.Contexts
		if !anything {
			contexts = pluginContexts(config)
		}
		return namesOf(contexts, func(context kubeconfig.Context) string { return context.Name })
	})
	complete("cluster", func() []string {
		return namesOf(load().Clusters, func(cluster kubeconfig.Cluster) string { return cluster.Name })
	})
}

// namesOf leaves out names that a terminal would obey.
func namesOf[T any](all []T, name func(T) string) []string {
	var names []string
	for _, one := range all {
		if harmless(name(one)) == name(one) {
			names = append(names, name(one))
		}
	}
	return names
}
