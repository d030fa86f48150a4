//go:build unix

package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

// A signal that comes when the provider has the request, and has not answered yet, must not lose what it answers: the old
// refresh token is spent.
func TestSignalInFlight(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "RFR-02", "EXC-23", "EXC-26")
	for _, storage := range []string{"disk", "auto"} {
		for _, kubectl := range []bool{false, true} {
			m := newMachine(t, storage)
			m.mustLogIn(t)
			for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE} {
				t.Run(fmt.Sprintf("%s/kubectl=%t/%s", storage, kubectl, signal), func(t *testing.T) {
					strikeInFlight(t, m, signal, way{kubectl: kubectl, runs: 1, verbose: true}) // for words to a reader that is gone
				})
			}
		}
	}
}

func strikeInFlight(t *testing.T, m *machine, signal syscall.Signal, way way) {
	const (
		latency = 100 * time.Millisecond
		bound   = 10 * time.Second // far below a request's time-out, even on a busy machine
	)
	m.clock.advance(expiredForSure)
	if err := m.provider.Set("latency", latency.String()); err != nil {
		t.Fatal(err)
	}
	defer m.provider.Reset()
	before := m.look()
	spent := m.refreshToken()
	c := m.mustStart(t, way)
	if !eventually(func() bool { return m.provider.Count(idp.Token) > before.requests }) {
		t.Fatal("the provider was not asked")
	}
	if c.hasEnded() || m.refreshToken() != spent {
		t.Fatal("the signal comes too late to show anything")
	}
	c.strike(signal, false)
	struck := time.Now()
	m.mustEnd(t, c)
	if took := time.Since(struck); took > bound {
		t.Errorf("the call ended only after %s", took)
	}
	after := m.look()
	if after.requests != before.requests+1 || !after.held || m.refreshToken() == spent {
		t.Errorf("the new refresh token is not stored: %+v, then %+v", before, after)
	}

	next := m.mustStart(t, way)
	m.mustEnd(t, next)
	if err := m.checkOutput(next, true); err != nil || next.command.ProcessState.ExitCode() != 0 {
		t.Errorf("the next call: %v, %s\n%s", err, next.command.ProcessState, next.stderr.text.String())
	}
	if now := m.look(); now != after {
		t.Errorf("the next call needed more than the store: %+v, then %+v", after, now)
	}
}

// Before the refresh token is spent nothing can be lost, so nobody waits for a provider that hangs.
func TestSignalBeforeFlight(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []idp.Endpoint{idp.Discovery, idp.Keys} {
		t.Run(string(endpoint), func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "disk")
			m.mustLogIn(t)
			if err := os.RemoveAll(filepath.Join(m.cache(), "documents")); err != nil {
				t.Fatal(err)
			}
			if err := m.provider.Set("fault."+string(endpoint), "hang"); err != nil {
				t.Fatal(err)
			}
			m.clock.advance(expiredForSure)
			before, asked := m.look(), m.provider.Count(endpoint)
			c := m.mustStart(t, way{runs: 1})
			if !eventually(func() bool { return m.provider.Count(endpoint) > asked }) {
				t.Fatal("the provider was not asked")
			}
			mustEndSoon(t, m, c, syscall.SIGINT)
			if !strings.Contains(c.stderr.text.String(), "interrupted") {
				t.Errorf("expected the cause, got %s", c.stderr.text.String())
			}
			if after := m.look(); after != before {
				t.Errorf("the call changed something: %+v, then %+v", before, after)
			}
		})
	}
}

// After the answer nothing must get between it and the save, not even the wait for new keys.
func TestSignalAfterFlight(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "disk")
	m.mustLogIn(t)
	m.provider.RotateKeys()
	if err := m.provider.Set("fault.keys", "hang"); err != nil {
		t.Fatal(err)
	}
	m.clock.advance(expiredForSure)
	before, asked := m.look(), m.provider.Count(idp.Keys)
	c := m.mustStart(t, way{runs: 1})
	if !eventually(func() bool { return m.provider.Count(idp.Keys) > asked }) {
		t.Fatal("the provider was not asked for its new keys")
	}
	mustEndSoon(t, m, c, syscall.SIGINT)
	if after := m.look(); after.requests != before.requests+1 || !after.held {
		t.Errorf("the new refresh token is not stored: %+v, then %+v", before, after)
	}
}

// UserInfo is asked when the session is saved, so nobody waits for an endpoint that hangs.
func TestSignalWhileUserInfoHangs(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "disk")
	m.mustLogIn(t)
	if err := m.provider.Set("fault.userinfo", "hang"); err != nil {
		t.Fatal(err)
	}
	before := m.look()
	c := m.mustStart(t, way{userInfo: true, runs: 1})
	if !eventually(func() bool { return m.provider.Count(idp.UserInfo) > 0 }) {
		t.Fatal("the provider was not asked")
	}
	mustEndSoon(t, m, c, syscall.SIGINT)
	if code := c.command.ProcessState.ExitCode(); code != 1 || c.stdout.text.Len() > 0 ||
		!strings.Contains(c.stderr.text.String(), "userinfo: interrupted") {
		t.Errorf("exit code %d, %s\n%s", code, c.stdout.text.String(), c.stderr.text.String())
	}
	if after := m.look(); after.requests != before.requests+1 || !after.held {
		t.Errorf("the new refresh token is not stored: %+v, then %+v", before, after)
	}
}

func mustEndSoon(t *testing.T, m *machine, c *call, signal syscall.Signal) {
	t.Helper()
	const bound = 10 * time.Second // half of a request's time-out, even on a busy machine
	struck := time.Now()
	c.strike(signal, false)
	m.mustEnd(t, c)
	if took := time.Since(struck); took > bound {
		t.Errorf("the call ended only after %s", took)
	}
}

// A refresh that is in flight stores a new session, which a logout at the same time must find, revoke and remove: nothing
// brings the session back.
func TestLogoutWhileRefreshInFlight(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "REV-07")
	for _, storage := range []string{"disk", "auto"} {
		t.Run(storage, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, storage)
			m.mustLogIn(t)
			if err := m.provider.Set("latency", "300ms"); err != nil {
				t.Fatal(err)
			}
			m.clock.advance(expiredForSure)
			before := m.look()
			refresh := m.mustStart(t, way{runs: 1})
			if !eventually(func() bool { return m.provider.Count(idp.Token) > before.requests }) || refresh.hasEnded() {
				t.Fatal("no refresh is in flight")
			}
			logout := m.mustStart(t, way{logout: true, runs: 1})
			m.mustEnd(t, refresh)
			m.mustEnd(t, logout)
			if err := m.checkOutput(refresh, true); err != nil {
				t.Errorf("the refresh: %v", err)
			}
			if said := logout.stdout.text.String(); !strings.Contains(said, "revoked the refresh token at the provider") {
				t.Errorf("the logout: %s\n%s", said, logout.stderr.text.String())
			}
			if newest := m.provider.RefreshToken(); newest != "" || m.refreshToken() != "" {
				t.Errorf("a session is left: at the provider %t, here %t", newest != "", m.refreshToken() != "")
			}
			if paths, _ := filepath.Glob(filepath.Join(m.cache(), "*.json")); len(paths) > 0 {
				t.Errorf("left: %v", paths)
			}
		})
	}
}
