// Command demo shows the plugin at work, with nothing to set up: it starts an OpenID Provider and a Kubernetes API of
// its own, lets kubectl log in through the plugin, and says what happens. All of it is real but the pods. Nothing
// outside a temporary folder is touched.
//
//	go run .                   builds the plugin from this repository first
//	go run . PLUGIN            uses a plugin that is built already
//	go run . -browser=script   opens no browser window; a script logs in
//
// steps.go is the story that it tells; the other files are its props, one a file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are what can be asked for on the command line.
type options struct {
	plugin        string        // path of the plugin; "" builds it
	browser       string        // how the login page is opened: browserAuto or a role
	tokenLifetime time.Duration // how long ID tokens live
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for the cleaning up
	err := play(ctx, os.Getenv(roleVariable), os.Args[1:])
	stop()
	if err != nil {
		report(os.Stderr, err)
		os.Exit(1)
	}
}

// roleVariable is the environment variable that makes this program play one of the programs of the story.
const roleVariable = "OIDC_LOGIN_DEMO_ROLE"

// The roles. Without one, the program tells the story.
const (
	roleScript  = "script"  // a browser whose user is a script
	roleWindow  = "window"  // the person's own browser
	roleKubectl = "kubectl" // kubectl, where there is none
)

func play(ctx context.Context, role string, arguments []string) error {
	switch role {
	case "":
		return tellStory(ctx, os.Stdout, parseOptions(arguments))
	case roleScript:
		return browseByScript(ctx, arguments)
	case roleWindow:
		return browseInWindow(arguments)
	case roleKubectl:
		return playKubectl(ctx, os.Stdout, arguments)
	}
	return problem{fmt.Errorf("%s=%s: no such role", roleVariable, role), "Unset that environment variable."}
}

// parseOptions ends the program if it cannot make sense of the arguments.
func parseOptions(arguments []string) options {
	var parsed options
	flags := flag.NewFlagSet("demo", flag.ExitOnError)
	flags.StringVar(&parsed.browser, "browser", browserAuto,
		"how to log in: "+roleWindow+" (you type), "+roleScript+" (nobody does), or "+browserAuto)
	flags.DurationVar(&parsed.tokenLifetime, "token-lifetime", 9*time.Second, "how long an ID token lives; at least 3s")
	_ = flags.Parse(arguments) // ends the program instead
	parsed.plugin = flags.Arg(0)
	return parsed
}

// problem is an error with a way out.
type problem struct {
	cause  error
	advice string
}

func (p problem) Error() string { return p.cause.Error() }
func (p problem) Unwrap() error { return p.cause }

// report prints why the demo stopped, and what to do.
func report(w io.Writer, err error) {
	if errors.Is(err, context.Canceled) {
		_, _ = fmt.Fprintln(w, "Interrupted. Everything is stopped and deleted.")
		return
	}
	_, _ = fmt.Fprintf(w, "demo: %v\n", err)
	if solvable, ok := errors.AsType[problem](err); ok {
		_, _ = fmt.Fprintln(w, "demo: "+solvable.advice)
	}
}
