package browser

import "syscall"

// openDefault hands the URL to LaunchServices, which starts the browser outside our process tree.
func (c Command) openDefault(url string) error { return c.run("/usr/bin/open", url) }

// HasDisplay is true: the system has one, or its opener says that it has not.
func (c Command) HasDisplay() bool { return true }

// detached puts the opener into a session of its own.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
