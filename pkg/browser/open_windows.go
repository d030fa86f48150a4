package browser

import (
	"io"
	"syscall"

	"github.com/pkg/browser"
)

// system uses ShellExecute, through pkg/browser: no command line is built, so no quoting can go wrong. Over SSH the
// browser would appear on a desk where nobody may sit.
func (c Command) system() []opener {
	if !c.Place.Display {
		return nil
	}
	return []opener{func(url string) error {
		browser.Stdout, browser.Stderr = io.Discard, io.Discard // our stdout is kubectl's
		return browser.OpenURL(url)
	}}
}

// hasDisplay is true: the system has one.
func hasDisplay(_ []string, ssh bool) bool { return !ssh }

// detached gives the browser a process group of its own, away from our Ctrl-C.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
