package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Exit codes are stable: scripts may rely on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitMisused     = 2
	exitLoginNeeded = 3
	exitUnreachable = 4
	exitRefused     = 5
)

// Run runs the program and returns its exit code.
func Run(ctx context.Context, env Env) int {
	terminal := newTerminal(env.Stderr)
	root := newRootCommand(env, terminal)
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	command, err := root.ExecuteContextC(ctx)
	if err != nil {
		terminal.report(withUsageHint(err, command))
	}
	return exitCode(err)
}

// withUsageHint says where help is, unless something better is known.
func withUsageHint(err error, command *cobra.Command) error {
	var failure *token.Error
	if !errors.As(err, &failure) || failure.Kind != token.Misused || len(failure.Hint) > 0 {
		return err
	}
	return token.WithHint(err, "Run "+command.CommandPath()+" --help to see how it is used.")
}

func exitCode(err error) int {
	var failure *token.Error
	switch {
	case err == nil:
		return exitDone
	case !errors.As(err, &failure):
		return exitFailed
	}
	switch failure.Kind {
	case token.Misused:
		return exitMisused
	case token.LoginNeeded:
		return exitLoginNeeded
	case token.Unreachable:
		return exitUnreachable
	case token.Refused:
		return exitRefused
	default:
		return exitFailed
	}
}

// commandName is how people call the program, through kubectl.
const commandName = "kubectl oidc-login"

func newRootCommand(env Env, terminal *terminal) *cobra.Command {
	var wantsVersion bool
	root := &cobra.Command{
		Use:   "oidc-login",
		Short: "Log in to Kubernetes with OpenID Connect",
		Long: `Log in to Kubernetes with OpenID Connect.

kubectl runs this plugin whenever it needs a token: the first time it opens your browser, from then on it
renews the login without you. Start with setup.`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: commandName},
		SilenceErrors: true, // Run reports
		SilenceUsage:  true,
		Args:          noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if wantsVersion {
				return printVersion(command.OutOrStdout())
			}
			return command.Help()
		},
	}
	root.Flags().BoolVar(&wantsVersion, "version", false, "print the version, as the command does")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	root.AddCommand(newGetTokenCommand(env, terminal))
	if len(env.Args) == 0 || env.Args[0] != "get-token" { // kubectl waits for that one; the others' flags are many
		root.AddCommand(
			newSetupCommand(env, terminal),
			newLoginCommand(env, terminal),
			newStatusCommand(env, terminal),
			newLogoutCommand(env, terminal),
			newDoctorCommand(env, terminal),
			newCleanCommand(env, terminal),
			newCompletionCommand(env),
			newVersionCommand(),
		)
	}
	addKlogFlags(root.PersistentFlags())
	root.CompletionOptions.DisableDefaultCmd = true // ours knows kubectl
	if len(env.Args) > 0 && (env.Args[0] == cobra.ShellCompRequestCmd || env.Args[0] == cobra.ShellCompNoDescRequestCmd) {
		completeFlags(root, env)
	}
	addHelpCommand(root)
	return root
}

// addHelpCommand makes cobra's, which also takes for good what is no command.
func addHelpCommand(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help := root.Commands()[slices.IndexFunc(root.Commands(), func(one *cobra.Command) bool { return one.Name() == "help" })]
	help.Args = func(_ *cobra.Command, words []string) error {
		command, rest, err := root.Find(words)
		if err == nil && len(rest) > 0 {
			err = command.ValidateArgs(rest)
		}
		return withUsageHint(err, command)
	}
}

// misused marks what cobra says of arguments.
func misused(err error) error { return &token.Error{Kind: token.Misused, Err: err} }

// noArguments is cobra.NoArgs with our exit code, and with the commands that may have been meant.
func noArguments(command *cobra.Command, arguments []string) error {
	err := cobra.NoArgs(command, arguments)
	if err == nil {
		return nil
	}
	if !command.HasSubCommands() {
		return misused(fmt.Errorf("unexpected argument %q", arguments[0]))
	}
	const typingErrors = 2
	command.SuggestionsMinimumDistance = typingErrors
	meant := command.SuggestionsFor(arguments[0])
	if len(meant) == 0 {
		return misused(err)
	}
	return token.WithHint(misused(err), "Did you mean "+command.CommandPath()+" "+strings.Join(meant, ", or ")+"?")
}
