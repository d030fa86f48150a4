package provider

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// Whatever the device authorization endpoint answers, it is a login that a terminal and a browser can be shown, or a line
// that shows no secret.
func FuzzDevice(f *testing.F) {
	requirements.Covers(f, "DEV-02", "DEV-03", "OUT-04")
	const good = `{"device_code":"` + marker + `","user_code":"ABCD-EFGH","verification_uri":"https://op.example/device",` +
		`"verification_uri_complete":"https://op.example/device?user_code=ABCD-EFGH","expires_in":600,"interval":5}`
	for _, body := range []string{
		good, "", "null", "[]", "7", good[:60],
		strings.Replace(good, "verification_uri", "verification_url", 1),
		strings.Replace(good, "600", `"600"`, 1),
		strings.Replace(good, "600", "1e300", 1),
		strings.Replace(good, "600", "-1", 1),
		strings.Replace(good, "600", `"NaN"`, 1),
		strings.Replace(good, `"interval":5`, `"interval":"Inf"`, 1),
		strings.Replace(good, `"interval":5`, `"interval":1e-9`, 1),
		strings.Replace(good, `"interval":5`, `"interval":null`, 1),
		strings.Replace(good, "ABCD-EFGH", `\u001b[2J\u202e`, 1),
		strings.Replace(good, "https://op.example/device", "javascript:alert(1)", 1),
		strings.Replace(good, "https://op.example/device", "https://op.example/\u202e", 2),
		strings.Replace(good, "https://op.example/device?", "file:///etc/passwd?", 1),
	} {
		f.Add([]byte(body))
	}
	now := time.Unix(1_800_000_000, 0)
	p := newFuzzProvider(f, nil)
	p.config.Now = func() time.Time { return now }
	f.Fuzz(func(t *testing.T, body []byte) {
		login := &deviceLogin{provider: p}
		if err := login.read(body); err != nil {
			checkText(t, err)
			var failure *token.Error
			if strings.Contains(err.Error(), marker) || !errors.As(err, &failure) || len(failure.Hint) == 0 {
				t.Errorf("a bad error: %v", err)
			}
			return
		}
		shown := login.shown
		if login.code.IsEmpty() || login.interval < time.Second || login.interval > time.Hour ||
			!shown.Until.After(now) || shown.Until.After(now.Add(time.Hour)) {
			t.Errorf("not a login: %v, %s, %s", shown, login.interval, shown.Until)
		}
		if strings.TrimSpace(shown.UserCode) == "" || untrusted.Printable(shown.UserCode+shown.Address) != untrusted.Printable(shown.UserCode)+shown.Address {
			t.Errorf("not for a terminal: %q, %q", shown.UserCode, shown.Address)
		}
		for _, address := range []string{shown.Address, shown.Complete} {
			parsed, err := url.Parse(address)
			if address != "" && (err != nil || checkTransport(parsed) != nil) {
				t.Errorf("not for a browser: %q", address)
			}
		}
	})
}

// A client with a secret proves itself as elsewhere, and names itself in the form too. Dex reads the form alone.
func TestDeviceRequestOfConfidentialClient(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "DEV-01", "TOK-11")
	for name, test := range map[string]struct {
		endpoint string
		methods  []string
		inForm   bool
	}{
		"any":                {"https://op.example/realm/device_authorization", []string{"client_secret_basic", "client_secret_post"}, false},
		"elsewhere":          {"https://op.example/device/code", []string{"client_secret_basic", "client_secret_post"}, false},
		"Dex":                {fuzzIssuer + "/device/code", []string{"client_secret_basic", "client_secret_post"}, true},
		"it takes no secret": {fuzzIssuer + "/device/code", []string{"client_secret_basic"}, false},
		"it takes the form":  {"https://op.example/d", []string{"client_secret_post"}, true},
		"it lists no way":    {fuzzIssuer + "/device/code", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var form url.Values
			var header http.Header
			p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(request.Body)
				if err != nil {
					return nil, err
				}
				header = request.Header
				form, err = url.ParseQuery(string(body))
				return nil, errors.Join(err, errors.New("that is all"))
			}))
			p.config.ClientSecret = token.NewSecret(marker)
			from := fuzzMetadata()
			from.DeviceAuthURL, from.TokenAuthMethods = test.endpoint, test.methods
			if _, err := p.startDevice(t.Context(), from, &scopeChoice{}); err == nil {
				t.Error("there was no answer")
			}
			if form.Get("client_id") != "kubernetes" {
				t.Errorf("the form has the client %q", form.Get("client_id"))
			}
			if inForm, inHeader := form.Has("client_secret"), header.Get("Authorization") != ""; inForm != test.inForm || inHeader == inForm {
				t.Errorf("the secret is in the form: %t, in the header: %t", inForm, inHeader)
			}
		})
	}
}
