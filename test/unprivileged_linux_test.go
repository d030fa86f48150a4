package test

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// actUnprivileged is the program "unprivileged PROGRAM ARGUMENTS": it runs a program that may do only what the modes of
// files and folders allow, and give no file away, also where root runs the tests.
func actUnprivileged() {
	runtime.LockOSThread() // the bounding set is this thread's, and the program begins with it
	if os.Geteuid() == 0 {
		for _, capability := range []uintptr{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH, unix.CAP_CHOWN} {
			check(unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0))
		}
	}
	program, err := exec.LookPath(os.Args[1])
	check(err)
	check(syscall.Exec(program, os.Args[1:], os.Environ()))
}
