package cli

import (
	"os"
	"runtime"
	"strconv"
	"unsafe"

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

// parentArguments are those of the process that started us, where the system tells: its command line as a UNICODE_STRING,
// whose text lies behind it in the same memory.
func parentArguments() []string {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(os.Getppid()))
	if err != nil {
		return nil
	}
	defer func() { _ = windows.CloseHandle(process) }()
	var size uint32
	// The first call only says the size.
	_ = windows.NtQueryInformationProcess(process, windows.ProcessCommandLineInformation, nil, 0, &size)
	if size < uint32(unsafe.Sizeof(windows.NTUnicodeString{})) {
		return nil
	}
	memory := make([]uintptr, size/uint32(unsafe.Sizeof(uintptr(0)))+1) // aligned, and large enough
	line := (*windows.NTUnicodeString)(unsafe.Pointer(&memory[0]))
	err = windows.NtQueryInformationProcess(process, windows.ProcessCommandLineInformation, unsafe.Pointer(line), size, &size)
	if err != nil {
		return nil
	}
	arguments, err := windows.DecomposeCommandLine(line.String())
	runtime.KeepAlive(memory) // where the text lies
	if err != nil {
		return nil
	}
	return arguments
}
