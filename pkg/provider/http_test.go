package provider

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
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
