package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

func newSetupCommand(env Env, terminal *terminal) *cobra.Command {
	var options options
	command := &cobra.Command{
		Use:   "setup",
		Short: "Log in once and print how to make kubectl use this plugin",
		Long: `Log in once and print how to make kubectl use this plugin.

It shows the claims of your ID token, which the API server will see, and the command that adds a user to your
kubeconfig.`,
		Example: `  ` + commandName + ` setup --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes`,
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return setUp(command, env, terminal, &options)
		},
	}
	options.addFlags(command.Flags())
	return command
}

func setUp(command *cobra.Command, env Env, terminal *terminal, options *options) error {
	session, err := newSession(command.Flags(), env, terminal, options, "")
	if err != nil {
		return err
	}
	executable, err := env.Executable()
	if err != nil {
		return fmt.Errorf("cannot find the path of this program: %w", err)
	}
	ctx, stop := env.Interruptible(command.Context())
	defer stop()
	idToken, err := session.source.Login(ctx, session.key)
	if err != nil {
		return err
	}
	return printSetup(env.Stdout, shownClaims(idToken, session.key), setCredentialsCommand(executable, getTokenArguments(command.Flags())))
}

// shownClaims are what the API server will see.
func shownClaims(chosen token.IDToken, key token.Key) string {
	kind := "ID token"
	if key.AccessToken {
		kind = "access token"
	}
	claims, err := chosen.Claims()
	if err != nil {
		return "Your " + kind + " is no JWT, so it has no claims to show."
	}
	shown, err := json.MarshalIndent(claims, "", "  ")
	if err != nil {
		return "The claims of your " + kind + " cannot be shown: " + err.Error()
	}
	return "Your " + kind + " has these claims:\n\n" + harmless(string(shown))
}

func printSetup(w io.Writer, claims, command string) error {
	_, err := fmt.Fprintf(w, `You are logged in. %s

Add the user oidc to your kubeconfig:

%s

Then try it:

  kubectl --user=oidc auth whoami
`, claims, command)
	return err
}

// setCredentialsCommand names this program by its absolute path, so that it works where PATH is another: in editors and
// other windows.
func setCredentialsCommand(executable string, arguments []string) string {
	lines := []string{
		"  kubectl config set-credentials oidc",
		"--exec-api-version=client.authentication.k8s.io/v1",
		"--exec-interactive-mode=IfAvailable",
		"--exec-command=" + quote(executable),
		"--exec-arg=get-token",
	}
	for _, argument := range arguments {
		lines = append(lines, "--exec-arg="+quote(argument))
	}
	return strings.Join(lines, " \\\n    ")
}

// getTokenArguments are the flags that were given here and that get-token needs too, in the order of their definition:
// client-go keeps credentials by these words, so the same login is always the same words. A secret is named, not shown.
func getTokenArguments(flags *pflag.FlagSet) []string {
	var arguments []string
	flags.VisitAll(func(flag *pflag.Flag) {
		switch values, ok := flag.Value.(pflag.SliceValue); {
		case !flag.Changed:
		case flag.Hidden: // without effect, or another name of a default
		case slices.Contains([]string{"v", "interactive", "force-refresh", "userinfo", "output"}, flag.Name):
		case flag.Name == "oidc-client-secret":
			arguments = append(arguments, "--oidc-client-secret=YOUR_CLIENT_SECRET")
		case flag.Name == "password":
			arguments = append(arguments, "--password=YOUR_PASSWORD")
		case flag.Value.Type() == "stringToString":
			arguments = append(arguments, "--"+flag.Name+"="+pairsOf(flags, flag.Name))
		case ok:
			for _, value := range values.GetSlice() {
				arguments = append(arguments, "--"+flag.Name+"="+value)
			}
		default:
			arguments = append(arguments, "--"+flag.Name+"="+flag.Value.String())
		}
	})
	return arguments
}

// quote makes a word that a POSIX shell reads as it is.
func quote(word string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@+%", r)
	}
	if word != "" && strings.TrimFunc(word, safe) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
