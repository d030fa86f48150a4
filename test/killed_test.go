//go:build unix

package test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

// A process that is killed leaves its lock behind, and a note that it holds it. Neither stops anybody: the next call goes on
// at once, so it does not come to tell that it waits, which it does after a second.
func TestKilledHolder(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-08")
	for name, hold := range map[string]func(*testing.T, *machine) *call{
		"refresh": holdRefresh,
		"login":   holdLogin,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "disk")
			m.mustLogIn(t)
			holder := hold(t, m)
			mustKill(t, m, holder)
			next := m.mustStart(t, way{runs: 1})
			m.mustEnd(t, next)
			m.expectGoodCall(t, next)
			if said := next.stderr.text.String(); strings.Contains(said, "waiting") {
				t.Errorf("the call waited for a process that is dead: %s", said)
			}
		})
	}
}

// Who waits already goes on as soon as the holder is killed.
func TestKilledHolderIsWaitedFor(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-08")
	m := newMachine(t, "disk")
	m.mustLogIn(t)
	holder := holdRefresh(t, m)
	waiter := m.mustStart(t, way{runs: 1})
	if !eventually(func() bool { return waiter.hasEnded() || waiter.stderr.contains("waiting for process") }) || waiter.hasEnded() {
		t.Fatal("the second call does not wait for the first")
	}
	mustKill(t, m, holder)
	m.mustEnd(t, waiter) // far below the time-out of the lock
	m.expectGoodCall(t, waiter)
}

// holdRefresh starts a call that hangs in the middle of a refresh.
func holdRefresh(t *testing.T, m *machine) *call {
	t.Helper()
	m.clock.advance(expiredForSure)
	if err := m.provider.Set("fault.token", "hang"); err != nil {
		t.Fatal(err)
	}
	asked := m.provider.Count(idp.Token)
	holder := m.mustStart(t, way{runs: 1})
	if !eventually(func() bool { return holder.hasEnded() || m.provider.Count(idp.Token) > asked }) || holder.hasEnded() {
		t.Fatal("the refresh does not hang")
	}
	m.provider.Reset() // what hangs goes on hanging
	return holder
}

// holdLogin starts a call that waits for a person who does not come.
func holdLogin(t *testing.T, m *machine) *call {
	t.Helper()
	m.clock.advance(expiredForSure)
	m.provider.EndSessions()
	windows := m.windows()
	holder := m.mustStart(t, way{runs: 1, browsing: "idle"})
	if !eventually(func() bool { return holder.hasEnded() || m.windows() > windows }) || holder.hasEnded() {
		t.Fatal("the login does not wait")
	}
	return holder
}

func mustKill(t *testing.T, m *machine, holder *call) {
	t.Helper()
	holder.strike(syscall.SIGKILL, false)
	m.mustEnd(t, holder)
	if by := holder.endedBy(); by != syscall.SIGKILL {
		t.Fatalf("the holder was not killed: %s", holder.command.ProcessState)
	}
}

// expectGoodCall wants a credential, and the provider's newest refresh token in the store.
func (m *machine) expectGoodCall(t *testing.T, c *call) {
	t.Helper()
	if err := m.checkOutput(c, true); err != nil || c.command.ProcessState.ExitCode() != 0 {
		t.Errorf("%v, %s\n%s", err, c.command.ProcessState, c.stderr.text.String())
	}
	if !m.look().held {
		t.Error("the session is not stored")
	}
}
