package plugin

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// Whatever stands in the environment, the request is one that can be answered, or the zero value with a short line.
func FuzzReadRequest(f *testing.F) {
	f.Add("")
	f.Add("null")
	f.Add(`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":true}}`)
	f.Add(`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1",` +
		`"spec":{"cluster":{"server":"https://c.example"}}}`)
	f.Add(`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":null}}`)
	f.Add(`{"kind":"ExecCredential","apiVersion":"a\u001b[2J\nb"}`)
	f.Add(`{"kind":"` + strings.Repeat("Pod", 1000) + `"}`)
	f.Fuzz(func(t *testing.T, execInfo string) {
		request, err := ReadRequest(execInfo)
		if err != nil {
			if request != (Request{}) {
				t.Errorf("an error came with the request %+v", request)
			}
			if text := err.Error(); utf8.RuneCountInString(text) > 1500 || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("the error is no short line: %q", text)
			}
			return
		}
		if request.APIVersion != versionV1 && request.APIVersion != versionV1beta1 {
			t.Errorf("a request of version %q cannot be answered", request.APIVersion)
		}
	})
}

// kubectl reads what is written, whatever the token and its end.
func FuzzWriteCredential(f *testing.F) {
	f.Add(true, true, "the.id.token", int64(1893553445))
	f.Add(false, false, "", int64(0))
	f.Add(false, true, "</script>\u2028\"\\\x00\x7f", int64(1))
	f.Add(true, false, "not \xff UTF-8", int64(253402300799))
	f.Add(true, false, "a token without end", int64(253402300800)) // the year 10000
	f.Fuzz(func(t *testing.T, beta, interactive bool, token string, expiry int64) {
		if expiry < 0 {
			t.Skip("no token ended before 1970")
		}
		request := Request{APIVersion: versionV1, Interactive: interactive}
		if beta {
			request.APIVersion = versionV1beta1
		}
		var out bytes.Buffer
		if err := WriteCredential(&out, request, token, time.Unix(expiry, 0)); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(out.Bytes()) || bytes.Count(out.Bytes(), []byte("\n")) != 1 || !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
			t.Errorf("not one line of JSON: %q", out.String())
		}
		decoded := decodeAsKubectl(t, out.Bytes())
		if utf8.ValidString(token) && decoded.Status.Token != token {
			t.Errorf("expected the token %q, kubectl reads %q", token, decoded.Status.Token)
		}
		const lastSecond = 253402300799 // of the year 9999, the last that RFC 3339 can write
		if got := decoded.Status.ExpirationTimestamp.Unix(); got != min(expiry, lastSecond) {
			t.Errorf("expected the end at %d, kubectl reads %d", expiry, got)
		}
		if decoded.Spec.Interactive != interactive {
			t.Errorf("expected interactive %t", interactive)
		}
	})
}
