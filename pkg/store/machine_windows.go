package store

import (
	"os"

	"golang.org/x/sys/windows/registry"
)

// MachineID tells this machine from others that may share a profile. It is not the name, which may change.
func MachineID() (string, error) {
	cryptography, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Cryptography`,
		registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return os.Hostname()
	}
	defer func() { _ = cryptography.Close() }()
	if id, _, err := cryptography.GetStringValue("MachineGuid"); err == nil && id != "" {
		return id, nil
	}
	return os.Hostname()
}
