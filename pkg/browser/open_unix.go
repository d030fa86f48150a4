//go:build unix && !darwin

package browser

import (
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// openDefault uses the desktop's opener. The list is pkg/browser's without www-browser, which is a text browser.
func (c Command) openDefault(url string) error {
	if !c.HasDisplay() {
		return ErrNone
	}
	for _, opener := range []string{"xdg-open", "x-www-browser"} {
		if path, err := exec.LookPath(opener); err == nil {
			return c.run(path, url)
		}
	}
	return ErrNone
}

// HasDisplay reports whether a window could appear. Without one, openers start text browsers that nobody sees.
func (c Command) HasDisplay() bool {
	return slices.ContainsFunc(c.Environment, func(variable string) bool {
		name, value, _ := strings.Cut(variable, "=")
		return value != "" && (name == "DISPLAY" || name == "WAYLAND_DISPLAY")
	})
}

// detached puts the browser into a session of its own.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
