//go:build unix

package test

import (
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

// A password is typed at the terminal and shown nowhere; kubectl's stdin is left alone, and the terminal is as it was.
func TestPasswordAtTerminal(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		script string
		person func(*person)
		exit   int
	}{
		"name and password": {script: "exec get-token --grant-type=password", person: func(p *person) {
			p.reads("username:")
			p.types("alice")
			p.reads("password of alice")
			p.types("correct horse")
		}},
		"password alone": {script: "exec get-token --username=alice", person: func(p *person) {
			p.reads("password of alice")
			p.types("correct horse")
		}},
		"a wrong one": {script: "exec get-token --username=alice", exit: 5, person: func(p *person) {
			p.reads("password of alice")
			p.types("correct house")
		}},
		"Ctrl-C": {script: "exec get-token --username=alice", exit: 1, person: func(p *person) {
			p.reads("password of alice")
			p.presses("correct\x03")
			p.reads("error: login: interrupted")
		}},
		"Ctrl-D": {script: "exec get-token --username=alice", exit: 1, person: func(p *person) {
			p.reads("password of alice")
			p.presses("\x04")
			p.reads("error: login: nothing was typed")
		}},
		"in the background": {script: "set -m; get-token --username=alice & wait $!", exit: 3, person: func(p *person) {
			p.reads("there is no terminal to type at")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sitAt(t, idp.Config{}, test.script)
			test.person(p)
			p.expectsEnd(test.exit)
			if strings.Contains(p.shown(), "correct") {
				t.Errorf("the password is shown:\n%s", p.shown())
			}
		})
	}
}

// The code is typed at the terminal too.
func TestCodeAtTerminal(t *testing.T) {
	t.Parallel()
	for name, bring := range map[string]func(*person) string{
		"code":    func(p *person) string { return p.callback.Query().Get("code") },
		"address": func(p *person) string { return "\x1b[200~" + p.callback.String() + "\x1b[201~" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sitAt(t, idp.Config{RedirectURIs: []string{"urn:ietf:wg:oauth:2.0:oob"}}, "exec get-token --grant-type=authcode-keyboard")
			p.openURL()
			p.reads("then type the code")
			p.types(bring(p))
			p.expectsEnd(0)
		})
	}
}
