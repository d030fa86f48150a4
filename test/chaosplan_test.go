//go:build unix

package test

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

// plan is what one round does.
type plan struct {
	clock      time.Duration // the step of both clocks
	latency    time.Duration
	endpoint   idp.Endpoint // which fails; "": none
	fault      string
	cold       bool // the provider's documents have to be fetched again
	rotateKeys bool
	calls      []callPlan
}

// callPlan is one call of a round, and what happens to it.
type callPlan struct {
	way    way
	signal syscall.Signal // 0: none
	alone  bool           // see call.strike
	// atRequest strikes when the provider has received the request for a token, else share of the usual length of a call
	// after its start.
	atRequest bool
	share     float64
}

func drawRound(random *rand.Rand) plan {
	p := plan{
		clock: pick(random, 2*time.Minute, 2*time.Minute, 2*time.Minute, 53*time.Second, 53*time.Second, 3*time.Hour,
			-3*time.Minute, -40*time.Second, 0),
		latency:    pick(random, 0, time.Duration(random.IntN(40))*time.Millisecond),
		cold:       random.IntN(8) == 0,
		rotateKeys: random.IntN(50) == 0,
	}
	skewed := random.IntN(6) == 0
	for range pick(random, 1, 1+random.IntN(6), 1+random.IntN(6)) {
		p.calls = append(p.calls, drawCall(random, skewed))
	}
	p.drawFault(random)
	for range pick(random, 0, 1, 1, 2) {
		drawSignal(random, &p.calls[random.IntN(len(p.calls))], p.fault)
	}
	return p
}

func drawCall(random *rand.Rand, skewed bool) callPlan {
	way := way{kubectl: random.IntN(2) == 0, runs: 1, verbose: random.IntN(4) == 0}
	if way.kubectl && random.IntN(5) == 0 {
		way.runs = 2
	}
	if skewed {
		way.skew = pick(random, 0, 5*time.Minute, -5*time.Minute, 2*time.Minute, -2*time.Minute)
	}
	return callPlan{way: way}
}

func (p *plan) drawFault(random *rand.Rand) {
	if random.IntN(3) > 0 {
		return
	}
	p.endpoint = pick(random, idp.Token, idp.Token, idp.Token, idp.Keys, idp.Discovery)
	p.fault = pick(random, "503", "429", "429,retry-after=1", "reset", "html", "garbage", "hang")
	if p.endpoint == idp.Token && random.IntN(4) == 0 {
		p.fault = pick(random, "reset-after", "error=temporarily_unavailable")
	}
	switch p.endpoint {
	case idp.Discovery:
		p.cold = true // or nothing is asked of it
	case idp.Keys:
		p.rotateKeys = !p.cold // the new keys cannot be had when the answer is there
	}
	if p.fault == "hang" {
		// The first call hangs and is killed; the others wait for it, and must go on.
		p.clock, p.cold, p.latency = 2*time.Minute, p.endpoint != idp.Token, 0
		p.calls[0] = callPlan{way: way{runs: 1}, signal: syscall.SIGKILL}
	}
}

func drawSignal(random *rand.Rand, call *callPlan, fault string) {
	if fault == "hang" {
		return
	}
	call.signal = pick(random, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE, syscall.SIGKILL)
	if call.signal == syscall.SIGKILL && fault == "reset-after" {
		call.signal = syscall.SIGTERM // or nobody knows whose loss it was
	}
	call.alone = random.IntN(3) == 0
	call.atRequest = random.IntN(2) == 0
	call.share = random.Float64() * 1.2
}

func pick[T any](random *rand.Rand, choices ...T) T { return choices[random.IntN(len(choices))] }

// killsPlugin tells whether the program itself, and not its kubectl alone, is ended without notice.
func (c callPlan) killsPlugin() bool {
	return c.signal == syscall.SIGKILL && !(c.alone && c.way.kubectl)
}

// isSkewed tells whether a call's clock is not the provider's.
func (p plan) isSkewed() bool {
	return slices.ContainsFunc(p.calls, func(call callPlan) bool { return call.way.skew != 0 })
}

// needsOneRefresh is false where one call cannot do with what another one got: where answers are lost, clocks differ, a
// token is refused, or a person interrupts the wait for the keys that it needs.
func (p plan) needsOneRefresh() bool {
	interruptsKeys := p.rotateKeys && slices.ContainsFunc(p.calls, func(call callPlan) bool { return call.signal != 0 })
	return p.fault == "" && !p.isSkewed() && !interruptsKeys && !slices.ContainsFunc(p.calls, func(call callPlan) bool {
		return call.killsPlugin() || call.way.runs > 1
	})
}
