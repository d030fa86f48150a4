package provider

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

const (
	fuzzIssuer = "https://op.example/realm"
	marker     = "rOk3nS3cr3t" // stands where secrets stand
)

// newFuzzProvider returns a provider whose answers come from transport.
func newFuzzProvider(t testing.TB, transport http.RoundTripper) *Provider {
	t.Helper()
	p, err := New(Config{
		Issuer:   fuzzIssuer,
		ClientID: "kubernetes",
		Now:      func() time.Time { return time.Unix(1_800_000_000, 0) },
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.client = func() (*http.Client, error) {
		return &http.Client{Transport: &polite{next: transport}, CheckRedirect: sameOrigin}, nil
	}
	return p
}

// checkText holds an error against what token.Error promises of its text, and its hints against the same.
func checkText(t *testing.T, err error) {
	t.Helper()
	texts := []string{err.Error()}
	var failure *token.Error
	if errors.As(err, &failure) {
		texts = append(texts, failure.Hint...)
	}
	for _, text := range texts {
		if strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("not one plain line: %q", text)
		}
		if count := utf8.RuneCountInString(text); count > 5000 {
			t.Errorf("an error of %d characters: %.200q", count, text)
		}
	}
}

// Metadata that is taken is our issuer's, and sends no secret in the clear.
func FuzzMetadata(f *testing.F) {
	requirements.Covers(f, "DSC-02", "DSC-04")
	const good = `{"issuer":"` + fuzzIssuer + `","authorization_endpoint":"https://op.example/a",` +
		`"token_endpoint":"https://op.example/t","jwks_uri":"https://op.example/k",` +
		`"code_challenge_methods_supported":["S256"],"id_token_signing_alg_values_supported":["RS256","none"]}`
	for _, body := range []string{
		good, "", "null", "[]", "{}", "<html>", `{"issuer":7}`,
		strings.Replace(good, fuzzIssuer, fuzzIssuer+"/", 1),
		strings.Replace(good, fuzzIssuer, "HTTPS://op.example/realm", 1),
		strings.Replace(good, fuzzIssuer, `https://evil.example/\u001b[2J\n\u202e`, 1),
		strings.Replace(good, "https://op.example/t", "http://127.0.0.1:5556/t", 1),
		strings.Replace(good, "https://op.example/t", "http://op.example/t", 1),
		strings.Replace(good, "https://op.example/t", "http://localhost.evil.example/t", 1),
		strings.Replace(good, "https://op.example/t", "http://me:pw@op.example/t", 1),
		strings.Replace(good, "https://op.example/k", "https://:443/k", 1),
		strings.Replace(good, "https://op.example/a", "javascript://op.example/a", 1),
		strings.Replace(good, `"S256"`, `"plain"`, 1),
		strings.Replace(good, `"S256"`, strings.Repeat(`"plain",`, 1000)+`"plain"`, 1),
		strings.Replace(good, `"RS256","none"`, `"none","HS256"`, 1),
	} {
		f.Add([]byte(body))
	}
	safe := regexp.MustCompile(`(?i)^(https://([^/]*@)?[^/@:]|` +
		`http://([^/@]*@)?(localhost|127\.[0-9.]+|\[[0-9a-f:.]+\])([:/?#]|$))`)
	p := newFuzzProvider(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := p.readMetadata(body)
		if err != nil {
			checkText(t, err)
			return
		}
		if found.IssuerURL != fuzzIssuer {
			t.Errorf("issuer %q was taken for %q", found.IssuerURL, fuzzIssuer)
		}
		for _, endpoint := range []string{found.AuthURL, found.TokenURL, found.JWKSURL} {
			if !safe.MatchString(endpoint) {
				t.Errorf("%q is not safe to talk to", endpoint)
			}
		}
		for _, algorithm := range found.signingAlgorithms() {
			if !slices.Contains([]string{"RS", "ES", "PS"}, algorithm[:2]) {
				t.Errorf("algorithm %q is believed", algorithm)
			}
		}
	})
}

// Keys that are taken are public ones of types and sizes that are safe.
func FuzzKeys(f *testing.F) {
	requirements.Covers(f, "JWK-08")
	for _, one := range []string{
		`{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("-", 342) + `","kid":"x","use":"sig","alg":"RS256"}`,
		`{"kty":"RSA","e":"AQ","n":"` + strings.Repeat("-", 342) + `"}`,
		`{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("-", 170) + `"}`,
		`{"kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",` +
			`"y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}`,
		`{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}`,
		`{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ","d":"AQ"}`,
		`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		`{"kty":"oct","k":"c2VjcmV0"}`,
		`{"kty":"EC","use":"enc"}`, `{"key_ops":[]}`, `7`, `null`,
	} {
		f.Add([]byte(`{"keys":[` + one + `]}`))
		f.Add([]byte(`{"keys":[7,` + one + `,` + one + `]}`))
	}
	for _, body := range []string{"", "{}", "[]", "null", `{"keys":null}`, "<html>"} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, ok := parseKeys(body)
		if !ok && keys != nil || ok && !json.Valid(body) {
			t.Errorf("%q was taken for a key set: %v", body, keys)
		}
		for _, key := range keys {
			switch public := key.public.(type) {
			case *rsa.PublicKey:
				if public.N.BitLen() < 2048 {
					t.Errorf("an RSA key of %d bits", public.N.BitLen())
				}
			case *ecdsa.PublicKey:
				if _, err := public.ECDH(); err != nil {
					t.Errorf("a point that is not on its curve: %v", err)
				}
			default:
				t.Errorf("a key of type %T", public)
			}
		}
		for _, algorithm := range []string{"RS256", "PS512", "ES256", "HS256", "none", ""} {
			found := fitting(keys, "", algorithm)
			if len(found) > maxKeysTried || len(found) > 0 && strings.Trim(algorithm[:1], "RPE") != "" {
				t.Errorf("%d keys fit %q", len(found), algorithm)
			}
		}
	})
}

// signer makes ID tokens, and is what they are held against.
type signer struct {
	private *ecdsa.PrivateKey
	signed  map[string]bool // header and payload of what was signed, decoded
}

// newSigner has the same key each time, so that tokens in the corpus stay signed: that of
// https://www.rfc-editor.org/rfc/rfc7515#appendix-A.3.
func newSigner(t testing.TB) *signer {
	t.Helper()
	number, err := base64.RawURLEncoding.DecodeString("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")
	if err != nil {
		t.Fatal(err)
	}
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), number)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{private: private, signed: map[string]bool{}}
}

func (s *signer) sign(t testing.TB, payload string) string {
	t.Helper()
	key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.private, KeyID: "k"}}
	with, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := with.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signature.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	s.signed[contents(raw)] = true
	return raw
}

// contents are what a signature is about. They are compared decoded, since the last character of a part has bits that
// mean nothing.
func contents(raw string) string {
	var decoded []string
	for _, part := range strings.SplitN(raw, ".", 3)[:2] {
		text, _ := base64.RawURLEncoding.DecodeString(part)
		decoded = append(decoded, string(text))
	}
	return strings.Join(decoded, ".")
}

func (s *signer) expected(algorithms ...string) expected {
	return expected{
		issuer:     fuzzIssuer,
		clientID:   "kubernetes",
		algorithms: algorithms,
		keys: func(context.Context, bool) ([]key, bool, error) {
			return []key{{id: "k", public: &s.private.PublicKey}}, false, nil
		},
		now:   time.Unix(1_800_000_000, 0),
		nonce: "nonce",
	}
}

const goodPayload = `{"iss":"` + fuzzIssuer + `","sub":"alice","aud":"kubernetes",` +
	`"exp":1800000600,"iat":1800000000,"nonce":"nonce"}`

// A token is believed only if the key has signed it.
func FuzzIDToken(f *testing.F) {
	requirements.Covers(f, "IDT-14", "IDT-16", "IDT-17", "IDT-23")
	signer := newSigner(f)
	good := signer.sign(f, goodPayload)
	parts := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	f.Add(good)
	for _, header := range []string{
		`{"alg":"none"}`, `{"alg":"HS256","kid":"k"}`, `{"alg":"ES256","crit":["b64"],"b64":false}`, `{"alg":"ES256","jwk":{}}`,
		`{"ALG":"ES256"}`,
	} {
		f.Add(encode([]byte(header)) + "." + parts[1] + "." + parts[2])
		f.Add(encode([]byte(header)) + "." + parts[1] + ".")
	}
	f.Add(parts[0] + "." + encode([]byte(strings.Replace(goodPayload, "alice", "mallory", 1))) + "." + parts[2])
	f.Add(parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86))
	f.Add(parts[0] + "." + parts[1] + "." + parts[2] + ".x.y")
	f.Add(parts[0] + ".\r\n" + parts[1] + "\n." + parts[2])
	f.Add(" " + good + "\n")
	f.Add(good + "==")
	f.Add(`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`)
	for _, raw := range []string{"", ".", "..", "a.b.c", "bnVsbA.bnVsbA.x", "W10.e30.x", "e30.e30.e30"} {
		f.Add(raw)
	}
	compact := regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := verifyIDToken(t.Context(), raw, signer.expected("ES256", "RS256", "PS256"))
		if err != nil {
			checkText(t, err)
			if got.Subject != "" || got.Issuer != "" {
				t.Errorf("the error came with claims: %+v", got)
			}
			return
		}
		if !signer.signed[contents(raw)] {
			t.Errorf("nobody signed %q", raw)
		}
		if !compact.MatchString(raw) { // it goes into a header of kubectl's requests
			t.Errorf("%q is not a compact JWS", raw)
		}
	})
}

// Of all that the key may have signed, a token is believed only if it is for us, and now.
func FuzzClaims(f *testing.F) {
	requirements.Covers(f, "IDT-01", "IDT-03", "IDT-08", "IDT-12")
	signer := newSigner(f)
	for _, payload := range []string{
		goodPayload, "", "null", "[]", "{}",
		strings.Replace(goodPayload, `"kubernetes"`, `["kubernetes"]`, 1),
		strings.Replace(goodPayload, `"kubernetes"`, `["kubernetes","x"],"azp":"kubernetes"`, 1),
		strings.Replace(goodPayload, `"kubernetes"`, `["kubernetes","x"]`, 1),
		strings.Replace(goodPayload, `"kubernetes"`, `[`+strings.Repeat(`"x",`, 1000)+`"y"]`, 1),
		strings.Replace(goodPayload, `"kubernetes"`, `null`, 1),
		strings.Replace(goodPayload, `"iss"`, `"ISS"`, 1),
		strings.Replace(goodPayload, `"nonce":"nonce"`, `"nonce":"other"`, 1),
		strings.Replace(goodPayload, `"exp":1800000600`, `"exp":null`, 1),
		strings.Replace(goodPayload, `"exp":1800000600`, `"exp":"1800000600"`, 1),
		strings.Replace(goodPayload, `"exp":1800000600`, `"exp":1e300`, 1),
		strings.Replace(goodPayload, `"exp":1800000600`, `"exp":1800000000`, 1),
		strings.Replace(goodPayload, `"iat":1800000000`, `"iat":1799990000`, 1),
		strings.Replace(goodPayload, `"iat":1800000000`, `"iat":1.8e9,"nbf":1800009999`, 1),
		strings.Replace(goodPayload, `alice`, strings.Repeat("a", 256), 1),
		strings.Replace(goodPayload, fuzzIssuer, `https://evil.example/\u001b[2J\n`, 1),
	} {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		want := signer.expected("ES256")
		got, err := verifyIDToken(t.Context(), signer.sign(t, payload), want)
		clear(signer.signed) // not needed here, and it would grow
		if err != nil {
			checkText(t, err)
			return
		}
		var said map[string]any
		if err := json.Unmarshal([]byte(payload), &said); err != nil {
			t.Fatalf("%q was believed: %v", payload, err)
		}
		audience, several := said["aud"].([]any)
		if said["iss"] != fuzzIssuer || said["nonce"] != "nonce" || said["sub"] != got.Subject || got.Subject == "" ||
			said["aud"] != "kubernetes" && !slices.Contains(audience, any("kubernetes")) ||
			several && len(audience) > 1 && said["azp"] != "kubernetes" {
			t.Errorf("%q was believed", payload)
		}
		expiry, _ := said["exp"].(float64)
		issued, _ := said["iat"].(float64)
		if now := float64(want.now.Unix()); expiry < now+1 || issued < now-600 || issued >= now+31 {
			t.Errorf("%q was believed at %.0f", payload, now)
		}
	})
}

// roundTripper is a transport in a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

func fuzzMetadata() *metadata {
	found := &metadata{}
	found.IssuerURL, found.TokenURL = fuzzIssuer, "https://op.example/t"
	return found
}

// Whatever a token endpoint answers, it is an access token, or a line that shows none.
func FuzzTokenEndpoint(f *testing.F) {
	requirements.Covers(f, "TOK-02", "TOK-03", "TOK-08", "OUT-04")
	const good = `{"access_token":"` + marker + `","token_type":"Bearer","refresh_token":"` + marker + `",` +
		`"id_token":"` + marker + `","expires_in":300}`
	for _, body := range []string{
		good, "", "null", "[]", good[:60], "<html>" + marker,
		strings.Replace(good, "Bearer", "bEARER", 1),
		strings.Replace(good, "Bearer", `DPoP\n\u001b[2J`, 1),
		strings.Replace(good, "300", `"never"`, 1),
		strings.Replace(good, `"refresh_token":"`+marker+`",`, "", 1),
		strings.Replace(good, "access_token", "no_token", 1),
		strings.Replace(good, `"id_token":"`+marker+`"`, `"id_token":7`, 1),
		strings.Replace(good, `{`, `{"error":"invalid_grant",`, 1),
		`{"error":"invalid_grant","error_description":"\u001b]0;x\u0007\r\n` +
			strings.Repeat("long ", 1000) + `","error_uri":"` + marker + `"}`,
		`{"error":"` + strings.Repeat("x", 1000) + `","access_token":"` + marker + `"}`,
		`access_token=` + marker + `&token_type=bearer&id_token=7.5`,
		`{"error":"invalid_request","error_description":"Refresh\u0007 token expired."}`,
		`error=invalid_client&error_description=%1b%5b2J`,
		marker + `%zz`,
	} {
		f.Add(200, "application/json", body)
		f.Add(400, "application/json; charset=utf-8", body)
		f.Add(200, "text/plain", body)
	}
	f.Add(302, "text/html", "")
	f.Add(503, "text/html", marker)
	f.Add(0, "text/\x00\r\n", marker)
	f.Add(999, "", marker)
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status,
				Status:     strconv.Itoa(status) + " " + marker,
				Header:     http.Header{"Content-Type": {contentType}, "Location": {"https://evil.example/" + marker}},
				Body:       io.NopCloser(strings.NewReader(body)),
				Request:    request,
			}, nil
		}))
		got, err := p.refresh(t.Context(), fuzzMetadata(), token.Session{RefreshToken: token.NewSecret("old")})
		said := parseAnswer(contentType, body)
		if err != nil {
			checkRefusal(t, err, got, said)
			return
		}
		if status < 200 || status > 299 || got.accessToken.IsEmpty() || said["error"] != "" ||
			!strings.EqualFold(said["token_type"], "bearer") {
			t.Errorf("%d %q was taken for tokens", status, body)
		}
		if got.refreshToken.IsEmpty() {
			t.Error("the old refresh token was lost")
		}
	})
}

// checkRefusal lets an error show only what the answer says for people to read.
func checkRefusal(t *testing.T, err error, got answer, said map[string]string) {
	t.Helper()
	checkText(t, err)
	if !got.accessToken.IsEmpty() || !got.refreshToken.IsEmpty() || !got.idToken.IsEmpty() {
		t.Error("the error came with tokens")
	}
	readable := untrusted.Printable(said["error"]) + untrusted.Printable(said["error_description"]) + untrusted.Printable(said["token_type"])
	if strings.Contains(err.Error(), marker) && !strings.Contains(readable, marker) {
		t.Errorf("the error shows a secret: %v", err)
	}
	inDexsWords := said["error"] == "invalid_request" && strings.Contains(
		strings.ToLower(untrusted.Printable(said["error_description"])), "refresh token")
	if errors.Is(err, token.ErrSessionEnded) && said["error"] != "invalid_grant" && !inDexsWords {
		t.Errorf("the session was ended by %v", err)
	}
}

// parseAnswer returns what an answer says for people to read, by the rules of x/oauth2, but that plain text is JSON too.
func parseAnswer(contentType, body string) map[string]string {
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		TokenType   string `json:"token_type"`
	}
	switch mediaType, _, _ := mime.ParseMediaType(contentType); mediaType {
	case "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(body)
		said.Error, said.Description, said.TokenType = form.Get("error"), form.Get("error_description"), form.Get("token_type")
	default:
		_ = json.Unmarshal([]byte(body), &said)
	}
	return map[string]string{"error": said.Error, "error_description": said.Description, "token_type": said.TokenType}
}

// The same where what comes over the wire may be no HTTP at all.
func FuzzWire(f *testing.F) {
	const body = `{"access_token":"` + marker + `","token_type":"Bearer"}`
	for _, wire := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body,
		"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + body,
		"HTTP/1.1 200 OK\r\nContent-Length: " + marker + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"err\r\nzz\r\n" + marker,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + marker + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + body,
		"HTTP/1.1 200 OK\r\n" + marker + "\r\n\r\n" + body,
		"HTTP/1.1 302 Found\r\nLocation: %zz" + marker + "\r\n\r\n",
		"HTTP/1.1 401 \x1b[2J\r\n\r\n",
		"HTTP/1.1 2000 " + marker + "\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n" + marker,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\n" + body,
		"HTTP/1.1 000 \r\n\r\n" + body,
		body, strings.Repeat(marker, 1000), "", "\x16\x03\x01", "SSH-2.0-" + marker + "\x1b[2J\r\n",
	} {
		f.Add([]byte(wire))
	}
	readable := regexp.MustCompile(`(?is)(error|error_description|token_type)["=:\s]+[^"&]*` + marker) // by a person
	f.Fuzz(func(t *testing.T, wire []byte) {
		transport := &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() {
					defer func() { _ = theirs.Close() }()
					if request, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
						_, _ = io.Copy(io.Discard, request.Body)
					}
					_, _ = theirs.Write(wire)
				}()
				return ours, nil
			},
		}
		from := fuzzMetadata()
		from.TokenURL = "http://127.0.0.1/t"
		got, err := newFuzzProvider(t, transport).refresh(t.Context(), from, token.Session{RefreshToken: token.NewSecret("old")})
		if err == nil {
			if got.accessToken.IsEmpty() || !bytes.HasPrefix(wire, []byte("HTTP/")) { // net/http minds no version
				t.Errorf("%q was taken for tokens", wire)
			}
			return
		}
		checkText(t, err)
		if strings.Contains(err.Error(), marker) && !readable.Match(wire) {
			t.Errorf("the error shows a secret: %v", err)
		}
	})
}

// Whatever a UserInfo endpoint answers, what is taken is a JSON object about the person, and no error shows the token.
func FuzzUserInfo(f *testing.F) {
	const good = `{"sub":"alice","email":"alice@example.com"}`
	for _, body := range []string{
		good, "", "null", "[]", good[:10], "<html>", `{"sub":"\u001b[2J"}`, `{"sub":"` + marker + `"}`, "a.b.c", "a.b.c.d.e",
		strings.Replace(good, "alice", "mallory", 1), good + good,
	} {
		for _, contentType := range []string{"application/json", "Application/JSON; charset=utf-8", "application/jwt", "text/html", ""} {
			f.Add(200, contentType, "", body)
		}
	}
	f.Add(401, "", `Bearer error="invalid_token", error_description="`+marker+`"`, "")
	f.Add(403, "", `Bearer error=insufficient_scope`, marker)
	f.Add(-7, "", `Bearer error`, marker)
	f.Fuzz(func(t *testing.T, status int, contentType, challenge, body string) {
		p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
			header := http.Header{"Content-Type": {contentType}, "Www-Authenticate": {challenge}}
			answer := io.NopCloser(strings.NewReader(body))
			return &http.Response{StatusCode: status, Header: header, Body: answer, Request: request}, nil
		}))
		got, err := p.askUserInfo(t.Context(), "https://op.example/userinfo", token.NewSecret(marker))
		var claims map[string]any
		if err == nil {
			var payload []byte
			if payload, err = p.userInfoPayload(t.Context(), fuzzMetadata(), got); err == nil {
				claims, err = readUserInfo(payload, "alice")
			}
		}
		if err != nil {
			checkText(t, err)
			if claims != nil {
				t.Errorf("the error came with claims: %v", claims)
			}
			if !strings.Contains(body+contentType, marker) && strings.Contains(err.Error(), marker) {
				t.Errorf("the token is shown: %v", err)
			}
			return
		}
		mediaType, _, _ := mime.ParseMediaType(contentType)
		if status != 200 || mediaType != "application/json" || claims["sub"] != "alice" || !json.Valid([]byte(body)) {
			t.Errorf("status %d, type %q, %q was believed", status, contentType, body)
		}
	})
}

// An authorization response brings one code of our issuer, or a line that shows none.
func FuzzAuthorizationResponse(f *testing.F) {
	requirements.Covers(f, "AUZ-08", "AUZ-10", "AUZ-11", "OUT-04")
	issuer := "&iss=" + url.QueryEscape(fuzzIssuer)
	for _, query := range []string{
		"code=" + marker, "code=" + marker + issuer, "code=" + marker + issuer + issuer, "code=" + marker + "&iss=",
		"code=" + marker + "&code=x",
		"code=", "", "code=" + marker + "&iss=https://evil.example/%1b%5b2J",
		"error=access_denied&error_description=%0d%0ano&code=" + marker, "error=&code=" + marker, "error=x&error=y",
		"error=" + strings.Repeat("%1b", 1000), "error=invalid_scope" + issuer, "error=server_error", "error=login_required",
	} {
		f.Add(false, query)
		f.Add(true, query)
	}
	p := newFuzzProvider(f, nil)
	f.Fuzz(func(t *testing.T, sendsIssuer bool, query string) {
		from := fuzzMetadata()
		from.SendsIssuer = sendsIssuer
		response, _ := url.ParseQuery(query)
		code, err := (&login{provider: p, metadata: from}).code(response)
		issuers := response["iss"]
		ours := slices.Equal(issuers, []string{fuzzIssuer}) || len(issuers) == 0 && !sendsIssuer
		if err == nil {
			if !ours || response.Has("error") || code.IsEmpty() || !slices.Equal(response["code"], []string{code.Reveal()}) {
				t.Errorf("%q was taken for a code", query)
			}
			return
		}
		checkText(t, err)
		if !code.IsEmpty() {
			t.Error("the error came with a code")
		}
		shown := response.Get("error") + response.Get("error_description") + response.Get("iss")
		if strings.Contains(err.Error(), marker) && !strings.Contains(shown+untrusted.Printable(shown), marker) {
			t.Errorf("the error shows the code: %v", err)
		}
		var failure *token.Error
		if errors.As(err, &failure) && failure.Kind == token.Refused && !ours {
			t.Errorf("another provider's error was believed: %v", err)
		}
	})
}

// A document is kept for a time that does no harm, whatever the provider says.
func FuzzDocumentAge(f *testing.F) {
	for _, header := range []string{
		"", "max-age=600", `public, MAX-AGE="600"`, "max-age=-1", "max-age=9223372036854775807", "max-age=x",
		"no-store, max-age=600",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if age := documentAge(http.Header{"Cache-Control": {header}}); age < minDocumentAge || age > maxDocumentAge {
			t.Errorf("%q: %s", header, age)
		}
	})
}
