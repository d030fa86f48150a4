package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// parentOf names the process that started us; when it began is not told here.
func parentOf() (pid int, started string) { return os.Getppid(), "" }

// parentArguments are those of the process that started us, where the system tells
// (https://man.freebsd.org/cgi/man.cgi?query=sysctl&sektion=3, KERN_PROC_ARGS).
func parentArguments() []string {
	line, err := unix.SysctlRaw("kern.proc.args", os.Getppid())
	if err != nil {
		return nil
	}
	return argumentsIn(line)
}
