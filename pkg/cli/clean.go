package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
)

func newCleanCommand(env Env, terminal *terminal) *cobra.Command {
	var options storeOptions
	var verbose int
	command := &cobra.Command{
		Use:   "clean",
		Short: "Forget all logins on this machine",
		Long: `Forget all logins on this machine.

It removes what this program has stored: sessions and ID tokens in the OS keychain, in the kernel's keyring and in
files, the provider's documents, locks and notes. What others have put into the same folder stays. Your sessions at
the provider do not end with that; logout ends one there too.`,
		Example: `  ` + commandName + ` clean`,
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return clean(command, env, terminal, &options, verbose)
		},
	}
	addDirectoryFlag(command.Flags(), &options.directory)
	command.Flags().StringVar(&options.mode, "token-cache-storage", string(store.Auto),
		"`place` to clean: auto (everywhere), keyring or disk; the last two leave documents, locks and notes")
	addVerboseFlag(command.Flags(), &verbose)
	return command
}

func clean(command *cobra.Command, env Env, terminal *terminal, options *storeOptions, verbose int) error {
	opened, err := options.open(env, terminal, newLog(env.Stderr, verbose))
	if err != nil {
		return err
	}
	ctx, stop := env.Interruptible(command.Context())
	defer stop()
	cleaned, err := opened.Clean(ctx)
	lines := describeCleaned(cleaned) // also where something failed after that
	if err == nil && len(lines) == 0 {
		lines = []string{"nothing was stored"}
	}
	for _, path := range cleaned.Foreign {
		lines = append(lines, "not of this program, so it stays: "+path)
	}
	for _, line := range lines {
		if _, writeErr := fmt.Fprintln(env.Stdout, oneLine(line)); writeErr != nil {
			return fmt.Errorf("cannot write to stdout: %w", writeErr)
		}
	}
	for _, silent := range cleaned.Silent {
		terminal.warn(fmt.Errorf("%w; what it may hold stays, but no session that is known to be in it is used any more", silent))
	}
	return err
}

func describeCleaned(cleaned store.Cleaned) []string {
	places := map[store.Place]string{
		store.InKeychain: "keychain", store.InKernelKeyring: "kernel's keyring", store.InFile: "disk",
	}
	var lines []string
	for _, place := range []store.Place{store.InKeychain, store.InKernelKeyring, store.InFile} {
		for _, removed := range []string{inWords(cleaned.Sessions[place], "session"), inWords(cleaned.IDTokens[place], "ID token")} {
			if removed != "" {
				lines = append(lines, fmt.Sprintf("removed from the %s: %s", places[place], removed))
			}
		}
	}
	if cleaned.Others > 0 {
		lines = append(lines, "removed from the disk: "+inWords(cleaned.Others, "other file"))
	}
	return lines
}

// inWords is the number of some things, or nothing.
func inWords(count int, what string) string {
	switch count {
	case 0:
		return ""
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", count, what)
}
