package browser

import "syscall"

// system hands the URL to LaunchServices, which starts the browser outside our process tree. Over SSH it would appear on
// a desk where nobody may sit.
func (c Command) system() []opener {
	if !c.Place.Display {
		return nil
	}
	return []opener{func(url string) error { return c.run("/usr/bin/open", url) }}
}

// hasDisplay is true: the system has one.
func hasDisplay(_ []string, ssh bool) bool { return !ssh }

// detached puts the opener into a session of its own.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
