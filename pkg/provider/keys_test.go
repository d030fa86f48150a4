package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// jwk returns a key as the provider publishes it, with members changed.
func jwk(t *testing.T, key any, changes map[string]any) json.RawMessage {
	t.Helper()
	text, err := jose.JSONWebKey{Key: key}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		members[name] = value
	}
	if text, err = json.Marshal(members); err != nil {
		t.Fatal(err)
	}
	return text
}

func newECKey(t *testing.T, curve elliptic.Curve) *ecdsa.PublicKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &private.PublicKey
}

// A key counts for a signature if its ID, type, curve, use and algorithm fit; whatever is wrong with one key, the good
// one beside it is found.
func TestFittingKeys(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "JWK-04", "JWK-05", "JWK-06", "JWK-07", "JWK-08", "JWK-09", "JWK-13")
	p256 := newECKey(t, elliptic.P256())
	p256Private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaPrivate, err := rsa.GenerateKey(rand.Reader, minRSABits)
	if err != nil {
		t.Fatal(err)
	}
	good := jwk(t, p256, map[string]any{"kid": "good"})
	for name, test := range map[string]struct {
		other     json.RawMessage
		keyID     string
		algorithm string
		fitting   int
	}{
		"alone":                      {nil, "good", "ES256", 1},
		"another ID":                 {nil, "other", "ES256", 0},
		"no ID, one key":             {nil, "", "ES256", 1},
		"no ID, two keys":            {jwk(t, newECKey(t, elliptic.P256()), nil), "", "ES256", 2},
		"same ID twice":              {jwk(t, newECKey(t, elliptic.P256()), map[string]any{"kid": "good"}), "good", "ES256", 2},
		"wrong type":                 {nil, "good", "RS256", 0},
		"wrong curve for algorithm":  {nil, "good", "ES384", 0},
		"no algorithm":               {nil, "good", "", 0},
		"HMAC":                       {nil, "good", "HS256", 0},
		"for encryption":             {jwk(t, p256, map[string]any{"kid": "x", "use": "enc"}), "x", "ES256", 0},
		"not for verifying":          {jwk(t, p256, map[string]any{"kid": "x", "key_ops": []string{"encrypt"}}), "x", "ES256", 0},
		"for verifying":              {jwk(t, p256, map[string]any{"kid": "x", "use": "sig", "key_ops": []string{"verify"}}), "x", "ES256", 1},
		"for another algorithm":      {jwk(t, p256, map[string]any{"kid": "x", "alg": "ES384"}), "x", "ES256", 0},
		"symmetric":                  {json.RawMessage(`{"kty":"oct","k":"AAAA","kid":"x"}`), "x", "HS256", 0},
		"unknown curve":              {json.RawMessage(`{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","kid":"x"}`), "x", "ES256", 0},
		"unknown type":               {json.RawMessage(`{"kty":"AKP","alg":"ML-DSA-44","pub":"AA","kid":"x"}`), "x", "ML-DSA-44", 0},
		"broken certificate":         {jwk(t, p256, map[string]any{"kid": "x", "x5c": []string{"AA"}}), "x", "ES256", 0},
		"not an object":              {json.RawMessage(`7`), "x", "ES256", 0},
		"point not on the curve":     {json.RawMessage(`{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ","kid":"x"}`), "x", "ES256", 0},
		"more keys than are tried":   {nil, "many", "ES256", maxKeysTried},
		"RSA key of too few bits":    {jwk(t, &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}, map[string]any{"kid": "x"}), "x", "RS256", 0},
		"private key, even if right": {jwk(t, p256Private, map[string]any{"kid": "x"}), "x", "ES256", 0},
		"private RSA key":            {jwk(t, rsaPrivate, map[string]any{"kid": "x"}), "x", "RS256", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := []json.RawMessage{good}
			if test.other != nil {
				set = []json.RawMessage{test.other, good}
			}
			if test.keyID == "many" {
				for range maxKeysTried + 5 {
					set = append(set, jwk(t, p256, map[string]any{"kid": "many"}))
				}
			}
			body, err := json.Marshal(map[string]any{"keys": set})
			if err != nil {
				t.Fatal(err)
			}
			keys, ok := parseKeys(body)
			if !ok {
				t.Fatal("the set could not be read")
			}
			if got := len(fitting(keys, test.keyID, test.algorithm)); got != test.fitting {
				t.Errorf("expected %d keys, got %d", test.fitting, got)
			}
			if len(fitting(keys, "good", "ES256")) == 0 {
				t.Error("the good key was spoilt")
			}
		})
	}
}

func TestKeySetsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", "[]", "null", `{"keys":7}`, `{"keys":null}`, "<html>"} {
		if _, ok := parseKeys([]byte(body)); ok {
			t.Errorf("%q was taken for a key set", body)
		}
	}
}

// An unverified token must never make the program stumble.
func TestTokensThatAreNone(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", ".", "..", "a.b.c", "e30.e30.", "bnVsbA.bnVsbA.x", "W10.e30.x", strings.Repeat(".", 1000), "e30.Ww.x"} {
		if _, err := verifyIDToken(t.Context(), raw, expected{issuer: "https://op.example", clientID: "c"}); err == nil {
			t.Errorf("%.20q was accepted", raw)
		}
	}
}

func TestCheckIssuer(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "DSC-04")
	for issuer, ok := range map[string]bool{
		"https://op.example":            true,
		"https://op.example/":           true,
		"https://op.example:8443/r/x":   true,
		"http://127.0.0.1:5556/dex":     true,
		"http://localhost:5556":         true,
		"http://[::1]:5556":             true,
		"http://op.example":             false,
		"http://localhost.evil.example": false,
		"https://":                      false,
		"https://:443":                  false,
		"op.example":                    false,
		"ftp://op.example":              false,
		"https://op.example?x":          false,
		"https://op.example?":           false,
		"https://op.example#x":          false,
		"https://me:pw@op.example":      false,
		"":                              false,
		"https://op.example/%zz":        false,
	} {
		if err := checkIssuer(issuer); (err == nil) != ok {
			t.Errorf("%q: got %v", issuer, err)
		} else if err != nil && strings.Contains(fmt.Sprint(err), "pw") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
