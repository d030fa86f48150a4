package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: `  ` + commandName + ` version`,
		Args:    noArguments,
		RunE:    func(command *cobra.Command, _ []string) error { return printVersion(command.OutOrStdout()) },
	}
}

func printVersion(writer io.Writer) error {
	_, err := fmt.Fprintf(writer, "kubectl-oidc_login %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version is the module's version, which the go command derives from the tag or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func userAgent() string { return "kubectl-oidc_login/" + version() }
