package loopback

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// knownHosts are the names of this machine as a browser sends them; likeKnownHosts are those and odd spellings of them,
// which may be taken or refused.
var (
	knownHosts     = regexp.MustCompile(`(?i)^(localhost|127\.0\.0\.1|\[::1\]|login\.example)(:[0-9]+)?$`)
	likeKnownHosts = regexp.MustCompile(`(?is)^\[*(localhost|127\.0\.0\.1|::1|login\.example)\]*(:.*)?$`)
)

// Every process and every page can send any request, any number of times: only the one with the right state counts, once.
func FuzzHandler(f *testing.F) {
	requirements.Covers(f, "NAT-08", "NAT-10", "NAT-12", "NAT-13", "NAT-14", "AUZ-08")
	const host = "login.example:8000"
	f.Add("", "GET", host, "/", "code=c&state="+state)
	f.Add("/callback", "GET", "localhost:8000", "/callback", "error=access_denied&state="+state)
	f.Add("/callback", "GET", "[::1]:8000", "/callback", "st%61te=the%2Dright-state")
	f.Add("/done/", "GET", "127.0.0.1", "/done/", "state="+state)
	f.Add("/callback", "GET", host, "/callback", "state="+state+"&state="+state)
	f.Add("/callback", "GET", host, "/callback", "state="+state+"&state=")
	f.Add("/callback", "GET", host, "/callback", "state=the-right-stat")
	f.Add("/callback", "GET", host, "/callback", "state="+state+";x=%")
	f.Add("/callback", "HEAD", host, "/callback", "state="+state)
	f.Add("/callback", "POST", host, "/callback", "state="+state)
	f.Add("/callback", "GET", host, "/callback/", "state="+state)
	f.Add("/callback", "GET", host, "/"+state, "state="+state)
	f.Add("/callback", "GET", "evil.example:8000", "/callback", "state="+state)
	f.Add("/callback", "GET", "localhost.evil.example", "/callback", "state="+state)
	f.Add("/callback", "GET", "", "/callback", "state="+state)
	f.Fuzz(func(t *testing.T, redirectPath, method, host, path, query string) {
		calls := 0
		h := &handler{
			door:     newDoor(url.URL{Scheme: "http", Host: "Login.example:8000", Path: redirectPath}),
			finish:   func(url.Values) Outcome { calls++; return Outcome{Page: Page{OK: true, Title: "done"}} },
			ready:    make(chan struct{}),
			answered: make(chan struct{}),
			fetched:  make(chan struct{}, 1),
		}
		h.begin(state)
		send := func(method, host, path, query string) *httptest.ResponseRecorder {
			recorder := httptest.NewRecorder()
			h.ServeHTTP(recorder, &http.Request{Method: method, Host: host, URL: &url.URL{Path: path, RawQuery: query}})
			checkTellsNothing(t, recorder, h.pagePath)
			return recorder
		}

		send(method, host, path, query)
		values, err := url.ParseQuery(query)
		callback := redirectPath
		if callback == "" {
			callback = "/"
		}
		isAnswer := method == "GET" && path == callback && err == nil && slices.Equal(values["state"], []string{state})
		if isAnswer && knownHosts.MatchString(host) && calls != 1 {
			t.Fatal("the answer was not taken")
		}
		if calls > 0 && !(isAnswer && likeKnownHosts.MatchString(host)) {
			t.Fatal("a stranger's request was taken for the answer")
		}

		// The right answer still gets through, and nothing is an answer after it.
		send("GET", "localhost", callback, "state="+state)
		send(method, host, path, query)
		if calls != 1 {
			t.Errorf("finish was called %d times, not once", calls)
		}
		if page := send("GET", "localhost", h.pagePath, ""); page.Code != http.StatusOK {
			t.Errorf("the page came with status %d", page.Code)
		}
	})
}

// checkTellsNothing holds a response against what strangers may learn.
func checkTellsNothing(t *testing.T, response *httptest.ResponseRecorder, pagePath string) {
	t.Helper()
	if location, ok := response.Header()["Location"]; ok && !slices.Equal(location, []string{pagePath}) {
		t.Errorf("the browser is sent to %q", location)
	}
	header := response.Header()
	checkPolicy(t, header.Get("Content-Security-Policy"))
	if header.Get("Cache-Control") != "no-store" || header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the headers do not protect: %v", header)
	}
	for name, values := range header {
		if strings.Contains(strings.Join(values, "\n"), state) {
			t.Errorf("the header %s has the state", name)
		}
	}
	if strings.Contains(response.Body.String(), state) {
		t.Error("the body has the state")
	}
}

// checkPolicy sees that nothing is allowed but the page's own style and script, by their hashes.
func checkPolicy(t *testing.T, policy string) {
	t.Helper()
	added, ok := strings.CutPrefix(policy, contentSecurityPolicy)
	if !ok || !regexp.MustCompile(`^(; (style|script)-src 'sha256-[0-9A-Za-z+/]{43}=')*$`).MatchString(added) {
		t.Errorf("the policy does not protect: %s", policy)
	}
}

// A stranger's text on the page stays text.
func FuzzPage(f *testing.F) {
	requirements.Covers(f, "NAT-16")
	f.Add("You are not logged in", "login: denied: no (access_denied)")
	f.Add("<script>", `</p><img src=x onerror="alert(1)">`)
	f.Add("{{lines}}", "{{title}}{{state}}")
	f.Add("\x00\xff", "&lt;'\"&amp;")
	f.Fuzz(func(t *testing.T, title, line string) {
		markup := func(page Page) string {
			recorder := httptest.NewRecorder()
			page.write(recorder)
			return strings.Map(func(r rune) rune {
				if strings.ContainsRune(`<>"'`, r) {
					return r
				}
				return -1
			}, recorder.Body.String())
		}
		page := func(ok bool, title, line string) Page {
			texts := []string{line, title}
			return Page{OK: ok, Title: title, Lines: texts, Hints: texts, Details: []Detail{{title, "-" + line}, {line, "-" + title}}}
		}
		for _, ok := range []bool{true, false} {
			if markup(page(ok, title, line)) != markup(page(ok, "title", "line")) {
				t.Error("the text became markup")
			}
		}
	})
}
