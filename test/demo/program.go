package main

import (
	"context"
	"io"
	"os/exec"
	"time"
)

// program is one that the story runs, with an environment of its own.
type program struct {
	path        string
	environment []string
}

// run returns when the program has ended. Ctrl-C ends it, too.
func (p program) run(ctx context.Context, stdout, stderr io.Writer, arguments ...string) error {
	command := exec.CommandContext(ctx, p.path, arguments...)
	command.Env = p.environment
	command.Stdout, command.Stderr = stdout, stderr
	interruptTogether(command)
	command.WaitDelay = 5 * time.Second // for whoever holds on to the output
	err := command.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
