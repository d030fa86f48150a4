package browser

import (
	"io"
	"syscall"

	"github.com/pkg/browser"
)

// openDefault uses ShellExecute, through pkg/browser: no command line is built, so no quoting can go wrong.
func (c Command) openDefault(url string) error {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard // our stdout is kubectl's
	return browser.OpenURL(url)
}

// HasDisplay is true: the system has one, or its opener says that it has not.
func (c Command) HasDisplay() bool { return true }

// detached gives the browser a process group of its own, away from our Ctrl-C.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
