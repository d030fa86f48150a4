// Package browser opens a URL in the person's browser without harm: the browser gets no stdio of ours, no word of
// kubectl's request in its environment, a session of its own, and is never waited for by the caller's exit. On Windows the
// system starts its default browser, with an environment of the system's choice. It knows which program does that in which
// place, and why there is none.
package browser

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Command is how the browser is started.
type Command struct {
	// Program is started with the URL as its last argument; empty: $BROWSER, or the system's default browser.
	Program string
	// Environment is the environment to give to the browser, as from os.Environ.
	Environment []string
	// Place is where this process runs.
	Place Place
}

// opener is one way to open a URL. It returns when its program has ended.
type opener func(url string) error

// Open starts the browser and returns when its opener has ended, which can be as late as the browser itself: call it in
// a goroutine. An error says that the page did not come up. The URL is one argument; no shell reads it.
func (c Command) Open(url string) error {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return errors.New("the URL is not one for browsers")
	}
	openers, err := c.openers()
	if err != nil {
		return err
	}
	var failures []error
	for _, open := range openers {
		err := open(plain(url))
		if err == nil {
			return nil
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// WhyNot says why no browser can be opened here; nil: one can be tried.
func (c Command) WhyNot() error {
	_, err := c.openers()
	return err
}

// openers are the ways to try, in turn: what the person named, and only if they named nothing, what the place has.
func (c Command) openers() ([]opener, error) {
	if c.Program != "" {
		open, err := c.named(c.Program)
		return []opener{open}, err
	}
	if list := variable(c.Environment, "BROWSER"); strings.Trim(list, ": ") != "" {
		return c.listed(list)
	}
	openers := c.system()
	if len(openers) == 0 {
		return nil, c.Place.whyNot()
	}
	return openers, nil
}

// named runs a program with the URL as its last argument.
func (c Command) named(program string) (opener, error) {
	if err := checkGraphical(program); err != nil {
		return nil, err
	}
	return func(url string) error { return c.run(program, url) }, nil
}

// run starts a program detached from our terminal, so that neither Ctrl-C nor our end stops it.
func (c Command) run(program string, arguments ...string) error {
	return c.start(exec.Command(program, arguments...))
}

func (c Command) start(command *exec.Cmd) error {
	command.Env = append(withoutKubectl(c.Environment), command.Env...)
	command.SysProcAttr = detached()
	if err := command.Run(); err != nil { // nil stdio is the null device
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			return fmt.Errorf("%s: %w", filepath.Base(command.Path), err)
		}
		return err
	}
	return nil
}

// withoutKubectl drops kubectl's request: a nested kubectl must not take it for its own.
func withoutKubectl(environment []string) []string {
	return slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		return strings.HasPrefix(variable, "KUBERNETES_EXEC_INFO=")
	})
}

// variable returns the last value of an environment variable, or "".
func variable(environment []string, name string) string {
	value := ""
	for _, variable := range environment {
		if found, ok := strings.CutPrefix(variable, name+"="); ok {
			value = found
		}
	}
	return value
}

// plain percent-encodes what some opener could read as more than a URL: openers are often shell scripts, and on WSL a
// PowerShell. To the provider it is the same URL (https://www.rfc-editor.org/rfc/rfc3986#section-2.1).
func plain(url string) string {
	var encoded strings.Builder
	for _, b := range []byte(url) {
		if b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-._~:/?#[]@&=+%,;", b) >= 0 {
			encoded.WriteByte(b)
		} else {
			fmt.Fprintf(&encoded, "%%%02X", b)
		}
	}
	return encoded.String()
}
