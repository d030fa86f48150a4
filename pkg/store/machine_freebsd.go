package store

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// MachineID tells this machine from others that may share a home. It is not the name, which may change with the network.
func MachineID() (string, error) {
	if id, err := unix.Sysctl("kern.hostuuid"); err == nil && strings.Trim(id, "0-") != "" {
		return id, nil
	}
	return os.Hostname()
}
