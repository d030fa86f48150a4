//go:build !linux && !darwin && !windows && !freebsd

package store

import "os"

// MachineID tells this machine from others that may share a home.
func MachineID() (string, error) { return os.Hostname() }
