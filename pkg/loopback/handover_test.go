package loopback

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const handedOver = `a secret "in" <quotes>`

func newHandover(t *testing.T, back func(url.Values) Page) *Handover {
	t.Helper()
	listener, err := Listen(Config{Addresses: []string{"127.0.0.1:0"}, RedirectURL: &url.URL{Scheme: "http", Host: "127.0.0.1", Path: "/bye"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listener.Close)
	form := Form{Title: "Log <out>", Action: "https://op.example/end?a=b&c=d", Fields: url.Values{"token": {handedOver}}}
	return listener.HandOver(form, back)
}

func visitPage(t *testing.T, method, address string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// The first browser gets the form, nobody a second time, and who comes back gets the page.
func TestHandover(t *testing.T) {
	t.Parallel()
	var brought url.Values
	handover := newHandover(t, func(response url.Values) Page { brought = response; return Page{OK: true, Title: "bye"} })
	ended := make(chan error, 1)
	go func() { ended <- handover.Await(t.Context()) }()
	base := strings.TrimSuffix(handover.URL(), handover.path)

	for address, status := range map[string]int{base: 404, base + "/": 404, base + "/done": 404, base + "/done/": 404, base + "/bye?state=x": 409} {
		if got, body := visitPage(t, "GET", address); got != status || strings.Contains(body, "secret") {
			t.Errorf("%s: got %d %s", address, got, body)
		}
	}
	if got, body := visitPage(t, "POST", handover.URL()); got != 405 || strings.Contains(body, "secret") || handover.Taken() {
		t.Errorf("got %d %s", got, body)
	}
	status, body := visitPage(t, "GET", handover.URL())
	if status != 200 || !strings.Contains(body, `action="https://op.example/end?a=b&amp;c=d"`) || !handover.Taken() ||
		!strings.Contains(body, `name="token" value="a secret &#34;in&#34; &lt;quotes&gt;"`) || !strings.Contains(body, "Log &lt;out&gt;") {
		t.Errorf("got %d %s", status, body)
	}
	if handover.AskedForAgain() {
		t.Error("one visitor counts as two")
	}
	if got, body := visitPage(t, "GET", handover.URL()); got != 410 || !handover.AskedForAgain() || strings.Contains(body, "secret") {
		t.Errorf("the second visit: got %d %s", got, body)
	}
	if got, body := visitPage(t, "GET", base+"/bye?state=x"); got != 200 || !strings.Contains(body, "bye") {
		t.Errorf("got %d %s", got, body)
	}
	if err := <-ended; err != nil || brought.Get("state") != "x" {
		t.Errorf("got %v, %v", err, brought)
	}
}

// Without a way back, the form is all.
func TestHandoverWithoutReturn(t *testing.T) {
	t.Parallel()
	handover := newHandover(t, nil)
	ended := make(chan error, 1)
	go func() { ended <- handover.Await(t.Context()) }()
	if status, body := visitPage(t, "GET", handover.URL()); status != 200 || !strings.Contains(body, "secret") {
		t.Errorf("got %d %s", status, body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The last page is there as soon as the browser is sent to it.
func TestHandoverToAHastyBrowser(t *testing.T) {
	t.Parallel()
	handover := newHandover(t, func(url.Values) Page { return Page{OK: true, Title: "bye"} })
	visit := func(w http.ResponseWriter, path string) {
		address := handover.redirectURI
		address.Path = path
		handover.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address.String(), nil))
	}
	visit(httptest.NewRecorder(), handover.path)
	page := httptest.NewRecorder()
	visit(hastyBrowser{httptest.NewRecorder(), func() { visit(page, handover.pagePath) }}, "/bye")
	if page.Code != http.StatusOK {
		t.Errorf("the page was answered with %d", page.Code)
	}
}

// A browser that finds the form gone means that a stranger had it first. That is seen also where nobody comes back.
func TestHandoverToAStranger(t *testing.T) {
	t.Parallel()
	handover := newHandover(t, nil)
	ended := make(chan error, 1)
	go func() { ended <- handover.Await(t.Context()) }()
	for _, wanted := range []int{200, 410} {
		response, err := http.Get(handover.URL())
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		// Only an answer of known length is whole where the listener closes right after it.
		if response.StatusCode != wanted || response.ContentLength <= 0 {
			t.Errorf("got %d with %d octets in place of %d", response.StatusCode, response.ContentLength, wanted)
		}
	}
	if err := <-ended; err != nil || !handover.AskedForAgain() {
		t.Errorf("got %v, asked for again: %t", err, handover.AskedForAgain())
	}
}

func TestHandoverEndsWithItsContext(t *testing.T) {
	t.Parallel()
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if err := newHandover(t, nil).Await(ctx); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

// Whoever does not know the path, or comes by another name, does not get what is handed over.
func FuzzHandover(f *testing.F) {
	f.Add("GET", "localhost:8000", "/", "")
	f.Add("GET", "localhost:8000", "/bye", "state=x")
	f.Add("GET", "evil.example", "/THE-PATH", "")
	f.Add("HEAD", "localhost:8000", "/THE-PATH", "")
	f.Add("GET", "localhost:8000", "//THE-PATH", "")
	f.Add("GET", "localhost:8000", "/the-path", "")
	f.Fuzz(func(t *testing.T, method, host, path, query string) {
		handover := &Handover{
			door:    newDoor(url.URL{Scheme: "http", Host: "localhost:8000", Path: "/bye"}),
			form:    Form{Action: "https://op.example", Fields: url.Values{"token": {"secret"}}},
			path:    "/THE-PATH",
			back:    func(url.Values) Page { return Page{} },
			done:    make(chan struct{}),
			fetched: make(chan struct{}, 1),
		}
		recorder := httptest.NewRecorder()
		handover.ServeHTTP(recorder, &http.Request{Method: method, Host: host, URL: &url.URL{Path: path, RawQuery: query}})
		mayHave := method == http.MethodGet && path == handover.path && handover.knowsHost(host)
		if has := strings.Contains(recorder.Body.String(), "secret"); has != mayHave || handover.Taken() != mayHave {
			t.Errorf("handed over: %t", has)
		}
		if recorder.Header().Get("Cache-Control") != "no-store" || !strings.HasPrefix(recorder.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("headers: %v", recorder.Header())
		}
	})
}
