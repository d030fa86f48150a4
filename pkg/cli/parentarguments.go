package cli

import (
	"encoding/binary"
	"strings"
)

// argumentsOfDarwin reads what macOS tells of a process: the number of its arguments, the path of its program, zeros up
// to a boundary, the arguments, and more
// (https://github.com/apple-oss-distributions/xnu/blob/main/bsd/kern/kern_sysctl.c, sysctl_procargsx).
func argumentsOfDarwin(area []byte) []string {
	const countSize = 4
	if len(area) < countSize {
		return nil
	}
	_, rest, _ := strings.Cut(string(area[countSize:]), "\x00")
	rest = strings.TrimLeft(rest, "\x00")
	var arguments []string
	for count := binary.NativeEndian.Uint32(area); count > 0 && rest != ""; count-- {
		var argument string
		argument, rest, _ = strings.Cut(rest, "\x00")
		arguments = append(arguments, argument)
	}
	return arguments
}

// argumentsIn reads arguments that end with a zero each.
func argumentsIn(line []byte) []string {
	return strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
}
