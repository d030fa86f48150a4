package cli

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// parentOf names the process that started us, and when it began.
func parentOf() (pid int, started string) {
	pid = os.Getppid()
	process, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return pid, ""
	}
	began := process.Proc.P_starttime
	return pid, fmt.Sprintf("%d.%06d", began.Sec, began.Usec)
}

// parentArguments are not told by this system without effort.
func parentArguments() []string { return nil }
