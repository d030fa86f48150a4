//go:build unix

package test

import (
	"strings"
	"syscall"
	"testing"
)

// What would leave the memory of another program in a file, tokens and all, ends this one by itself: no core is written,
// and what it says on the way has no secret in it.
func TestCrashLeavesNoCore(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGABRT, syscall.SIGSEGV, syscall.SIGTRAP} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "disk")
			m.mustLogIn(t)
			c := holdRefresh(t, m) // it has the refresh token
			c.strike(signal, false)
			m.mustEnd(t, c)
			if status := c.command.ProcessState.Sys().(syscall.WaitStatus); !status.Exited() {
				t.Errorf("ended by a signal, which may leave a core: %s", c.command.ProcessState)
			}
			said := c.stderr.text.String()
			if !strings.Contains(said, "goroutine") {
				t.Errorf("expected the end of a crash, got %q", said)
			}
			for _, secret := range m.provider.Secrets() {
				if strings.Contains(said, secret) {
					t.Errorf("a secret was printed: %.6s...", secret)
				}
			}
		})
	}
}
