package cli

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// asker asks a person at the terminal, never by stdin, which is kubectl's.
type asker struct {
	env      Env
	terminal *terminal
	options  grantOptions
}

// code shows where to log in and waits for what the person brings back.
func (a *asker) code(ctx context.Context, authorizationURL string) (string, error) {
	if !a.env.HasKeyboard() {
		return "", errNoTerminal()
	}
	a.terminal.say("open this URL in a browser to log in: %s", authorizationURL)
	a.terminal.say("then type the code, or the address of the last page, here:")
	return typed(a.env.ReadLine(ctx))
}

// typed makes sense of a line that ended with the terminal.
func typed(line string, err error) (string, error) {
	if errors.Is(err, io.EOF) {
		err = errors.New("nothing was typed")
	}
	return strings.TrimRight(line, "\r\n"), err
}

// password asks for what the flags do not say.
func (a *asker) password(ctx context.Context) (username string, password token.Secret, err error) {
	username, password = a.options.username, token.NewSecret(a.options.password)
	if !a.env.HasKeyboard() {
		return "", token.Secret{}, errNoTerminal()
	}
	if username == "" {
		a.terminal.say("username:")
		if username, err = typed(a.env.ReadLine(ctx)); err != nil {
			return "", token.Secret{}, err
		}
	}
	if password.IsEmpty() {
		secret, err := typed(a.env.ReadSecret(ctx, func() {
			a.terminal.say("password of %s, which is not shown:", username)
		}))
		a.terminal.draw("\n") // the one that was typed is not shown either
		if err != nil {
			return "", token.Secret{}, err
		}
		password = token.NewSecret(secret)
	}
	if username == "" || password.IsEmpty() {
		return "", token.Secret{}, &token.Error{Kind: token.Refused, Err: errors.New("no username or no password was typed"),
			Hint: []string{"Run the command again."}}
	}
	return username, password, nil
}

func errNoTerminal() error {
	return &token.Error{
		Kind: token.LoginNeeded,
		Err:  errors.New("there is no terminal to type at"),
		Hint: []string{"Run the command in a terminal, or choose another --grant-type."},
	}
}
