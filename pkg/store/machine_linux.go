package store

import (
	"os"
	"strings"
)

// MachineID tells this machine from others that may share a home. It is not the name, which may change with the network; where a
// system has no ID, as in many containers, it has to be.
// https://www.freedesktop.org/software/systemd/man/latest/machine-id.html
func MachineID() (string, error) { return machineIDIn("/etc/machine-id", "/var/lib/dbus/machine-id") }

func machineIDIn(files ...string) (string, error) {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if id := strings.TrimSpace(string(text)); err == nil && len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" {
			return id, nil
		}
	}
	return os.Hostname()
}
