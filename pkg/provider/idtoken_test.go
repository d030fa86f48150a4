package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// What two readers could understand in two ways is not understood at all.
func TestParseIDTokenRefusesWhatIsAmbiguous(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "IDT-25")
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

// A key that a token brings along is its maker's word alone, and does not spoil a good signature either
// (https://openid.net/specs/openid-connect-core-1_0.html#IDToken).
func TestKeysInTheHeaderCountForNothing(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "IDT-22")
	attacker, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, attacker.Public(), attacker)
	if err != nil {
		t.Fatal(err)
	}
	headers := (&jose.SignerOptions{}).WithHeader("kid", "k").
		WithHeader("jwk", jose.JSONWebKey{Key: attacker.Public()}).
		WithHeader("x5c", []string{base64.StdEncoding.EncodeToString(certificate)})
	provider := newSigner(t)
	for name, test := range map[string]struct {
		key  *ecdsa.PrivateKey
		want string
	}{
		"attacker": {attacker, "its signature does not fit"},
		"provider": {provider.private, ""},
	} {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: test.key}, headers)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := signer.Sign([]byte(goodPayload))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := signature.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		_, err = verifyIDToken(t.Context(), raw, provider.expected("ES256"))
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("signed by the %s: expected %q, got %v", name, test.want, err)
		}
	}
}

// https://openid.net/specs/openid-connect-core-1_0.html#IDToken: at most 255 characters
func TestSubjectLength(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "IDT-07")
	signer := newSigner(t)
	for length, ok := range map[int]bool{0: false, 1: true, 255: true, 256: false} {
		payload := strings.Replace(goodPayload, "alice", strings.Repeat("a", length), 1)
		if _, err := verifyIDToken(t.Context(), signer.sign(t, payload), signer.expected("ES256")); (err == nil) != ok {
			t.Errorf("%d characters: got %v", length, err)
		}
	}
}
