package cli

import (
	"encoding/binary"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The arguments of the parent are those of the process that started this one, on the systems that kubectl runs on.
func TestParentArguments(t *testing.T) {
	const role = "TEST_PARENT_ARGUMENTS"
	arguments := []string{"-test.run=^TestParentArguments$", "__complete", "a b", `"q"`, "漢"}
	switch os.Getenv(role) {
	case "child":
		_, _ = os.Stdout.WriteString(strings.Join(parentArguments(), "\n") + "\n")
		os.Exit(0)
	case "parent":
		child := exec.Command(os.Args[0], arguments[0])
		child.Env = append(os.Environ(), role+"=child")
		child.Stdout = os.Stdout
		if err := child.Run(); err != nil {
			t.Fatal(err)
		}
		os.Exit(0)
	}
	if !slices.Contains([]string{"linux", "darwin", "windows", "freebsd"}, runtime.GOOS) {
		t.Skip("this system is not asked")
	}
	parent := exec.Command(os.Args[0], arguments...)
	parent.Env = append(os.Environ(), role+"=parent")
	output, err := parent.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if got := strings.Split(strings.TrimRight(string(output), "\n"), "\n"); !slices.Equal(got[1:], arguments) {
		t.Errorf("expected %q, got %q", arguments, got)
	}
}

// What the kernel of macOS tells has the number of arguments, the program's path, padding, and then arguments and
// environment.
func TestArgumentsOfDarwin(t *testing.T) {
	t.Parallel()
	count := func(n uint32) string { return string(binary.NativeEndian.AppendUint32(nil, n)) }
	for name, test := range map[string]struct {
		area string
		want []string
	}{
		"usual":                  {count(3) + "/bin/kubectl\x00\x00\x00\x00kubectl\x00__complete\x00po\x00HOME=/\x00", []string{"kubectl", "__complete", "po"}},
		"an empty one":           {count(3) + "/bin/kubectl\x00\x00\x00kubectl\x00\x00x\x00HOME=/\x00", []string{"kubectl", "", "x"}},
		"cut short":              {count(3) + "/bin/kubectl\x00kubectl\x00__comp", []string{"kubectl", "__comp"}},
		"more than there can be": {count(1<<31) + "/bin/kubectl\x00kubectl\x00", []string{"kubectl"}},
		"no arguments":           {count(0) + "/bin/kubectl\x00HOME=/\x00", nil},
		"no path":                {count(1) + "/bin/kubectl", nil},
		"nothing":                {"", nil},
		"less than a number":     {"\x01\x00", nil},
		"nothing but the number": {count(1), nil},
		"nothing but the path":   {count(1) + "/bin/kubectl\x00", nil},
	} {
		if got := argumentsOfDarwin([]byte(test.area)); !slices.Equal(got, test.want) {
			t.Errorf("%s: expected %q, got %q", name, test.want, got)
		}
	}
}
