package cli

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/browser"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
)

// Env is everything that the program gets from outside. OSEnv is the real one; tests replace single fields.
type Env struct {
	Args       []string // without the program's name
	Stdin      io.Reader
	Stdout     io.Writer
	Stderr     io.Writer
	Environ    []string // NAME=value
	Now        func() time.Time
	HomeDir    func() (string, error) // the person's home directory
	TempDir    func() string          // for locks where the home cannot have them
	MachineID  func() (string, error) // of the machine among those that may share a home
	Executable func() (string, error) // the absolute path of this program
	// Interruptible returns a context that Ctrl-C and SIGTERM end. It is called when a call has to do more than read the
	// store: watching for signals starts threads, and until then the default, dying at once, is right.
	Interruptible func(context.Context) (context.Context, context.CancelFunc)
	OpenBrowser   func(command browser.Command, url string) error
	// Parent names the process that started this one, and when that began.
	Parent          func() (pid int, started string)
	ParentArguments func() []string // its command line; nil where the system does not tell
	HasTerminal     func() bool     // whether a person sits at a terminal of this process
	HasKeyboard     func() bool     // whether a line typed there would come to this process
	// ReadLine waits for a line typed at that terminal, whatever stdin is. When the context ends it returns at once, and
	// leaves the terminal as it was.
	ReadLine func(context.Context) (string, error)
	// ReadSecret is ReadLine for what is not shown. It calls ready when nothing typed is shown any more.
	ReadSecret       func(ctx context.Context, ready func()) (string, error)
	StderrIsTerminal func() bool
	// Sleep waits, and returns the cause where the context ends first.
	Sleep         func(context.Context, time.Duration) error
	ReadFile      func(name string) ([]byte, error)     // a file of the system
	Keychain      store.Keychain                        // the zero value is the operating system's
	KernelKeyring store.Keychain                        // the zero value is the Linux kernel's
	Proxy         func(*http.Request) (*url.URL, error) // which proxy the provider is asked through
}

// OSEnv is the environment of this process.
func OSEnv() Env {
	return Env{
		Args:             os.Args[1:],
		Stdin:            os.Stdin,
		Stdout:           os.Stdout,
		Stderr:           os.Stderr,
		Environ:          os.Environ(),
		Now:              time.Now,
		HomeDir:          os.UserHomeDir,
		TempDir:          os.TempDir,
		MachineID:        store.MachineID,
		Executable:       os.Executable,
		Interruptible:    interruptible,
		OpenBrowser:      browser.Command.Open,
		Parent:           parentOf,
		ParentArguments:  parentArguments,
		HasTerminal:      hasTerminal,
		HasKeyboard:      hasKeyboard,
		ReadLine:         readLine,
		ReadSecret:       readSecret,
		StderrIsTerminal: func() bool { return isTerminal(os.Stderr) },
		Sleep:            sleep,
		ReadFile:         os.ReadFile,
		Proxy:            http.ProxyFromEnvironment, // leaves out loopback addresses
	}
}

// getenv returns the last value of an environment variable, or "".
func (e Env) getenv(name string) string {
	value := ""
	for _, variable := range e.Environ {
		if found, ok := strings.CutPrefix(variable, name+"="); ok {
			value = found
		}
	}
	return value
}

// without is this environment for those who have no use for a variable; "" leaves out none.
func (e Env) without(name string) Env {
	if name != "" {
		e.Environ = slices.DeleteFunc(slices.Clone(e.Environ), func(variable string) bool {
			return strings.HasPrefix(variable, name+"=")
		})
	}
	return e
}
