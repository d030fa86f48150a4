package loopback

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

const state = "the-right-state"

// pagePath has 128 random bits or more.
var pagePath = regexp.MustCompile(`^/done/[A-Z2-7]{26,}$`)

// receive listens and waits in the background; done gives what Receive returned.
func receive(t *testing.T, config Config, page Page) (redirect *url.URL, answers chan url.Values, done chan error) {
	t.Helper()
	if config.Addresses == nil {
		config.Addresses = []string{"127.0.0.1:0"}
	}
	listener, err := Listen(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listener.Close)
	redirect, err = url.Parse(listener.RedirectURI())
	if err != nil {
		t.Fatal(err)
	}
	answers, done = make(chan url.Values, 1), make(chan error, 1)
	go func() {
		done <- listener.Receive(t.Context(), state, func(answer url.Values) Outcome { answers <- answer; return Outcome{Page: page} }, nil)
	}()
	return redirect, answers, done
}

func get(t *testing.T, target string) (*http.Response, string) {
	t.Helper()
	response, err := http.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestTheAnswer(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{
		"default":        "",
		"path":           "http://localhost/callback",
		"path of page":   "http://localhost/done/x",
		"literal":        "http://127.0.0.1/",
		"own name":       "http://Login.example/x",
		"trailing slash": "http://localhost/a/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := Config{}
			if target != "" {
				config.RedirectURL, _ = url.Parse(target)
			}
			redirect, answers, done := receive(t, config, Page{OK: true, Title: "Well <done>", Lines: []string{"a & b"}})
			if target != "" && !strings.HasPrefix(redirect.String(), strings.TrimSuffix(target, redirect.Path)) {
				t.Errorf("expected a redirect URI like %s, got %s", target, redirect)
			}
			request, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+redirect.Port()+redirect.Path+"?state="+state+"&code=c", nil)
			request.Host = redirect.Host
			client := &http.Client{CheckRedirect: func(next *http.Request, _ []*http.Request) error {
				next.Host = redirect.Host
				next.URL.Host = "127.0.0.1:" + redirect.Port()
				return nil
			}}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK || response.Request.URL.RawQuery != "" {
				t.Fatalf("the page came with status %d from %s", response.StatusCode, response.Request.URL)
			}
			if !strings.Contains(string(body), "Well &lt;done&gt;") || !strings.Contains(string(body), "a &amp; b") {
				t.Errorf("unexpected page: %s", body)
			}
			if answer := <-answers; answer.Get("code") != "c" {
				t.Errorf("unexpected answer: %v", answer)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// Connections that send nothing, or nonsense, neither end nor delay the login; and the port is free again afterwards.
func TestSilentAndBrokenConnections(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "NAT-06")
	redirect, _, done := receive(t, Config{}, Page{OK: true})
	address := "127.0.0.1:" + redirect.Port()
	for _, words := range []string{"", "\x00\x01\x02", "GET / HTTP/1.1\r\nX: ", "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 1<<20)} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = connection.Close() }()
		go func() { _, _ = io.WriteString(connection, words) }()
	}
	started := time.Now()
	response, _ := get(t, redirect.String()+"/?state="+state)
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("the login took %s", took)
	}
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	_ = again.Close()
}

// send writes a request to the port, as far as that is read, and returns what comes back.
func send(t *testing.T, port, text string) *bufio.Reader {
	t.Helper()
	connection, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(10 * readTimeout)) // for who is never answered
	go func() { _, _ = io.WriteString(connection, text) }()
	return bufio.NewReader(connection)
}

// A connection that stays silent, or sends its request for ever, is closed in time: whoever can reach the port cannot fill
// this process.
func TestReadTimeout(t *testing.T) {
	t.Parallel()
	listener, err := Listen(Config{Addresses: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listener.Close)
	if listener.readTimeout != readTimeout || readTimeout > 10*time.Second {
		t.Errorf("silent connections stay for %s", listener.readTimeout)
	}
	listener.readTimeout = 30 * time.Millisecond
	go func() { _ = listener.Receive(t.Context(), state, nil, nil) }()
	for name, text := range map[string]string{
		"nothing":            "",
		"half a header":      "GET / HTTP/1.1\r\nX: ",
		"half a body":        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx",
		"nothing afterwards": "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		if _, err := io.Copy(io.Discard, send(t, strconv.Itoa(listener.Port()), text)); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays", name)
		}
	}
}

// A request that is too long is refused, not read.
func TestLongHeader(t *testing.T) {
	t.Parallel()
	redirect, _, _ := receive(t, Config{}, Page{})
	for size, status := range map[int]int{10 << 10: http.StatusBadRequest, 100 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		request := "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", size) + "\r\n\r\n"
		response, err := http.ReadResponse(send(t, redirect.Port(), request), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("%d octets: status %d", size, response.StatusCode)
		}
	}
}

// A browser that does not fetch the last page does not keep the login.
func TestNobodyFetchesThePage(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "NAT-15")
	redirect, _, done := receive(t, Config{}, Page{OK: true})
	connection, err := net.Dial("tcp", "127.0.0.1:"+redirect.Port())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_, _ = io.WriteString(connection, "GET /?state="+state+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusSeeOther || !pagePath.MatchString(response.Header.Get("Location")) {
		t.Errorf("status %d to %q", response.StatusCode, response.Header.Get("Location"))
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestContextEndsTheWait(t *testing.T) {
	t.Parallel()
	listener, err := Listen(Config{Addresses: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cause := errors.New("too late")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if err := listener.Receive(ctx, state, nil, nil); !errors.Is(err, cause) {
		t.Errorf("expected the cause, got %v", err)
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	t.Run("takes the first free address", func(t *testing.T) {
		t.Parallel()
		listener, err := Listen(Config{Addresses: []string{taken.Addr().String(), "127.0.0.1:0"}})
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
	})
	t.Run("names all that are taken", func(t *testing.T) {
		t.Parallel()
		_, err := Listen(Config{Addresses: []string{taken.Addr().String(), "nonsense"}})
		if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) || !strings.Contains(err.Error(), `"nonsense" is not host:port`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("answers on both loopback addresses", func(t *testing.T) {
		t.Parallel()
		if probe, err := net.Listen("tcp", "[::1]:0"); err != nil {
			t.Skip("this machine has no IPv6")
		} else {
			_ = probe.Close()
		}
		redirect, _, _ := receive(t, Config{}, Page{})
		for _, host := range []string{"127.0.0.1", "::1"} {
			response, _ := get(t, "http://"+net.JoinHostPort(host, redirect.Port())+"/nothing")
			if response.StatusCode != http.StatusNotFound {
				t.Errorf("%s: status %d", host, response.StatusCode)
			}
		}
	})
	t.Run("passes over a port that is taken on ::1", func(t *testing.T) {
		t.Parallel()
		other, err := net.Listen("tcp", "[::1]:0")
		if err != nil {
			t.Skip("this machine has no IPv6")
		}
		defer func() { _ = other.Close() }()
		number := strconv.Itoa(other.Addr().(*net.TCPAddr).Port)
		if _, err := Listen(Config{Addresses: []string{"127.0.0.1:" + number}}); err == nil {
			t.Error("the browser could be sent to another program")
		}
		// With a literal address in the redirect URI it cannot.
		literal, _ := url.Parse("http://127.0.0.1:" + number)
		listener, err := Listen(Config{Addresses: []string{"127.0.0.1:" + number}, RedirectURL: literal})
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
	})
}

// Any page in the person's browser can send requests to the port, as many as it likes, and hold connections open with a
// header that never ends.
func TestTenThousandStrays(t *testing.T) {
	t.Parallel()
	redirect, answers, done := receive(t, Config{}, Page{OK: true})
	for range 200 {
		connection, err := net.Dial("tcp", "127.0.0.1:"+redirect.Port())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = connection.Close() }()
		go func() { _, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nX-Slow: ") }()
	}
	const callers, strays = 20, 500
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	targets := []string{"/", "/?state=wrong&code=x", "/favicon.ico", "/?error=access_denied", "/done", "/done/"}
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for i := range strays {
				response, err := client.Get(redirect.String() + targets[i%len(targets)])
				if err != nil {
					t.Error(err)
					return
				}
				body, _ := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if response.StatusCode < 400 || strings.Contains(string(body), state) {
					t.Errorf("status %d: %s", response.StatusCode, body)
				}
			}
		})
	}
	all.Wait()
	client.CloseIdleConnections()
	select {
	case answer := <-answers:
		t.Fatalf("a stray was taken for the answer: %v", answer)
	case err := <-done:
		t.Fatalf("the wait has ended: %v", err)
	default:
	}
	if response, _ := get(t, redirect.String()+"/?state="+state); response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Browsers repeat requests; one answer is one login.
func TestManyAnswersAtOnce(t *testing.T) {
	t.Parallel()
	listener, err := Listen(Config{Addresses: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	finished := 0 // guarded by being touched once
	release := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- listener.Receive(t.Context(), state, func(url.Values) Outcome { finished++; <-release; return Outcome{Page: Page{OK: true}} }, nil)
	}()
	const copies = 50
	statuses := make(chan int, copies)
	for range copies {
		go func() {
			response, err := http.Get(listener.RedirectURI() + "/?code=c&state=" + state)
			if err != nil {
				statuses <- 0
				return
			}
			_ = response.Body.Close()
			statuses <- response.StatusCode
		}()
	}
	for range copies - 1 {
		if status := <-statuses; status != http.StatusConflict {
			t.Errorf("a copy got status %d", status)
		}
	}
	close(release)
	if status := <-statuses; status != http.StatusOK {
		t.Errorf("the answer got status %d", status)
	}
	if err := <-done; err != nil || finished != 1 {
		t.Errorf("%d logins, %v", finished, err)
	}
}

// A machine may have IPv4 alone or IPv6 alone.
func TestOneLoopbackAddress(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "NAT-03")
	for _, missing := range []string{"127.0.0.1", "::1"} {
		listen := func(address string) (net.Listener, error) {
			if host, _, _ := net.SplitHostPort(address); host == missing {
				return nil, syscall.EADDRNOTAVAIL
			}
			return net.Listen("tcp", "127.0.0.1:0") // stands for the other, which this machine may lack
		}
		sockets, err := bindBoth(listen, "127.0.0.1:0", "::1")
		if err != nil || len(sockets) != 1 {
			t.Fatalf("without %s: got %d sockets, %v", missing, len(sockets), err)
		}
		_ = sockets[0].Close()
	}
	taken := func(string) (net.Listener, error) { return nil, syscall.EADDRINUSE }
	if _, err := bindBoth(taken, "127.0.0.1:0", "::1"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("expected the port to be taken, got %v", err)
	}
}

// Who listens everywhere has the loopback addresses too, or passes over the port: on some systems somebody can have one of
// them beside all.
func TestListenEverywhere(t *testing.T) {
	t.Parallel()
	listenAs := func(taken string, tried *[]string) func(address string) (net.Listener, error) {
		return func(address string) (net.Listener, error) {
			*tried = append(*tried, address)
			if address == taken {
				return nil, syscall.EADDRINUSE
			}
			return net.Listen("tcp", "127.0.0.1:0") // stands for any address
		}
	}
	for _, taken := range []string{"127.0.0.1:8000", "[::1]:8000", "0.0.0.0:8000"} {
		if _, err := bindAll(listenAs(taken, new([]string)), "0.0.0.0:8000"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s is taken: got %v", taken, err)
		}
	}
	var tried []string
	sockets, err := bindAll(listenAs("", &tried), "0.0.0.0:8000")
	if err != nil || len(sockets) != 3 {
		t.Fatalf("got %d sockets, %v", len(sockets), err)
	}
	number := strconv.Itoa(port(sockets[0]))
	wanted := []string{"127.0.0.1:8000", "[::1]:8000", "0.0.0.0:8000", "127.0.0.1:" + number, "[::1]:" + number}
	if !slices.Equal(tried, wanted) {
		t.Errorf("expected %q, got %q", wanted, tried)
	}
	for _, socket := range sockets {
		_ = socket.Close()
	}

	// The real thing, where localhost is ::1 too.
	other, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return
	}
	for _, everywhere := range []string{"0.0.0.0", "", "::"} {
		if _, err := Listen(Config{Addresses: []string{net.JoinHostPort(everywhere, strconv.Itoa(port(other)))}}); err == nil {
			t.Errorf("%q: the browser could be sent to another program", everywhere)
		}
	}
	_ = other.Close()
	for _, everywhere := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		redirect, _, _ := receive(t, Config{Addresses: []string{everywhere}}, Page{})
		for _, host := range []string{"127.0.0.1", "::1"} {
			if response, _ := get(t, "http://"+net.JoinHostPort(host, redirect.Port())+"/nothing"); response.StatusCode != http.StatusNotFound {
				t.Errorf("%s on %s: status %d", everywhere, host, response.StatusCode)
			}
		}
	}
}

// The page that comes next is for those who are logged in; a failure is shown.
func TestNextPage(t *testing.T) {
	t.Parallel()
	for _, ok := range []bool{true, false} {
		redirect, _, done := receive(t, Config{}, Page{OK: ok, Title: "The outcome", Next: "http://127.0.0.1:1/next"})
		client := &http.Client{CheckRedirect: func(next *http.Request, _ []*http.Request) error {
			if next.URL.Path == "/next" {
				return http.ErrUseLastResponse
			}
			return nil
		}}
		response, err := client.Get(redirect.String() + "/?code=c&state=" + state)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if next := response.Header.Get("Location"); (next == "http://127.0.0.1:1/next") != ok {
			t.Errorf("logged in %t: status %d, sent to %q", ok, response.StatusCode, next)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// One login can lead to another in the same window. Only the browser that brought the first answer learns of it.
func TestAgain(t *testing.T) {
	t.Parallel()
	listener, err := Listen(Config{Addresses: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listener.Close)
	var answers []string
	done := make(chan error, 1)
	go func() {
		done <- listener.Receive(t.Context(), state, func(answer url.Values) Outcome {
			if answers = append(answers, answer.Get("error")+answer.Get("code")); len(answers) == 1 {
				return Outcome{Again: &Again{URL: "https://issuer.example/authorize?state=second", State: "second"}}
			}
			return Outcome{Page: Page{OK: true, Title: "done"}}
		}, nil)
	}()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page := "" // the browser alone is told where it is
	for _, step := range []struct {
		path, location string
		status         int
	}{
		{"/?state=second&code=early", "", http.StatusBadRequest},
		{"/?state=" + state + "&error=invalid_scope", "https://issuer.example/authorize?state=second", http.StatusSeeOther},
		{"/?state=" + state + "&error=invalid_scope", "", http.StatusBadRequest},
		{"/done", "", http.StatusNotFound},
		{"/?state=second&code=right", "/done/", http.StatusSeeOther},
		{"/?state=second&code=right", "", http.StatusConflict},
		{"/done", "", http.StatusNotFound},
		{"/done/", "", http.StatusNotFound},
		{"", "", http.StatusOK},
	} {
		response, err := client.Get("http://127.0.0.1:" + strconv.Itoa(listener.Port()) + cmp.Or(step.path, page))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		location := response.Header.Get("Location")
		if pagePath.MatchString(location) {
			page, location = location, "/done/"
		}
		if response.StatusCode != step.status || location != step.location {
			t.Errorf("%s: got %d to %q", step.path, response.StatusCode, location)
		}
	}
	if err := <-done; err != nil || !slices.Equal(answers, []string{"invalid_scope", "right"}) {
		t.Errorf("got %q, %v", answers, err)
	}
}

// Who pastes the first answer is told where to go on.
func TestAgainByPaste(t *testing.T) {
	t.Parallel()
	listener, err := Listen(Config{Addresses: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listener.Close)
	lines := []string{listener.RedirectURI() + "/?state=" + state + "&error=invalid_scope", listener.RedirectURI() + "/?state=second&code=right"}
	var told []string
	paste := &Paste{
		Read: func(context.Context) (line string, err error) {
			if len(lines) == 0 {
				return "", io.EOF
			}
			line, lines = lines[0], lines[1:]
			return line, nil
		},
		Bare:   func(string) error { return errors.New("no address") },
		Refuse: func(err error) { told = append(told, err.Error()) },
	}
	var code string
	err = listener.Receive(t.Context(), state, func(answer url.Values) Outcome {
		if code = answer.Get("code"); code == "" {
			return Outcome{Again: &Again{URL: "https://issuer.example/authorize?state=second", State: "second"}}
		}
		return Outcome{}
	}, paste)
	wanted := []string{"the provider wants to be asked in another way; open this URL now: https://issuer.example/authorize?state=second"}
	if err != nil || code != "right" || !slices.Equal(told, wanted) {
		t.Errorf("got code %q, lines %q, %v", code, told, err)
	}
}
