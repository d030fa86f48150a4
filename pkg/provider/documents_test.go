package provider

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// A document is kept as long as the provider allows, within bounds
// (https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.1).
func TestDocumentsAreKept(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "JWK-11")
	for header, age := range map[string]time.Duration{
		"max-age=600":                   10 * time.Minute,
		"public, max-age=7200":          2 * time.Hour,
		"max-age=0":                     minDocumentAge,
		"no-store":                      minDocumentAge,
		"max-age=600, no-cache":         minDocumentAge,
		"max-age=31536000":              maxDocumentAge,
		"":                              defaultDocumentAge,
		"s-maxage=600, must-revalidate": defaultDocumentAge,
	} {
		asked := 0
		p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
			asked++
			return &http.Response{
				StatusCode: http.StatusOK,
				Header:     http.Header{"Cache-Control": {header}},
				Body:       io.NopCloser(strings.NewReader(`{"keys":[]}`)),
				Request:    request,
			}, nil
		}))
		disk := map[string][]byte{}
		p.config.LoadDocument = func(name string) []byte { return disk[name] }
		p.config.SaveDocument = func(name string, text []byte) { disk[name] = text }
		now := p.config.Now()
		p.config.Now = func() time.Time { return now }
		ask := func(address string, requests int) {
			t.Helper()
			from := fuzzMetadata()
			from.JWKSURL = address
			if _, _, err := p.keys(t.Context(), from, false); err != nil || asked != requests {
				t.Errorf("%q: expected %d requests, got %d, %v", header, requests, asked, err)
			}
		}
		const ours, other = "https://op.example/keys", "https://other.example/keys"
		ask(ours, 1)
		now = now.Add(age - time.Second)
		ask(ours, 1)
		ask(other, 2) // each provider has its own
		now = now.Add(time.Second)
		ask(ours, 3)
		ask(other, 3)
		now = now.Add(-time.Hour) // what comes from the future is not believed
		ask(ours, 4)
	}
}
