package cli

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// parentOf names the process that started us, and when it began: field 22 of /proc/PID/stat, in clock ticks since boot
// (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
func parentOf() (pid int, started string) {
	pid = os.Getppid()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return pid, ""
	}
	// Field 2 is the program's name in parentheses, and may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const startTime = 22 - 3 // the first field here is field 3
	if len(fields) <= startTime {
		return pid, ""
	}
	return pid, fields[startTime]
}

// parentArguments are those of the process that started us, where the system tells.
func parentArguments() []string {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(os.Getppid()) + "/cmdline")
	if err != nil {
		return nil
	}
	return argumentsIn(line)
}
