package store

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// machineName is what notes call this machine. It is asked for when a note is looked at, which a call that serves a stored ID token
// does not do.
type machineName func() string

func (c Config) machineName() machineName {
	return sync.OnceValue(func() string {
		if c.Machine == nil {
			return nameOfMachine("")
		}
		id, err := c.Machine()
		if err != nil {
			c.Log.Info("this machine has no ID", "reason", err)
		}
		return nameOfMachine(id)
	})
}

// nameOfMachine hides the ID, which is nobody else's business
// (https://www.freedesktop.org/software/systemd/man/latest/machine-id.html).
func nameOfMachine(id string) string {
	sum := sha256.Sum256([]byte(service + "\n" + id))
	return hex.EncodeToString(sum[:16])
}
