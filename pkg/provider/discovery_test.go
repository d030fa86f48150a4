package provider

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

const fuzzMetadataJSON = `{"issuer":"` + fuzzIssuer + `","authorization_endpoint":"https://op.example/a",` +
	`"token_endpoint":"https://op.example/t","jwks_uri":"https://op.example/k"}`

// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest: one slash is taken off
func TestWellKnown(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "DSC-01")
	for issuer, want := range map[string]string{
		"https://op.example":          "https://op.example/.well-known/openid-configuration",
		"https://op.example/":         "https://op.example/.well-known/openid-configuration",
		"https://op.example/tenant":   "https://op.example/tenant/.well-known/openid-configuration",
		"https://op.example/tenant/":  "https://op.example/tenant/.well-known/openid-configuration",
		"https://op.example/tenant//": "https://op.example/tenant//.well-known/openid-configuration",
	} {
		asked := ""
		p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
			asked = request.URL.String()
			return nil, io.EOF
		}))
		p.config.Issuer = issuer
		if _, _, err := p.discover(t.Context(), true); err == nil || asked != want {
			t.Errorf("%s: expected a request for %s, got %q, %v", issuer, want, asked, err)
		}
	}
}

// Only a good answer with a JSON object is metadata. How it is called is another matter: servers get that wrong.
func TestAnswersToDiscovery(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "DSC-05")
	for name, test := range map[string]struct {
		status            int
		contentType, body string
		want              string // a part of the error; empty: it is taken
	}{
		"good":                 {200, "application/json", fuzzMetadataJSON, ""},
		"with a character set": {200, "application/json; charset=utf-8", fuzzMetadataJSON, ""},
		"as text":              {200, "text/plain", fuzzMetadataJSON, ""},
		"as octets":            {200, "application/octet-stream", fuzzMetadataJSON, ""},
		"as a page":            {200, "text/html; charset=utf-8", fuzzMetadataJSON, ""}, // PHP's default
		"without type":         {200, "", fuzzMetadataJSON, ""},
		"with a broken type":   {200, ";;;", fuzzMetadataJSON, ""},
		"created":              {201, "application/json", fuzzMetadataJSON, "answered 201 Created"},
		"not found":            {404, "application/json", fuzzMetadataJSON, "answered 404 Not Found"},
		"broken":               {500, "application/json", fuzzMetadataJSON, "answered 500 Internal Server Error"},
		"page":                 {200, "text/html", "<html>log in to the network", "answered with a web page instead of JSON"},
		"array":                {200, "application/json", "[" + fuzzMetadataJSON + "]", "did not answer with a JSON object"},
		"string":               {200, "application/json", `"` + fuzzIssuer + `"`, "did not answer with a JSON object"},
		"null":                 {200, "application/json", "null", `expected issuer "` + fuzzIssuer + `", got ""`},
		"nothing":              {200, "application/json", "", "did not answer with a JSON object"},
		"cut":                  {200, "application/json", fuzzMetadataJSON[:60], "did not answer with a JSON object"},
		"more than one":        {200, "application/json", fuzzMetadataJSON + fuzzMetadataJSON, "did not answer with a JSON object"},
		"endless": {200, "application/json", strings.Replace(fuzzMetadataJSON, "{", `{"x":"`+strings.Repeat("x", 5<<20)+`",`, 1),
			"did not answer with a JSON object"},
	} {
		p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: test.status,
				Header:     http.Header{"Content-Type": {test.contentType}},
				Body:       io.NopCloser(strings.NewReader(test.body)),
				Request:    request,
			}, nil
		}))
		_, _, err := p.discover(t.Context(), true)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: expected %q, got %v", name, test.want, err)
		}
	}
}

// https://openid.net/specs/openid-connect-discovery-1_0.html#StringOps: what looks the same may be another
func TestIssuersAreComparedByCodePoint(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "DSC-07")
	const composed, decomposed = "https://op.example/caf\u00e9", "https://op.example/cafe\u0301"
	for _, test := range []struct {
		configured, stated string
		same               bool
	}{
		{composed, composed, true},
		{decomposed, decomposed, true},
		{composed, decomposed, false},
		{decomposed, composed, false},
		{composed, "https://op.example/caf%C3%A9", false},
		{"https://op.example", "https://OP.example", false},
		{"https://op.example", "https://op.example:443", false},
	} {
		p, err := New(Config{Issuer: test.configured, ClientID: "kubernetes", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.readMetadata([]byte(strings.Replace(fuzzMetadataJSON, fuzzIssuer, test.stated, 1)))
		if (err == nil) != test.same {
			t.Errorf("metadata of %q for %q: %v", test.stated, test.configured, err)
		}
		got := idToken{claims: claims{Issuer: test.stated}}
		if err := checkTokenIssuer(got, expected{issuer: test.configured}); (err == nil) != test.same {
			t.Errorf("token of %q for %q: %v", test.stated, test.configured, err)
		}
	}
}

// Nobody is asked whom the issuer did not name, and what is posted is not sent on.
func TestRedirects(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "DSC-06", "TOK-12")
	const from = "https://op.example/from"
	for _, test := range []struct {
		method, to string
		followed   bool
	}{
		{http.MethodGet, "https://op.example/to", true},
		{http.MethodGet, "/to", true},
		{http.MethodGet, "https://evil.example/to", false},
		{http.MethodGet, "https://op.example:8443/to", false},
		{http.MethodGet, "https://op.example.evil.example/to", false},
		{http.MethodGet, "http://op.example/to", false},
		{http.MethodGet, "http://127.0.0.1/to", false},
		{http.MethodPost, "https://op.example/to", false},
		{http.MethodPost, "https://evil.example/to", false},
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			asked := 0
			p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
				asked++
				if asked > 1 {
					return &http.Response{StatusCode: 200, Body: http.NoBody, Request: request}, nil
				}
				header := http.Header{"Location": {test.to}}
				return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: request}, nil
			}))
			client, err := p.client()
			if err != nil {
				t.Fatal(err)
			}
			if test.method == http.MethodGet {
				_, _, err = p.get(t.Context(), from, "discovery")
			} else {
				_, err = client.PostForm(from, url.Values{"code": {marker}})
			}
			if (asked == 2) != test.followed {
				t.Errorf("%s, %d to %s: %d requests, %v", test.method, status, test.to, asked, err)
			}
		}
	}
	asked := 0
	p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
		asked++
		header := http.Header{"Location": {"/again"}}
		return &http.Response{StatusCode: 302, Header: header, Body: http.NoBody, Request: request}, nil
	}))
	if _, _, err := p.get(t.Context(), from, "discovery"); err == nil || asked > 5 {
		t.Errorf("a redirect in a circle: %d requests, %v", asked, err)
	}
}
