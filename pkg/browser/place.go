package browser

import (
	"bytes"
	"errors"
	"io/fs"
)

// Place is where this process runs, as far as a browser cares.
type Place struct {
	Display   bool   // a window could appear
	SSH       bool   // the person sits at another machine
	WSL       bool   // Linux inside Windows, whose browser is to be used
	Container bool   // a machine without a browser of its own
	Sandbox   string // Flatpak or Snap, which may keep a browser from being opened
}

// FindPlace reads the environment, and files only where that does not tell.
func FindPlace(environment []string, readFile func(name string) ([]byte, error)) Place {
	is := func(name string) bool { return variable(environment, name) != "" }
	exists := func(name string) bool {
		_, err := readFile(name)
		return err == nil || errors.Is(err, fs.ErrPermission)
	}
	place := Place{
		SSH: is("SSH_CONNECTION") || is("SSH_TTY"),
		// A distribution made from a container image still has that one's files, so the environment counts first.
		WSL: is("WSL_DISTRO_NAME") || is("WSL_INTEROP"),
	}
	place.Display = hasDisplay(environment, place.SSH)
	switch {
	case is("FLATPAK_ID"):
		place.Sandbox = "Flatpak"
	case is("SNAP"):
		place.Sandbox = "Snap"
	}
	if !place.WSL {
		place.Container = is("KUBERNETES_SERVICE_HOST") || exists("/.dockerenv") || exists("/run/.containerenv")
	}
	if !place.WSL && !place.Container { // a container on WSL has its kernel, but not its way to Windows
		version, _ := readFile("/proc/version")
		place.WSL = bytes.Contains(bytes.ToLower(version), []byte("microsoft"))
	}
	return place
}

// IsApart reports whether the browser may run where this machine's loopback addresses are others.
func (p Place) IsApart() bool { return p.WSL || (p.SSH || p.Container) && !p.Display }

// whyNot is for places where no opener was found.
func (p Place) whyNot() error {
	switch {
	case p.SSH && !p.Display:
		return errors.New("this is an SSH session")
	case p.WSL:
		return errors.New("this is WSL, and neither wslview nor powershell.exe nor rundll32.exe is there")
	case p.Container:
		return errors.New("this is a container")
	case p.Sandbox != "":
		return errors.New("this runs inside " + p.Sandbox)
	case !p.Display:
		return errors.New("there is no display")
	}
	return errors.New("neither xdg-open nor x-www-browser is there")
}
