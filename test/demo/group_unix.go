//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// interruptTogether makes a cancelled program end with all that it started: kubectl leaves its plugin behind.
func interruptTogether(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
}
