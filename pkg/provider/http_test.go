package provider

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// What is sent once must not be stopped by an impatient person; what is not sent yet, must.
func TestCancelledOnlyByDial(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		cancel() // the person loses patience when the request has arrived
		_, _ = io.WriteString(w, "answer")
	}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	send := func() (string, error) {
		request, err := http.NewRequestWithContext(cancelledOnlyByDial(ctx), http.MethodPost, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}

	if body, err := send(); body != "answer" || err != nil {
		t.Errorf("expected the answer, got %q, %v", body, err)
	}
	if _, err := send(); !errors.Is(err, context.Canceled) {
		t.Errorf("expected the connection not to be made, got %v", err)
	}
}

// Retry-After may be seconds or a date by the server's clock, and anything else means nothing.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	at := func(from time.Time, after time.Duration) string { return from.Add(after).Format(http.TimeFormat) }
	for name, test := range map[string]struct {
		text, date string
		want       time.Duration
	}{
		"nothing":                  {want: 0},
		"seconds":                  {text: "30", want: 30 * time.Second},
		"no seconds":               {text: "0", want: 0},
		"negative":                 {text: "-5", want: 0},
		"a fraction":               {text: "1.5", want: 0},
		"a word":                   {text: "soon", want: 0},
		"more than any number":     {text: "99999999999999999999", want: 0},
		"a date, our clock":        {text: at(now, time.Minute), want: time.Minute},
		"a date, the server's":     {text: at(now, time.Hour), date: at(now, 59*time.Minute), want: time.Minute},
		"a date in the past":       {text: at(now, -time.Minute), want: 0},
		"a date, rubbish for now":  {text: at(now, time.Minute), date: "yesterday", want: time.Minute},
		"seconds, rubbish for now": {text: "7", date: "yesterday", want: 7 * time.Second},
	} {
		header := http.Header{"Retry-After": {test.text}, "Date": {test.date}}
		if got := retryAfter(header, now); got != test.want {
			t.Errorf("%s: expected %s, got %s", name, test.want, got)
		}
	}
}

// Only a provider that is busy is waited for, and its word counts up to an hour.
func TestWaitHint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		wait   time.Duration
		want   []string
	}{
		{http.StatusTooManyRequests, 0, nil},
		{http.StatusTooManyRequests, 30 * time.Second, []string{"The provider asks to wait 30 s."}},
		{http.StatusServiceUnavailable, time.Hour, []string{"The provider asks to wait 3600 s."}},
		{http.StatusServiceUnavailable, time.Hour + time.Second, []string{"The provider asks to wait for more than an hour."}},
		{http.StatusNotFound, 30 * time.Second, nil},
	} {
		if got := waitHint(test.status, test.wait); !slices.Equal(got, test.want) {
			t.Errorf("%d and %s: expected %q, got %q", test.status, test.wait, test.want, got)
		}
	}
}

// Whichever endpoint does not answer: a request is given up after its time, and that costs no session.
func TestHangingEndpoints(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "TOK-12")
	for hanging, what := range map[string]string{
		"/a/.well-known/openid-configuration": "discovery",
		"/k":                                  "signing keys",
		"/t":                                  "refresh",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newHangingProvider(t, hanging)
				began := time.Now()
				session := token.Session{RefreshToken: token.NewSecret("secret"), Subject: "alice"}
				_, err := p.Refresh(t.Context(), token.Key{}, session)
				var failure *token.Error
				if !errors.As(err, &failure) || failure.Kind != token.Unreachable || errors.Is(err, token.ErrSessionEnded) {
					t.Fatalf("expected a provider that cannot be reached, got %v", err)
				}
				if want := what + ": cannot reach op.example: no answer in time"; failure.Error() != want {
					t.Errorf("expected %q, got %q", want, failure)
				}
				if !slices.Equal(failure.Hint, []string{keptHint}) {
					t.Errorf("unexpected hint %q", failure.Hint)
				}
				if took := time.Since(began); took != requestTimeout {
					t.Errorf("expected to wait %s, waited %s", requestTimeout, took)
				}
			})
		})
	}
}

// newHangingProvider returns a provider that answers well, but never at one path.
func newHangingProvider(t *testing.T, hanging string) *Provider {
	t.Helper()
	const origin = "https://op.example"
	documents := map[string]string{
		"/a/.well-known/openid-configuration": `{"issuer":"` + origin + `/a","authorization_endpoint":"` + origin + `/b",` +
			`"token_endpoint":"` + origin + `/t","jwks_uri":"` + origin + `/k"}`,
		"/k": `{"keys":[]}`,
	}
	p, err := New(Config{
		Issuer:    origin + "/a",
		ClientID:  "kubernetes",
		UserAgent: func() string { return "" },
		Now:       time.Now,
		Log:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := p.client()
	if err != nil {
		t.Fatal(err)
	}
	client.Transport.(*polite).next = roundTripper(func(request *http.Request) (*http.Response, error) {
		if request.URL.Path == hanging {
			<-request.Context().Done()
			return nil, request.Context().Err()
		}
		body := io.NopCloser(strings.NewReader(documents[request.URL.Path]))
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, Request: request}, nil
	})
	return p
}
