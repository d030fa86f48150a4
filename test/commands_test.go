package test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	clientauthentication "k8s.io/client-go/pkg/apis/clientauthentication/v1"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

// scenario is what one script has besides its files.
type scenario struct {
	test     requirements.Test
	idp      *idp.Server
	provider slowClock // the provider's
	program  slowClock
	slept    int // how many waits the script has looked at
}

type scenarioKey struct{}

func setUpScript(env *testscript.Env) error {
	keychain := filepath.Join(env.WorkDir, "keychain")
	env.Setenv("KEYCHAIN", keychain)
	env.Setenv("KERNEL_KEYRING", "forbidden")
	env.Setenv("HOME", env.WorkDir) // some systems use other names
	env.Setenv("USERPROFILE", env.WorkDir)
	env.Setenv("GORACE", "atexit_sleep_ms=0") // a second per process otherwise, under the race detector
	scenario := &scenario{test: env.T().(requirements.Test)}
	scenario.provider.origin = time.Now()
	scenario.program.origin = scenario.provider.origin
	scenario.provider.slept = filepath.Join(env.WorkDir, "slept")
	scenario.program.slept = scenario.provider.slept
	env.Setenv("SLEPT", scenario.provider.slept)
	env.Setenv("CLOCK", scenario.program.String())
	env.Values[scenarioKey{}] = scenario
	return os.Mkdir(keychain, 0o700)
}

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"apiserver":     commandAPIServer,
		"asked":         commandAsked,
		"covers":        commandCovers,
		"idp":           commandIDP,
		"fresh":         commandFresh,
		"authenticated": commandAuthenticated,
		"noverifier":    commandNoVerifier,
		"certificate":   commandCertificate,
		"clock":         commandClock,
		"credential":    commandCredential,
		"nosecrets":     commandNoSecrets,
		"harmless":      commandHarmless,
		"opened":        commandOpened,
		"page":          commandPage,
		"parallel":      commandParallel,
		"fails":         commandFails,
		"exits":         commandExits,
		"listen":        commandListen,
		"proxy":         commandProxy,
		"refuses":       commandRefuses,
		"ends":          commandEnds,
		"keeps":         commandKeeps,
		"margin":        commandMargin,
		"discards":      commandDiscards,
		"slept":         commandSlept,
	}
}

func scenarioOf(script *testscript.TestScript) *scenario {
	return script.Value(scenarioKey{}).(*scenario)
}

// commandCovers says that the lines that follow fail if one of these requirements is broken: "covers IDT-01 IDT-02".
func commandCovers(script *testscript.TestScript, _ bool, ids []string) {
	script.Check(requirements.Check(ids...))
	requirements.Covers(scenarioOf(script).test, ids...)
}

// commandIDP steers the provider: "idp start [tls] [path=/x] [secret=x]
// [random-keys-path] [assertion=a.b.c] [redirect=URI] [post-logout=URI] [users=a,b]", "idp set NAME=VALUE ...", "idp reset",
// "idp rotate-keys", "idp end-sessions", "idp stop", "idp count ENDPOINT N", "idp reuse N",
// "idp sent ENDPOINT PARAMETER[=VALUE]" for the last request there, "idp heard HTTP/2.0" for the last of all.
func commandIDP(script *testscript.TestScript, negated bool, arguments []string) {
	if len(arguments) == 0 || negated && arguments[0] != "sent" {
		script.Fatalf("usage: idp VERB ...")
	}
	scenario := scenarioOf(script)
	switch arguments[0] {
	case "start":
		startIDP(script, scenario, arguments[1:])
	case "set":
		for _, argument := range arguments[1:] {
			name, value, _ := strings.Cut(argument, "=")
			script.Check(scenario.idp.Set(name, value))
		}
	case "reset":
		scenario.idp.Reset()
	case "rotate-keys":
		scenario.idp.RotateKeys()
	case "end-sessions":
		scenario.idp.EndSessions()
	case "stop":
		scenario.idp.Close()
	case "count":
		expect(script, "requests to "+arguments[1], arguments[2], scenario.idp.Count(idp.Endpoint(arguments[1])))
	case "sent":
		if wasSent(scenario.idp, idp.Endpoint(arguments[1]), arguments[2]) == negated {
			script.Fatalf("the last request to %s: %s is %t", arguments[1], arguments[2], !negated)
		}
	case "heard":
		requests := scenario.idp.Requests()
		if got := requests[len(requests)-1].Protocol; got != arguments[1] {
			script.Fatalf("expected a request in %s, got %s", arguments[1], got)
		}
	case "reuse":
		expect(script, "reused codes and tokens", arguments[1], scenario.idp.Reuse())
	default:
		script.Fatalf("unknown verb %q", arguments[0])
	}
}

// wasSent looks for a parameter, or a parameter with a value, in the last request to an endpoint.
func wasSent(provider *idp.Server, endpoint idp.Endpoint, parameter string) bool {
	name, value, exact := strings.Cut(parameter, "=")
	sent := false
	for _, request := range provider.Requests() {
		if request.Endpoint == endpoint {
			sent = request.Form.Has(name) && (!exact || request.Form.Get(name) == value)
		}
	}
	return sent
}

func startIDP(script *testscript.TestScript, scenario *scenario, arguments []string) {
	config := idp.Config{Now: scenario.provider.now}
	for _, argument := range arguments {
		switch name, value, _ := strings.Cut(argument, "="); name {
		case "tls":
			config.TLS = true
		case "path":
			config.Path = value
		case "secret":
			config.ClientSecret = value
		case "random-keys-path":
			config.KeysPath = "/" + rand.Text()
		case "assertion":
			config.ClientAssertion = value
		case "users":
			config.Users = map[string]idp.User{}
			for name := range strings.SplitSeq(value, ",") {
				config.Users[name] = idp.User{Email: name + "@idp.test", Password: "correct horse"}
			}
		case "redirect":
			config.RedirectURIs = []string{value}
		case "post-logout":
			config.PostLogoutRedirectURIs = []string{value}
		default:
			script.Fatalf("unknown option %q", argument)
		}
	}
	provider, err := idp.Start(config)
	script.Check(err)
	script.Defer(provider.Close)
	scenario.idp = provider
	script.Setenv("ISSUER", provider.Issuer())
	_, host, _ := strings.Cut(provider.Issuer(), "://")
	script.Setenv("ISSUER_HOST", host)
	if config.TLS {
		script.Check(os.WriteFile(script.MkAbs("ca.pem"), provider.CACertificate(), 0o600))
	}
}

// commandClock moves the clock of provider and program on: "clock +50s". "clock program -10m" moves the program's alone.
func commandClock(script *testscript.TestScript, _ bool, arguments []string) {
	step, err := time.ParseDuration(strings.TrimPrefix(arguments[len(arguments)-1], "+"))
	script.Check(err)
	scenario := scenarioOf(script)
	if arguments[0] != "program" {
		scenario.provider.advance(step)
	}
	scenario.program.advance(step)
	script.Setenv("CLOCK", scenario.program.String())
}

// commandSlept wants the program to have waited for these times, and no others, since the script last asked: "slept 5s
// 10s". No time passes with that, but the clocks go on.
func commandSlept(script *testscript.TestScript, _ bool, want []string) {
	scenario := scenarioOf(script)
	sleeps := sleepsIn(scenario.program.slept)
	var got []string
	for _, length := range sleeps[scenario.slept:] {
		got = append(got, length.Round(100*time.Millisecond).String())
	}
	scenario.slept = len(sleeps)
	if !slices.Equal(got, want) {
		script.Fatalf("expected waits of %v, got %v", want, got)
	}
}

// commandCredential wants stdout to be exactly one ExecCredential with a token that is not expired, and compares the
// token with that of the last time: "credential", "credential same" or "credential new".
func commandCredential(script *testscript.TestScript, _ bool, arguments []string) {
	decoder := json.NewDecoder(strings.NewReader(script.ReadFile("stdout")))
	var credential clientauthentication.ExecCredential
	script.Check(decoder.Decode(&credential))
	if decoder.More() {
		script.Fatalf("stdout has more than one document")
	}
	if credential.Kind != "ExecCredential" || credential.Status == nil || credential.Status.Token == "" {
		script.Fatalf("stdout is not an ExecCredential with a token")
	}
	if !credential.Status.ExpirationTimestamp.After(scenarioOf(script).program.now()) {
		script.Fatalf("the credential is expired")
	}
	last, now := script.Getenv("TOKEN"), credential.Status.Token
	script.Setenv("TOKEN", now)
	if len(arguments) == 1 && (last == now) != (arguments[0] == "same") {
		script.Fatalf("expected the %s token as before", arguments[0])
	}
}

// commandMargin wants the credential of stdout to end so long before its ID token: "margin 10s".
func commandMargin(script *testscript.TestScript, _ bool, arguments []string) {
	var credential clientauthentication.ExecCredential
	script.Check(json.Unmarshal([]byte(script.ReadFile("stdout")), &credential))
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(credential.Status.Token, ".")[1])
	script.Check(err)
	var claims struct {
		Expiry int64 `json:"exp"`
	}
	script.Check(json.Unmarshal(payload, &claims))
	margin := time.Unix(claims.Expiry, 0).Sub(credential.Status.ExpirationTimestamp.Time)
	// The clock's fraction of a second is rounded, once for the token and once for the credential.
	wanted, err := time.ParseDuration(arguments[0])
	script.Check(err)
	if (margin - wanted).Abs() > time.Second {
		script.Fatalf("the credential ends %s before its token", margin)
	}
}

// commandNoSecrets wants none of the provider's secrets in what people see: stderr, the browser's page, and files named.
func commandNoSecrets(script *testscript.TestScript, _ bool, arguments []string) {
	if len(scenarioOf(script).idp.Secrets()) == 0 {
		script.Fatalf("the provider has seen no secret, so this shows nothing")
	}
	checkNoSecrets(script, arguments...)
}

func checkNoSecrets(script *testscript.TestScript, files ...string) {
	texts := map[string]string{"stderr": script.ReadFile("stderr")}
	if page, err := os.ReadFile(script.MkAbs("page.html")); err == nil {
		texts["page"] = string(page)
	}
	for _, name := range files {
		texts[name] = script.ReadFile(name)
	}
	for name, text := range texts {
		for _, secret := range scenarioOf(script).idp.Secrets() {
			if strings.Contains(text, secret) {
				script.Fatalf("%s has a secret in it: %.6s...", name, secret)
			}
		}
	}
}

// commandHarmless wants nothing in the output of the last program that a terminal would obey.
func commandHarmless(script *testscript.TestScript, _ bool, _ []string) {
	for _, stream := range []string{"stdout", "stderr"} {
		text := script.ReadFile(stream)
		if obeyed := regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{202a}-\x{202e}]`).FindString(text); obeyed != "" {
			script.Fatalf("%s has %q in it: %q", stream, obeyed, text)
		}
	}
}

// commandPage waits for the browser's page and wants it to match: "page PATTERN", "! page PATTERN". The program does not
// wait for the browser to end.
func commandPage(script *testscript.TestScript, negated bool, arguments []string) {
	page, err := os.ReadFile(script.MkAbs("page.html"))
	for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
		page, err = os.ReadFile(script.MkAbs("page.html"))
	}
	script.Check(err)
	if regexp.MustCompile("(?m)"+arguments[0]).Match(page) == negated {
		script.Fatalf("unexpected page:\n%s", page)
	}
}

// commandOpened wants the browser to have been opened so many times.
func commandOpened(script *testscript.TestScript, _ bool, arguments []string) {
	log, _ := os.ReadFile(script.MkAbs("browser.log"))
	expect(script, "browser windows", arguments[0], bytes.Count(log, []byte("open http")))
}

// commandParallel runs a program many times at once and wants all runs to succeed: "parallel 20 get-token ...". What
// they print ends up in parallel.stdout and parallel.stderr.
func commandParallel(script *testscript.TestScript, _ bool, arguments []string) {
	count, err := strconv.Atoi(arguments[0])
	script.Check(err)
	outcomes := runParallel(script, count, arguments[1:])
	var stdout, stderr strings.Builder
	for _, outcome := range outcomes {
		stdout.WriteString(outcome.stdout)
		stderr.WriteString(outcome.stderr)
		if outcome.err != nil {
			script.Fatalf("one of %d failed: %v\n%s", count, outcome.err, outcome.stderr)
		}
	}
	script.Check(os.WriteFile(script.MkAbs("parallel.stdout"), []byte(stdout.String()), 0o600))
	script.Check(os.WriteFile(script.MkAbs("parallel.stderr"), []byte(stderr.String()), 0o600))
}

// commandFails is parallel for runs that are all expected to fail.
func commandFails(script *testscript.TestScript, _ bool, arguments []string) {
	count, err := strconv.Atoi(arguments[0])
	script.Check(err)
	for _, outcome := range runParallel(script, count, arguments[1:]) {
		if outcome.err == nil || outcome.stdout != "" {
			script.Fatalf("one of %d did not fail: %s", count, outcome.stderr)
		}
	}
}

type outcome struct {
	stdout, stderr string
	err            error
}

func runParallel(script *testscript.TestScript, count int, arguments []string) []outcome {
	outcomes := make([]outcome, count)
	var all sync.WaitGroup
	for i := range outcomes {
		all.Go(func() { outcomes[i] = runOnce(script, arguments) })
	}
	all.Wait()
	return outcomes
}

func expect(script *testscript.TestScript, what, want string, got int) {
	if fmt.Sprint(got) != want {
		script.Fatalf("%s: expected %s, got %d", what, want, got)
	}
}

// commandListen takes a port of a loopback address for the length of the script: "listen 127.0.0.1" sets $TAKEN and
// $TAKEN_PORT, and $FREE_PORT to one of the loopback addresses that nobody has.
func commandListen(script *testscript.TestScript, _ bool, arguments []string) {
	taken, err := net.Listen("tcp", net.JoinHostPort(arguments[0], "0"))
	script.Check(err)
	script.Defer(func() { _ = taken.Close() })
	script.Setenv("TAKEN", taken.Addr().String())
	script.Setenv("TAKEN_PORT", strconv.Itoa(taken.Addr().(*net.TCPAddr).Port))
	free, release, err := freePort()
	script.Check(err)
	script.Defer(release)
	script.Setenv("FREE_PORT", strconv.Itoa(free))
}
