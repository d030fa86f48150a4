//go:build unix

package main

import (
	"fmt"
	"runtime"
	"syscall"
)

// measureMemory reads the peak resident set of one call.
func (b *bench) measureMemory(t *table, call call) error {
	process := request(call, memoryRound)
	if err := process.Run(); err != nil {
		return err
	}
	peak := process.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	if runtime.GOOS == "darwin" {
		peak /= 1024 // octets there, kibibytes elsewhere
	}
	t.add("peak memory for a stored token", fmt.Sprintf("%.1f MiB", float64(peak)/1024), "", true)
	return nil
}
