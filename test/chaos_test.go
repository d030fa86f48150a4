//go:build unix

package test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

var (
	chaosSeed   = flag.Uint64("chaos.seed", 0, "seed of TestChaos; 0: a new one")
	chaosRounds = flag.Int("chaos.rounds", 200, "number of rounds of TestChaos")
)

// expiredForSure is a step of the clocks beyond the life of every ID token, whatever clock it was got by.
const expiredForSure = 15 * time.Minute

// TestChaos calls the program from many processes at once, hits them with signals, makes the provider fail and moves the
// clocks, all at random. As long as the provider holds the session nobody may be asked to log in again, unless the one
// answer with the new refresh token was lost: on the wire, or with a process that SIGKILL ended before it could save.
func TestChaos(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "RFR-14", "STO-04", "STO-08", "EXC-26")
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("to repeat this: go test ./test -run '^TestChaos$' -chaos.seed=%d -chaos.rounds=%d", seed, *chaosRounds)
	random := rand.New(rand.NewPCG(seed, 0))
	tally := newTally()
	defer func() { t.Log(tally) }()
	machines := []*machine{newMachine(t, "disk"), newMachine(t, "auto")}
	for _, m := range machines {
		m.mustLogIn(t)
	}
	for number := range *chaosRounds {
		on := machines[0]
		if number%4 == 3 {
			on = machines[1]
		}
		r := &chaosRound{machine: on, tally: tally, plan: drawRound(random)}
		if err := r.run(); err != nil {
			t.Fatalf("round %d, %s: %v\n%s", number, on.storage, err, r)
		}
	}
	for _, m := range machines {
		unfinished, _ := m.checkFiles()
		tally.unfinished += unfinished
	}
	if tally.unfinished > tally.signals[syscall.SIGKILL] {
		t.Errorf("%d unfinished files are left, more than calls were killed", tally.unfinished)
	}
}

// chaosRound is one round under way.
type chaosRound struct {
	*machine
	tally *tally
	plan  plan
	calls []*call
}

// run does what the plan says, makes all well again and sees whether the session is still there.
func (r *chaosRound) run() error {
	before := r.look()
	if err := r.prepare(); err != nil {
		return err
	}
	if err := r.callAll(); err != nil {
		return err
	}
	if err := r.provider.AwaitQuiet(); err != nil { // what a killed call has sent counts
		return err
	}
	after := r.look()
	r.tally.count(r.plan, before, after)
	lost := after.windows > before.windows || after.reuse > before.reuse || !after.held
	if err := r.checkCalls(lost); err != nil {
		return err
	}
	if _, err := r.checkFiles(); err != nil {
		return err
	}
	if asked := after.requests - before.requests; asked > 1 && r.plan.needsOneRefresh() {
		return fmt.Errorf("the calls made %d requests instead of sharing one", asked)
	}
	cause := r.lossCause(before, after)
	if lost && cause == "" {
		return fmt.Errorf("the session was lost: %+v, then %+v", before, after)
	}
	if lost {
		r.tally.losses[cause]++
	}
	return r.heal(lost)
}

func (r *chaosRound) prepare() error {
	r.clock.advance(r.plan.clock)
	if r.plan.rotateKeys {
		r.provider.RotateKeys()
	}
	if r.plan.cold {
		if err := os.RemoveAll(filepath.Join(r.cache(), "documents")); err != nil {
			return err
		}
	}
	if err := r.provider.Set("latency", r.plan.latency.String()); err != nil || r.plan.endpoint == "" {
		return err
	}
	return r.provider.Set("fault."+string(r.plan.endpoint), r.plan.fault)
}

// callAll makes all calls at once; but one that is to hang comes first, and the others find the provider well.
func (r *chaosRound) callAll() error {
	asked := r.provider.Count(idp.Token)
	hung := r.provider.Count(r.plan.endpoint)
	var callers sync.WaitGroup
	defer callers.Wait()
	for i, plan := range r.plan.calls {
		c, err := r.start(plan.way)
		if err != nil {
			return err
		}
		r.calls = append(r.calls, c)
		if i == 0 && r.plan.fault == "hang" {
			if !eventually(func() bool { return c.hasEnded() || r.provider.Count(r.plan.endpoint) > hung }) {
				return errors.New("a call does not get to ask the provider")
			}
			r.provider.Reset()
		}
		if plan.signal != 0 {
			callers.Go(func() { r.strike(c, plan, asked) })
		}
	}
	for _, c := range r.calls {
		if err := c.wait(); err != nil {
			return err
		}
	}
	return nil
}

// strike waits for the moment of the plan and sends its signal, unless the call has ended.
func (r *chaosRound) strike(c *call, plan callPlan, asked int) {
	if plan.atRequest {
		eventually(func() bool { return c.hasEnded() || r.provider.Count(idp.Token) > asked })
	} else {
		select {
		case <-c.done:
		case <-time.After(time.Duration(plan.share * float64(r.usual))):
		}
	}
	c.strike(plan.signal, plan.alone)
}

// checkCalls judges each call by what happened to it.
func (r *chaosRound) checkCalls(lost bool) error {
	byProvider := !r.plan.isSkewed()
	for i, c := range r.calls {
		plan := r.plan.calls[i]
		if plan.signal == syscall.SIGPIPE {
			continue // what it printed went nowhere
		}
		if err := r.checkOutput(c, byProvider); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
		calm := plan.signal == 0 && (r.plan.fault == "" || r.plan.fault == "hang")
		if code := c.command.ProcessState.ExitCode(); calm && !lost && code != 0 {
			return fmt.Errorf("call %d failed with %d though nothing happened to it", i, code)
		}
	}
	return nil
}

// lossCause is what no client can survive, or "".
func (r *chaosRound) lossCause(before, after state) string {
	if after.requests == before.requests {
		return "" // nothing was spent
	}
	if r.plan.fault == "reset-after" {
		return "answer lost on the wire"
	}
	if r.plan.fault == "hang" {
		return "" // the call that was killed was never answered
	}
	for i, c := range r.calls {
		if r.plan.calls[i].killsPlugin() && c.endedBy() == syscall.SIGKILL {
			return "killed in flight"
		}
	}
	return ""
}

// heal makes provider and clocks well, lets the ID token expire, and wants a call to renew it: without a person, unless
// the session was lost.
func (r *chaosRound) heal(lost bool) error {
	before := r.look()
	r.provider.Reset()
	r.clock.advance(expiredForSure)
	c, err := r.start(way{runs: 1})
	if err != nil {
		return err
	}
	r.calls = append(r.calls, c)
	if err := c.wait(); err != nil {
		return err
	}
	after := r.look()
	r.tally.calls++
	r.tally.countTokens(before, after)
	if code := c.command.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the call after the round ended with %d", code)
	}
	if !lost && (after.windows > before.windows || after.reuse > before.reuse) {
		return fmt.Errorf("the session was lost unseen: %+v, then %+v", before, after)
	}
	if after.requests == before.requests || !after.held {
		return fmt.Errorf("nothing was renewed: %+v, then %+v", before, after)
	}
	return r.checkOutput(c, true)
}

// String is for people who look for the cause of a failure.
func (r *chaosRound) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%+v\n", r.plan)
	for i, c := range r.calls {
		if !c.hasEnded() {
			continue
		}
		fmt.Fprintf(&text, "call %d: %s\n%s", i, c.command.ProcessState, c.stderr.text.String())
	}
	return text.String()
}

// tally is what happened in all rounds.
type tally struct {
	rounds, calls, requests, windows int
	signals                          map[syscall.Signal]int
	faults                           map[string]int
	losses                           map[string]int
	unfinished                       int // files that killed calls left
}

func newTally() *tally {
	return &tally{signals: map[syscall.Signal]int{}, faults: map[string]int{}, losses: map[string]int{}}
}

func (t *tally) count(plan plan, before, after state) {
	t.rounds++
	t.calls += len(plan.calls)
	t.countTokens(before, after)
	for _, call := range plan.calls {
		if call.signal != 0 {
			t.signals[call.signal]++
		}
	}
	if plan.fault != "" {
		t.faults[string(plan.endpoint)+" "+plan.fault]++
	}
}

func (t *tally) countTokens(before, after state) {
	t.windows += after.windows - before.windows
	t.requests += after.requests - before.requests
}

func (t *tally) String() string {
	return fmt.Sprintf("%d rounds, %d calls, %d requests for tokens, signals %v, faults %v, ", t.rounds, t.calls, t.requests,
		t.signals, t.faults) +
		fmt.Sprintf("legal losses %v, logins needed %d, unfinished files %d", t.losses, t.windows, t.unfinished)
}
