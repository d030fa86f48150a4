package cli

import (
	"os"
	"strconv"

	"golang.org/x/sys/windows"
)

// parentOf names the process that started us, and when it began.
func parentOf() (pid int, started string) {
	pid = os.Getppid()
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return pid, ""
	}
	defer func() { _ = windows.CloseHandle(process) }()
	var creation, exit, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(process, &creation, &exit, &kernel, &user); err != nil {
		return pid, ""
	}
	return pid, strconv.FormatInt(creation.Nanoseconds(), 10)
}

// parentArguments are not told by this system without effort.
func parentArguments() []string { return nil }
