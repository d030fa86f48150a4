package test

import (
	"crypto/tls"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// browse is the program "browser": it does what a browser does at a provider that asks nothing, and it is as noisy as
// real ones. It notes the URL in $WORK/browser.log, all that it was started with in $WORK/child.log, and keeps the last
// page in $WORK/page.html. $BROWSING names the rest:
//
//	""      follow the redirects to the end
//	idle    open nothing; the person has gone
//	broken  fail to start
//	strays  send the loopback listener what strangers send, then the real answer
//	twice   send the real answer a second time
//	form    send the form of the page, as its script would
//	late    find that a stranger has fetched the page before
func browse() {
	fmt.Println(`{"kind":"browser noise on stdout"}`)
	fmt.Fprintln(os.Stderr, "browser noise on stderr")
	target := os.Args[len(os.Args)-1]
	noteURL(target)
	noteChild(target)
	_ = os.Remove(workFile("page.html"))
	// The scripted browser believes every certificate; that the program does not is what scripts are about.
	http.DefaultTransport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	switch os.Getenv("BROWSING") {
	case "idle":
		return
	case "broken":
		os.Exit(3)
	case "form":
		keepPage(sendForm(target))
		return
	case "late":
		page, err := url.Parse(target)
		check(err)
		visit(page)
		keepPage(visit(page))
		return
	}
	callback := answerOf(target)
	switch os.Getenv("BROWSING") {
	case "strays":
		sendStrays(callback)
	case "twice":
		go visit(callback)
	}
	keepPage(visit(callback))
}

// keepPage is what the command "page" waits for.
func keepPage(page []byte) {
	check(os.WriteFile(workFile("page.new"), page, 0o600))
	check(os.Rename(workFile("page.new"), workFile("page.html")))
}

// sendForm notes the form's page in $WORK/form.html, posts the form, and returns the page to which that leads.
func sendForm(target string) []byte {
	address, err := url.Parse(target)
	check(err)
	page := visit(address)
	check(os.WriteFile(workFile("form.html"), page, 0o600))
	action := regexp.MustCompile(`method="post" action="([^"]*)"`).FindSubmatch(page)
	if action == nil {
		return page
	}
	fields := url.Values{}
	for _, field := range regexp.MustCompile(`type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllSubmatch(page, -1) {
		fields.Add(html.UnescapeString(string(field[1])), html.UnescapeString(string(field[2])))
	}
	return read(http.PostForm(html.UnescapeString(string(action[1])), fields))
}

func noteURL(target string) {
	log, err := os.OpenFile(workFile("browser.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	check(err)
	_, err = fmt.Fprintf(log, "open %s\nexec info in the environment: %t\n", target, os.Getenv("KUBERNETES_EXEC_INFO") != "")
	check(err)
	check(log.Close())
}

// noteChild writes down what everybody on the machine may see of this process. State and nonce are left out: the browser
// cannot do without them, and they are worth nothing without the verifier.
func noteChild(target string) {
	parsed, err := url.Parse(target)
	check(err)
	seen := strings.Join(append(slices.Clone(os.Args), os.Environ()...), "\n")
	for _, name := range []string{"state", "nonce"} {
		if value := parsed.Query().Get(name); value != "" {
			seen = strings.ReplaceAll(seen, url.QueryEscape(value), name)
		}
	}
	check(os.WriteFile(workFile("child.log"), []byte(seen), 0o600))
}

// answerOf asks the provider and returns where it sends the browser.
func answerOf(target string) *url.URL {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(target)
	check(err)
	defer func() { _ = response.Body.Close() }()
	location, err := response.Location()
	check(err)
	return location
}

// visit follows redirects like a browser and returns the page, with its status and headers before it.
func visit(target *url.URL) []byte { return read(http.Get(target.String())) }

func read(response *http.Response, err error) []byte {
	check(err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	check(err)
	return fmt.Appendf(nil, "%s %s\n%v\n\n%s", response.Status, response.Request.URL, response.Header, body)
}

// sendStrays sends what an old tab, a hostile page or a curious process may send. Each must be answered, tell nothing,
// and end nothing.
func sendStrays(callback *url.URL) {
	log, err := os.Create(workFile("strays.log"))
	check(err)
	defer func() { _ = log.Close() }()
	wrongState := *callback
	query := callback.Query()
	query.Set("state", "wrong")
	wrongState.RawQuery = query.Encode()
	for _, stray := range []struct {
		method, host, target string
	}{
		{http.MethodGet, "", callback.Scheme + "://" + callback.Host + "/"},
		{http.MethodGet, "", callback.Scheme + "://" + callback.Host + "/favicon.ico"},
		{http.MethodGet, "", callback.Scheme + "://" + callback.Host + "/done"},
		{http.MethodGet, "", callback.Scheme + "://" + callback.Host + "/done/"},
		{http.MethodGet, "", wrongState.String()},
		{http.MethodGet, "", callback.Scheme + "://" + callback.Host + "/?error=access_denied"},
		{http.MethodGet, "", callback.Scheme + "://" + callback.Host + "/?error=access_denied&state=wrong"},
		{http.MethodHead, "", callback.String()},
		{http.MethodPost, "", callback.String()},
		{http.MethodOptions, "", callback.String()},
		{http.MethodGet, "attacker.example", callback.String()},
	} {
		request, err := http.NewRequest(stray.method, stray.target, nil)
		check(err)
		if stray.host != "" {
			request.Host = stray.host
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		check(err)
		body, err := io.ReadAll(response.Body)
		check(err)
		_ = response.Body.Close()
		_, err = fmt.Fprintf(log, "%s %d %v %s\n", stray.method, response.StatusCode, response.Header, body)
		check(err)
	}
}

func workFile(name string) string { return filepath.Join(os.Getenv("WORK"), name) }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "scripted browser:", err)
		os.Exit(1)
	}
}
