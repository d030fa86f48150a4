package cluster

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

const bearer = "header.payload-of-the-token.signature"

const review = `{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview","status":{"userInfo":{` +
	`"username":"oidc:alice\u001b[2J","uid":"7","groups":["oidc:dev\u202e","system:authenticated"],` +
	`"extra":{"authentication.kubernetes.io/credential-id":["JTI=1\n"]}}}}`

// startServer starts an API server, and returns how to reach it.
func startServer(t *testing.T, handler http.HandlerFunc) (*httptest.Server, Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, Server{URL: server.URL, CertificateAuthority: certificateOf(server), UserAgent: "test/1"}
}

func certificateOf(server *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestWhoAmI(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-22")
	_, server := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if got, want := string(body), `{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`; err != nil || got != want {
			t.Errorf("it was sent %s, %v", got, err)
		}
		got := []string{r.Method, r.URL.Path, r.UserAgent(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("Accept")}
		want := []string{
			"POST", "/k8s/clusters/c-1/apis/authentication.k8s.io/v1/selfsubjectreviews", "test/1", "Bearer " + bearer,
			"application/json", "application/json",
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("expected %q, got %q", want, got)
		}
		answer(http.StatusCreated, review)(w, r)
	})
	server.URL += "/k8s/clusters/c-1/"
	got, err := WhoAmI(t.Context(), server, token.NewSecret(bearer))
	want := Identity{
		Username: "oidc:alice[2J", UID: "7", Groups: []string{"oidc:dev", "system:authenticated"},
		Extra: map[string][]string{"authentication.kubernetes.io/credential-id": {"JTI=1"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("expected %+v, got %+v, %v", want, got, err)
	}
}

// Only the certificates of the cluster count, under the name that is meant.
func TestWhoAmIBelieves(t *testing.T) {
	t.Parallel()
	_, server := startServer(t, answer(http.StatusCreated, review))
	named, misnamed, stranger, careless := server, server, server, server
	named.TLSServerName = "example.com" // is in httptest's certificate
	misnamed.TLSServerName = "kubernetes.example"
	stranger.CertificateAuthority = ""
	careless.CertificateAuthority, careless.Insecure = "", true
	for name, test := range map[string]struct {
		server Server
		want   string
	}{
		"its authority":     {server, ""},
		"its name":          {named, ""},
		"anybody":           {careless, ""},
		"another name":      {misnamed, "tls: failed to verify certificate: x509: certificate is valid for"},
		"another authority": {stranger, "its certificate is signed by an authority that is not the cluster's"},
	} {
		_, err := WhoAmI(t.Context(), test.server, token.NewSecret(bearer))
		if test.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		checkFailure(t, name, err, token.Unreachable, test.want)
	}
}

// checkFailure also looks for the token, and for what is not one line.
func checkFailure(t *testing.T, name string, err error, kind token.Kind, text string) {
	t.Helper()
	var failure *token.Error
	if !errors.As(err, &failure) || failure.Kind != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: expected %q of kind %d, got %#v, %v", name, text, kind, failure, err)
		return
	}
	said := err.Error() + strings.Join(failure.Hint, "")
	if strings.Contains(said, "payload-of-the-token") || strings.ContainsFunc(said, unicode.IsControl) {
		t.Errorf("%s: it says %q", name, said)
	}
}

func TestWhoAmIRefused(t *testing.T) {
	t.Parallel()
	for status, test := range map[int]struct {
		kind token.Kind
		text string
		hint string
	}{
		403: {token.Refused, "answered 403 Forbidden: it takes the token, but does not let this user ask who they are", "system:basic-user"},
		404: {token.Failed, "answered 404 Not Found: it cannot be asked whom it sees", "older than Kubernetes 1.28"},
		307: {token.Unreachable, "answered 307 Temporary Redirect, and a token is sent nowhere else", "portal"},
		429: {token.Unreachable, "answered 429 Too Many Requests", "Try again"},
		500: {token.Unreachable, "answered 500 Internal Server Error", "Try again"},
	} {
		_, server := startServer(t, answer(status, `{"kind":"Status","message":"`+bearer+`"}`))
		_, err := WhoAmI(t.Context(), server, token.NewSecret(bearer))
		checkFailure(t, fmt.Sprint(status), err, test.kind, test.text)
		var failure *token.Error
		if errors.As(err, &failure) && !strings.Contains(strings.Join(failure.Hint, " "), test.hint) {
			t.Errorf("%d: the hint is %q", status, failure.Hint)
		}
		if errors.Is(err, ErrUnauthorized) {
			t.Errorf("%d is taken for a 401", status)
		}
	}
}

// Nobody may ask who they are by default, so a token that is lost on its way looks like a lack of rights.
func TestWhoAmIAnonymous(t *testing.T) {
	t.Parallel()
	const forbidden = `{"kind":"Status","status":"Failure","message":"selfsubjectreviews.authentication.k8s.io is forbidden: User \"NAME\" ` +
		`cannot create resource \"selfsubjectreviews\" in API group \"authentication.k8s.io\" at the cluster scope","reason":"Forbidden","code":403}`
	for user, test := range map[string]struct {
		kind token.Kind
		text string
		hint string
	}{
		"system:anonymous":      {token.Failed, "answered 403 Forbidden: it sees nobody, so the token does not arrive", "pass the Authorization header on"},
		"oidc:system:anonymous": {token.Refused, "it takes the token", "system:basic-user"},
	} {
		_, server := startServer(t, answer(http.StatusForbidden, strings.Replace(forbidden, "NAME", user, 1)))
		_, err := WhoAmI(t.Context(), server, token.NewSecret(bearer))
		checkFailure(t, user, err, test.kind, test.text)
		var failure *token.Error
		if errors.As(err, &failure) && !strings.Contains(strings.Join(failure.Hint, " "), test.hint) {
			t.Errorf("%s: the hint is %q", user, failure.Hint)
		}
	}
}

func TestWhoAmIUnauthorized(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	for date, want := range map[string]time.Time{clock.Format(http.TimeFormat): clock, "yesterday": {}} {
		_, server := startServer(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", date)
			answer(http.StatusUnauthorized, `{"message":"`+bearer+`"}`)(w, r)
		})
		_, err := WhoAmI(t.Context(), server, token.NewSecret(bearer))
		checkFailure(t, date, err, token.Refused, "the API server does not take the token (401 Unauthorized)")
		var unauthorized *UnauthorizedError
		if !errors.As(err, &unauthorized) || !unauthorized.Clock.Equal(want) || !errors.Is(err, ErrUnauthorized) {
			t.Errorf("%s: got %#v", date, err)
		}
	}
}

func TestWhoAmIUnreadable(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"": "something else", "{}": "something else", "[]": "something else", `{"kind":"SelfSubjectReview"}`: "something else",
		`{"kind":"Status","status":"Failure"}`: "something else", "<html>" + bearer: "a web page instead of JSON",
		`{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"\u001b"}}}`: "something else",
		strings.Replace(review, "SelfSubjectReview", "TokenReview", 1):             "something else",
		strings.Repeat(" ", maxBody) + review:                                      "something else",
	} {
		_, server := startServer(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if strings.HasPrefix(body, "<") {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
			}
			_, _ = io.WriteString(w, body)
		})
		_, err := WhoAmI(t.Context(), server, token.NewSecret(bearer))
		checkFailure(t, untrusted.Printable(body), err, token.Unreachable, "it answered with "+want)
	}
}

// The token goes to the server that is named, and to nobody to whom that one points.
func TestWhoAmIFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	elsewhere, _ := startServer(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	for _, status := range []int{301, 302, 303, 307, 308} {
		_, server := startServer(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, status)
		})
		_, err := WhoAmI(t.Context(), server, token.NewSecret(bearer))
		checkFailure(t, fmt.Sprint(status), err, token.Unreachable, "a token is sent nowhere else")
	}
}

func TestWhoAmIMisused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		server Server
		token  string
		text   string
	}{
		{Server{URL: "https://localhost:1"}, "", "there is no token"},
		{Server{URL: "http://cluster.example"}, bearer, "is not https"},
		{Server{URL: "http://localhost.example"}, bearer, "is not https"},
		{Server{URL: "ftp://localhost"}, bearer, "is not https"},
		{Server{URL: "cluster.example:6443"}, bearer, "is not a URL"},
		{Server{URL: "https://me:secret@cluster.example"}, bearer, "is not a URL"},
		{Server{URL: "https://cluster.example\x1b"}, bearer, "is not a URL"},
		{Server{URL: "https://localhost:1", CertificateAuthority: "rubbish"}, bearer, "certificate authority has no PEM certificate in it"},
	} {
		_, err := WhoAmI(t.Context(), test.server, token.NewSecret(test.token))
		checkFailure(t, test.server.URL, err, token.Misused, test.text)
	}
}

func TestWhoAmIUnreachable(t *testing.T) {
	t.Parallel()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = echo.Close() })
	go func() {
		for connection, err := echo.Accept(); err == nil; connection, err = echo.Accept() {
			_, _ = io.WriteString(connection, bearer+"\x1b\r\n\r\n") // no HTTP at all
			_ = connection.Close()
		}
	}()
	waits := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does a server see that the client has gone
		<-r.Context().Done()
	}))
	t.Cleanup(waits.Close)
	old := httptest.NewUnstartedServer(answer(http.StatusCreated, review))
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // it is to be refused
	old.StartTLS()
	t.Cleanup(old.Close)
	impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	t.Cleanup(cancel)
	for _, test := range []struct {
		ctx    context.Context
		server Server
		text   string
	}{
		{t.Context(), Server{URL: "http://" + echo.Addr().String()}, "cannot reach " + echo.Addr().String() + ": "},
		{t.Context(), Server{URL: "https://name.invalid"}, "the name name.invalid cannot be looked up"},
		{t.Context(), Server{URL: old.URL, Insecure: true}, "protocol version"},
		{impatient, Server{URL: waits.URL}, "no answer in time"},
	} {
		_, err := WhoAmI(test.ctx, test.server, token.NewSecret(bearer))
		checkFailure(t, test.server.URL, err, token.Unreachable, test.text)
	}

	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	if _, err := WhoAmI(interrupted, Server{URL: waits.URL}, token.NewSecret(bearer)); !errors.Is(err, context.Canceled) {
		t.Errorf("expected to be interrupted, got %v", err)
	}
}

func TestWhoAmIUsesTheProxy(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host != "127.0.0.1:9" {
			t.Errorf("the proxy is asked for %s", r.URL)
		}
		answer(http.StatusCreated, review)(w, r)
	}))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := WhoAmI(t.Context(), Server{URL: "http://127.0.0.1:9", Proxy: http.ProxyURL(address)}, token.NewSecret(bearer)); err != nil {
		t.Error(err)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-22")
	predicted := Identity{Username: "oidc:alice", Groups: []string{"oidc:dev", "oidc:ops"}}
	for name, test := range map[string]struct {
		seen Identity
		want []string
	}{
		"the same": {
			Identity{Username: "oidc:alice", Groups: []string{"oidc:ops", "oidc:dev", "system:authenticated"}},
			[]string{`ok user name: The API server sees "oidc:alice"`, `ok groups: `},
		},
		"another prefix": {
			Identity{Username: "alice", Groups: []string{"dev", "oidc:ops"}},
			[]string{
				`warning user name: The API server sees "alice", where the token was to make it see "oidc:alice".`,
				`warning groups: The API server sees other groups than the token has for it. Missing: "oidc:dev". Unexpected: "dev".`,
			},
		},
		"nobody": {
			Identity{Username: "system:anonymous", Groups: []string{"system:unauthenticated"}},
			[]string{"error user name: The API server sees nobody", "warning groups: "},
		},
	} {
		checkFindings(t, name, Compare(predicted, test.seen), test.want)
	}
}

// checkFindings expects these findings, each by its beginning, in this order.
func checkFindings(t *testing.T, name string, got []Finding, want []string) {
	t.Helper()
	for i, finding := range got {
		line := finding.Severity.String() + " " + finding.Subject + ": " + finding.Text
		if i >= len(want) || !strings.HasPrefix(line, want[i]) {
			t.Errorf("%s: finding %d is not expected: %s", name, i, line)
		}
	}
	if len(got) < len(want) {
		t.Errorf("%s: expected %d findings, got %d", name, len(want), len(got))
	}
}

func TestFindingAsJSON(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal([]Finding{{Error, "issuer", "It differs.", ""}, {Note, "groups", "None.", "Ask."}})
	want := `[{"severity":"error","subject":"issuer","text":"It differs."},{"severity":"note","subject":"groups","text":"None.","remedy":"Ask."}]`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

// Whoever answers as the API server leaves nothing that a terminal would obey.
func FuzzReview(f *testing.F) {
	for _, body := range []string{
		review, "", "null", "{}", `{"kind":"SelfSubjectReview","status":null}`, strings.Replace(review, `"7"`, "7", 1),
		strings.Replace(review, "alice", `\ud800\u0000`, 1), strings.Replace(review, `["JTI=1\n"]`, "null", 1),
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		who, ok := parseReview(body)
		if ok != (who.Username != "") {
			t.Errorf("%q: %t, %+v", body, ok, who)
		}
		said := who.Username + who.UID + strings.Join(who.Groups, "")
		for name, values := range who.Extra {
			said += name + strings.Join(values, "")
		}
		if strings.ContainsFunc(said, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			t.Errorf("a terminal would obey %q", said)
		}
	})
}
