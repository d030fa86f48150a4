//go:build unix && !darwin

package browser

import (
	"os/exec"
	"syscall"
)

// graphicalBrowsers are those that xdg-open tries where it knows no desktop, without the text browsers at its list's end.
const graphicalBrowsers = "x-www-browser:firefox:iceweasel:seamonkey:mozilla:epiphany:konqueror:chromium:" +
	"chromium-browser:google-chrome"

// system uses the opener of Windows or of the desktop.
func (c Command) system() []opener {
	var openers []opener
	if c.Place.WSL && !c.Place.SSH {
		openers = c.windows()
	}
	if !c.Place.Display { // without one, openers start text browsers that nobody sees
		return openers
	}
	if path, err := exec.LookPath("xdg-open"); err == nil {
		openers = append(openers, func(url string) error {
			command := exec.Command(path, url)
			command.Env = []string{"BROWSER=" + graphicalBrowsers}
			return c.start(command)
		})
	}
	if path, err := exec.LookPath("x-www-browser"); err == nil && checkGraphical(path) == nil {
		openers = append(openers, func(url string) error { return c.run(path, url) })
	}
	return openers
}

// hasDisplay reports whether a window could appear. One that SSH forwards counts.
func hasDisplay(environment []string, _ bool) bool {
	return variable(environment, "DISPLAY") != "" || variable(environment, "WAYLAND_DISPLAY") != ""
}

// detached puts the browser into a session of its own.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
