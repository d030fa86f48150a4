package loopback

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// pasting waits for an answer while lines come, and gives what Receive returned and what was said.
func pasting(t *testing.T, lines chan string, bare func(string) error) (l *Listener, answers chan url.Values, said chan string, done chan error) {
	t.Helper()
	l, err := Listen(Config{Addresses: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	answers, said, done = make(chan url.Values, 10), make(chan string, 10), make(chan error, 1)
	paste := &Paste{
		Read: func(ctx context.Context) (string, error) {
			select {
			case line, ok := <-lines:
				if !ok {
					return "", io.EOF
				}
				return line, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		},
		Bare:   bare,
		Refuse: func(err error) { said <- err.Error() },
	}
	go func() {
		done <- l.Receive(t.Context(), state, func(answer url.Values) Outcome { answers <- answer; return Outcome{Page: Page{OK: true}} }, paste)
	}()
	return l, answers, said, done
}

func TestPastedLines(t *testing.T) {
	t.Parallel()
	errNoCode := errors.New("no such code")
	lines := make(chan string)
	var tried []string
	l, answers, said, done := pasting(t, lines, func(text string) error { tried = append(tried, text); return errNoCode })
	for _, test := range []struct{ line, want string }{
		{"http://localhost/?state=other&code=c", errOtherLogin.Error()},
		{"http://localhost/?code=c", errOtherLogin.Error()},
		{"?code=c&state=" + state + "&state=" + state, errOtherLogin.Error()},
		{"https://localhost/?state=" + state, errOtherAddress.Error()},
		{"http://issuer.example/?state=" + state, errOtherAddress.Error()},
		{"http://localhost/callback?state=" + state, errOtherAddress.Error()},
		{"://?" + state, errNotAnAnswer.Error()},
		{"ls", errNotAnAnswer.Error()},
		{"kubectl get pods --all-namespaces", errNotAnAnswer.Error()},
		{"code=abcdefghijkl&state=" + state, errNotAnAnswer.Error()},
		{"4%2Fabcdefghijklmnop+", errNoCode.Error()},
	} {
		lines <- test.line
		if got := <-said; !strings.HasPrefix(got, test.want) || strings.Contains(got, state) {
			t.Errorf("%s: got %q", test.line, got)
		}
	}
	lines <- ""
	lines <- " /?code=c&state=" + state + "\r"
	if err := <-done; err != nil {
		t.Error(err)
	}
	if answer := <-answers; answer.Get("code") != "c" || l.RedirectURI() == "" {
		t.Errorf("got %v", answer)
	}
	if len(tried) != 1 || tried[0] != "4/abcdefghijklmnop+" {
		t.Errorf("tried %q", tried)
	}
}

// A terminal that ends is no reason to stop waiting for the browser.
func TestTerminalEnds(t *testing.T) {
	t.Parallel()
	lines := make(chan string)
	close(lines)
	l, _, _, done := pasting(t, lines, nil)
	get(t, l.RedirectURI()+"/?state="+state)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// While a pasted text is tried, the browser's answer waits: it counts if the text was wrong, and else is late.
func TestBrowserDuringPaste(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]error{"wrong code": errors.New("wrong"), "right code": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, trying, release := make(chan string), make(chan struct{}), make(chan struct{})
			l, answers, _, done := pasting(t, lines, func(string) error { close(trying); <-release; return outcome })
			lines <- "abcdefghijklmnopqrstuvwxyz"
			<-trying
			status := make(chan int, 1)
			go func() {
				response, err := http.Get(l.RedirectURI() + "/?state=" + state)
				if err != nil {
					status <- http.StatusConflict // the port was closed already
					return
				}
				_ = response.Body.Close()
				status <- response.StatusCode
			}()
			close(release)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if got := <-status; outcome != nil && (got != http.StatusOK || len(answers) != 1) {
				t.Errorf("status %d and %d answers", got, len(answers))
			}
		})
	}
}

// Whatever is typed, only an address with the state, or a text that proves right, ends the wait; and nothing repeats it.
func FuzzPaste(f *testing.F) {
	f.Add("http://localhost:8000/?code=c&state=" + state)
	f.Add("localhost/?state=" + state)
	f.Add("\x1b[200~?state=" + state + "\x1b[201~")
	f.Add("http://localhost/%zz?state=")
	f.Add("abcdefghijklmnopqrstuvwxyz%")
	f.Add("\x00\xff://[::1")
	f.Fuzz(func(t *testing.T, line string) {
		calls := 0
		h := &handler{
			door:   newDoor(url.URL{Scheme: "http", Host: "localhost:8000"}),
			finish: func(url.Values) Outcome { calls++; return Outcome{Page: Page{OK: true}} },
		}
		h.begin(state)
		paste := &Paste{Bare: func(string) error { return errNotAnAnswer }}
		settled, err := paste.judge(strings.TrimSpace(bracketsOff(line)), h)
		if settled != (calls == 1) || settled && !strings.Contains(line, "state") {
			t.Errorf("settled: %t, after %d answers", settled, calls)
		}
		if err != nil && !errors.Is(err, errOtherLogin) && !errors.Is(err, errNotAnAnswer) && !errors.Is(err, errOtherAddress) {
			t.Errorf("unexpected error %v", err)
		}
	})
}
