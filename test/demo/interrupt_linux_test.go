package main

import (
	"bufio"
	"io"
	"os"
	"strings"
	"testing"
)

// TestInterrupt interrupts the demo while the plugin waits for a login that nobody does: without a screen there is no
// window. Nothing must be left, the plugin neither.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	plugin, err := buildPlugin(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	command := demoCommand(t, temporary, []string{"PATH=" + t.TempDir(), "DISPLAY=", "WAYLAND_DISPLAY="},
		"-browser=window", plugin)
	var stderr strings.Builder
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	output := bufio.NewReader(stdout)
	for line := ""; !strings.Contains(line, "open this URL"); {
		if line, err = output.ReadString('\n'); err != nil {
			t.Fatalf("the plugin does not wait for a login: %v", err)
		}
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(output)
	if err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // fails, as it should
	if code := command.ProcessState.ExitCode(); code != 1 || !strings.HasPrefix(stderr.String(), "Interrupted.") {
		t.Errorf("exit code %d, stderr: %s", code, stderr.String())
	}
	if !strings.Contains(string(rest), "login: interrupted") {
		t.Errorf("the plugin did not end: %s", rest)
	}
	checkEmpty(t, temporary)
}
