package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
)

func newDoctorCommand(env Env, terminal *terminal) *cobra.Command {
	var options options
	var chosen targetOptions
	var output string
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what keeps kubectl from logging you in",
		Long: `Look for what keeps kubectl from logging you in.

It checks this program, the kubeconfig's user, kubectl, the keychain, files, the browser, the port, the provider, your
session, and what the API server says of your token; each with a verdict and what to do. It never asks you to log in. It
writes an item of its own into the keychain and removes it, and it renews your token if that has expired, to ask the API
server with it. There is no secret in what it prints, so it can go into a bug report. It ends with code 1 where it has
found an error.`,
		Example: `  ` + commandName + ` doctor
  ` + commandName + ` doctor --context=production
  ` + commandName + ` doctor --output=json
  ` + commandName + ` doctor kubeconfig`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			target, err := chosen.find(env, &options, command.Flags())
			if err != nil {
				return err
			}
			ctx, stop := env.Interruptible(command.Context())
			defer stop()
			return examine(ctx, target, chosen, terminal).write(env, output)
		},
	}
	command.AddCommand(newDoctorKubeconfigCommand(env))
	options.addFlags(command.Flags())
	chosen.addFlags(command.Flags())
	command.Flags().StringVarP(&output, "output", "o", "", "print in a `format` for programs: json or yaml")
	return command
}

// diagnosis is what was found, in the order in which a call goes.
type diagnosis struct {
	Version  string            `json:"version"`
	Findings []cluster.Finding `json:"findings"`
}

func (d *diagnosis) write(env Env, output string) error {
	if output != "" {
		text, err := forPrograms(d, output)
		if err != nil {
			return fmt.Errorf("doctor: %w", err)
		}
		if _, err := env.Stdout.Write(text); err != nil {
			return fmt.Errorf("cannot write to stdout: %w", err)
		}
	} else {
		page := &page{writer: env.Stdout}
		page.section("kubectl-oidc_login %s", d.Version)
		page.findings(d.Findings)
		if page.err != nil {
			return page.err
		}
	}
	if cluster.Worst(d.Findings) == cluster.Error {
		return errToBeMended
	}
	return nil
}

var errToBeMended = errors.New("there is something to be mended")

// examine looks at everything, whatever is wrong before.
func examine(ctx context.Context, target *target, chosen targetOptions, terminal *terminal) *diagnosis {
	d := &doctor{target: target, chosen: chosen, terminal: terminal}
	d.checkProgram()
	d.checkUser()
	d.checkPolicy()
	d.checkKubectl(ctx)
	d.checkBrowser()
	d.checkProxy()
	if target.user.Name != "" && !target.call.isRead {
		d.add(cluster.Note, "arguments", "The login was not looked at, since its arguments cannot be read.")
		return &diagnosis{version(), d.findings}
	}
	session, err := newSession(target.flags, target.env, terminal, target.options, "")
	if err != nil {
		d.add(cluster.Error, "flags", err.Error()+".", hintsOf(err)...)
		return &diagnosis{version(), d.findings}
	}
	session.source.LoginHint = loginHint(target.name(chosen))
	d.session = session
	d.checkPort()
	d.checkCredential()
	d.checkStore(ctx)
	d.checkVerification()
	d.checkProvider(ctx)
	d.checkSession(ctx)
	d.checkCluster(ctx)
	return &diagnosis{version(), d.findings}
}
