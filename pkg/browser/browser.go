// Package browser opens a URL in the person's browser without harm: the browser gets no stdio of ours, no word of
// kubectl's request in its environment, a session of its own, and is never waited for by the caller's exit.
package browser

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
)

// ErrNone says that this machine has no graphical browser that could be started.
var ErrNone = errors.New("no browser found")

// Command is how the browser is started.
type Command struct {
	// Program is started with the URL as its last argument; empty: the system's default browser.
	Program string
	// Environment is the environment to give to the browser, as from os.Environ.
	Environment []string
}

// Open starts the browser and returns when its opener has ended, which can be as late as the browser itself: call it in
// a goroutine. An error says that the page did not come up. The URL is one argument; no shell reads it.
func (c Command) Open(url string) error {
	if c.Program != "" {
		return c.run(c.Program, url)
	}
	return c.openDefault(url)
}

// run starts a program detached from our terminal, so that neither Ctrl-C nor our end stops it.
func (c Command) run(program string, arguments ...string) error {
	command := exec.Command(program, arguments...)
	command.Env = withoutKubectl(c.Environment)
	command.SysProcAttr = detached()
	return command.Run() // nil stdio is the null device
}

// withoutKubectl drops kubectl's request: a nested kubectl must not take it for its own.
func withoutKubectl(environment []string) []string {
	return slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		return strings.HasPrefix(variable, "KUBERNETES_EXEC_INFO=")
	})
}
