package provider

import (
	"encoding/base64"
	"strings"
	"testing"
)

// What two readers could understand in two ways is not understood at all.
func TestParseIDTokenRefusesWhatIsAmbiguous(t *testing.T) {
	t.Parallel()
	const header = `{"alg":"RS256"}`
	for payload, want := range map[string]string{
		`{"aud":"kubernetes","sub":"alice","aud":"evil"}`: `its payload has "aud" twice`,
		`{"sub":"alice","s\u0075b":"mallory"}`:            `its payload has "sub" twice`,
		`{"sub":"alice"} {"sub":"mallory"}`:               "its payload is not a JSON object",
		`{"sub":"alice"}garbage`:                          "its payload is not a JSON object",
		`["sub","alice"]`:                                 "its payload is not a JSON object",
		`null`:                                            "its payload is not a JSON object",
		`{"exp":1e400}`:                                   "its exp has the wrong JSON type",
		`{"SUB":"mallory","sub":"alice","a":{"b":1},"b":[{"a":1},{"a":1}]}`: "",
	} {
		got, err := parseIDToken(compact(header, payload))
		if want == "" && (err != nil || got.claims.Subject != "alice") {
			t.Errorf("%s: expected subject alice, got %q, %v", payload, got.claims.Subject, err)
		}
		if want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: expected %q, got %v", payload, want, err)
		}
	}
	if _, err := parseIDToken(compact(`{"alg":"RS256","alg":"none"}`, `{}`)); err == nil ||
		err.Error() != `its header has "alg" twice` {
		t.Errorf("two algorithms: got %v", err)
	}
}

func compact(parts ...string) string {
	var encoded []string
	for _, part := range append(parts, "signature") {
		encoded = append(encoded, base64.RawURLEncoding.EncodeToString([]byte(part)))
	}
	return strings.Join(encoded, ".")
}
