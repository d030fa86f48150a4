package provider

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
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
		if strings.TrimSpace(shown.UserCode) == "" || printable(shown.UserCode+shown.Address) != printable(shown.UserCode)+shown.Address {
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
