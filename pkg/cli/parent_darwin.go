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

// parentArguments are those of the process that started us, where the system tells.
func parentArguments() []string {
	area, err := unix.SysctlRaw("kern.procargs2", os.Getppid())
	if err != nil {
		return nil
	}
	return argumentsOfDarwin(area)
}
