package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
)

func newDoctorKubeconfigCommand(env Env) *cobra.Command {
	var chosen targetOptions
	var output string
	command := &cobra.Command{
		Use:   "kubeconfig",
		Short: "Judge the credentials of every user of the kubeconfig",
		Long: `Judge the credentials of every user of the kubeconfig.

People log in by OpenID Connect, with tokens that live for a minute; service accounts are for machines, and client
certificates for breaking glass. For each user it says what the credential is, why that matters, what to do, and, where
there is one, the command that lets this plugin take its place, or that adds a login beside it. It shows no secret, and
changes nothing. It ends with code 1 where it has found an error.`,
		Example: `  ` + commandName + ` doctor kubeconfig
  ` + commandName + ` doctor kubeconfig --kubeconfig=admin.conf -o json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			config, err := chosen.load(env)
			if err != nil {
				return err
			}
			verdicts := judge(env, config).Users()
			for i, verdict := range verdicts {
				if len(verdict.Migration) > 0 {
					verdicts[i].Migration = append(verdict.Migration, chosen.kubeconfigWords()...)
				}
			}
			return writeVerdicts(env, config.Paths, verdicts, output)
		},
	}
	command.Flags().StringVar(&chosen.kubeconfig, "kubeconfig", "", "`file` to read in place of $KUBECONFIG and ~/.kube/config")
	command.Flags().StringVarP(&output, "output", "o", "", "print in a `format` for programs: json or yaml")
	return command
}

func judge(env Env, config *kubeconfig.Config) kubeconfig.Judge {
	return kubeconfig.Judge{Config: config, Now: env.Now(), ReadFile: os.ReadFile,
		CheckArguments: func(exec *kubeconfig.Exec) error { return readCall(exec).refusal }}
}

func writeVerdicts(env Env, paths kubeconfig.Paths, verdicts []kubeconfig.Verdict, output string) error {
	if err := printVerdicts(env, paths, verdicts, output); err != nil {
		return err
	}
	if slices.ContainsFunc(verdicts, func(verdict kubeconfig.Verdict) bool { return verdict.Severity == kubeconfig.Error }) {
		return errToBeMended
	}
	return nil
}

func printVerdicts(env Env, paths kubeconfig.Paths, verdicts []kubeconfig.Verdict, output string) error {
	if output != "" {
		text, err := forPrograms(map[string]any{"users": verdicts}, output)
		if err == nil {
			_, err = env.Stdout.Write(text)
		}
		if err != nil {
			return fmt.Errorf("doctor: %w", err)
		}
		return nil
	}
	page := &page{writer: env.Stdout}
	switch {
	case paths.AreMissing():
		page.line("%-8s kubeconfig: %s.", kubeconfig.Note, noneHas(paths, "does not exist", "exists"))
	case len(verdicts) == 0:
		page.line("%-8s kubeconfig: %s.", kubeconfig.Note, noneHas(paths, "has no users", "has users"))
	}
	for _, verdict := range verdicts {
		page.section("%-8s %s: %s", verdict.Severity, verdict.User, verdict.What)
		used := "used by no context"
		if len(verdict.Contexts) > 0 {
			used = "used by " + strings.Join(verdict.Contexts, ", ")
		}
		page.line("         %s; in %s", used, verdict.File)
		for _, text := range []string{verdict.Why, verdict.Remedy} {
			if text != "" {
				page.line("         %s", text)
			}
		}
		if len(verdict.Migration) > 0 {
			page.line("         %s", commandName+" "+quoteAll(verdict.Migration))
		}
	}
	return page.err
}
