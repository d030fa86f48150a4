package cluster

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

const rsaKey = `{"kty":"RSA","kid":"one","n":"AQ","e":"AQAB"}`

// good is a token of which nothing is to be said against usual, and what is known of it.
func good() Evidence {
	return Evidence{
		Header: map[string]any{"alg": "RS256", "kid": "one"},
		Claims: map[string]any{
			"iss": "https://issuer.example.com", "aud": []any{"kubernetes"}, "sub": "alice", "groups": []any{"dev", "ops"},
			"iat": float64(noon.Unix()), "exp": json.Number("1772366460"),
		},
		Size: 900, Session: SessionRotates, Keys: []byte(`{"keys":[` + rsaKey + `]}`), Now: noon.Add(time.Second),
	}
}

func TestJudgeGood(t *testing.T) {
	t.Parallel()
	checkFindings(t, "good", Judge(good(), usual()), []string{
		`ok issuer: The token's issuer (iss) is "https://issuer.example.com", as it must be.`,
		`ok audience: The token is for "kubernetes" (aud), as it must be.`,
		`ok signing algorithm: The token is signed with RS256.`,
		`ok user name: The API server will see "oidc:alice".`,
		`ok groups: The API server will see "oidc:dev", "oidc:ops".`,
		`ok clock: By this machine's clock, the token is good.`,
		`ok ID token lifetime: The ID token lives for 60 s.`,
		`ok refresh token: The refresh token is used once and replaced.`,
		`ok token size: The token has 900 octets.`,
		`ok provider's keys: kube-apiserver can read all of the provider's keys.`,
	})
}

// judged is a change to what is good, and all that is then said besides "ok".
type judged struct {
	change func(*Evidence, *Authentication)
	want   []string
}

func claim(name string, value any) func(*Evidence, *Authentication) {
	return func(e *Evidence, _ *Authentication) { e.Claims[name] = value }
}

func claims(values map[string]any) func(*Evidence, *Authentication) {
	return func(e *Evidence, _ *Authentication) { maps.Copy(e.Claims, values) }
}

func without(name string) func(*Evidence, *Authentication) {
	return func(e *Evidence, _ *Authentication) { delete(e.Claims, name) }
}

func both(changes ...func(*Evidence, *Authentication)) func(*Evidence, *Authentication) {
	return func(e *Evidence, a *Authentication) {
		for _, change := range changes {
			change(e, a)
		}
	}
}

func checkJudged(t *testing.T, tests map[string]judged) {
	t.Helper()
	for name, test := range tests {
		e, a := good(), usual()
		test.change(&e, &a)
		findings := slices.DeleteFunc(Judge(e, a), func(f Finding) bool { return f.Severity == OK })
		checkFindings(t, name, findings, test.want)
		for _, finding := range findings {
			checkSentences(t, name, finding)
		}
	}
}

// checkSentences wants what a person reads to be sentences of one line.
func checkSentences(t *testing.T, name string, finding Finding) {
	t.Helper()
	for _, text := range []string{finding.Text, finding.Remedy} {
		if text != "" && !strings.HasSuffix(text, ".") || strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, "%!") {
			t.Errorf("%s: %q is no sentence of one line", name, text)
		}
	}
}

func TestJudgeIssuer(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-01", "API-02")
	issuer := func(url string) func(*Evidence, *Authentication) {
		return func(e *Evidence, a *Authentication) { a.Issuer, e.Claims["iss"] = url, url }
	}
	checkJudged(t, map[string]judged{
		"slash": {claim("iss", "https://issuer.example.com/"), []string{
			`error issuer: The token's issuer (iss) is "https://issuer.example.com/", but the API server expects "https://issuer.example.com". The slash`,
		}},
		"case":     {claim("iss", "https://Issuer.example.com"), []string{`error issuer: The token's issuer (iss) is "https://Issuer`}},
		"none":     {without("iss"), []string{"error issuer: The token has no issuer"}},
		"number":   {claim("iss", 7.0), []string{"error issuer: The token has no issuer"}},
		"terminal": {claim("iss", "\x1b[2Jx"), []string{`error issuer: The token's issuer (iss) is "[2Jx"`}},
		"Google": {
			both(issuer("https://accounts.google.com"), claim("iss", "accounts.google.com")), nil,
		},
		"http":      {issuer("http://issuer.example.com"), []string{"error issuer URL: The API server cannot be told so: the API server takes https"}},
		"user info": {issuer("https://a:b@issuer.example.com"), []string{"error issuer URL: "}},
		"query":     {issuer("https://issuer.example.com?a=b"), []string{"error issuer URL: "}},
		"fragment":  {issuer("https://issuer.example.com#a"), []string{"error issuer URL: "}},
	})
}

func TestJudgeAudience(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-05")
	checkJudged(t, map[string]judged{
		"another":  {claim("aud", "other"), []string{`error audience: The token is for "other" (aud), but the API server expects "kubernetes".`}},
		"others":   {claim("aud", []any{"b", "c"}), []string{`error audience: The token is for "b", "c" (aud), but`}},
		"one text": {claim("aud", "kubernetes"), nil},
		"one more": {claim("aud", []any{"x", "kubernetes"}), nil},
		"any of two": {func(e *Evidence, a *Authentication) {
			e.Claims["aud"], a.Audiences = "b", []string{"a", "b"}
		}, nil},
		"none": {without("aud"), []string{"error audience: The token has no audience"}},
		"null": {claim("aud", nil), []string{"error audience: The token has no audience"}},
		"odd":  {claim("aud", []any{7.0}), []string{"error audience: The token has no audience"}},
	})
}

func TestJudgeAlgorithm(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-09")
	algorithm := func(name any) func(*Evidence, *Authentication) {
		return func(e *Evidence, _ *Authentication) { e.Header["alg"] = name }
	}
	tests := map[string]judged{
		"ES256": {algorithm("ES256"), []string{
			"note signing algorithm: The token is signed with ES256. An API server that is told by flags takes RS256 alone.",
		}},
		"ES256 is meant": {both(algorithm("ES256"), func(_ *Evidence, a *Authentication) { a.SigningAlgorithm = "ES256" }), nil},
		"ES256 is not":   {func(_ *Evidence, a *Authentication) { a.SigningAlgorithm = "ES256" }, []string{"note signing algorithm: "}},
	}
	for _, refused := range []any{"EdDSA", "none", "HS256", "ES256K", "", nil, 7.0} {
		text, _ := refused.(string)
		tests["refused "+text] = judged{algorithm(refused), []string{
			`error signing algorithm: The token is signed with "` + text + `", which kube-apiserver refuses.`,
		}}
	}
	checkJudged(t, tests)
	e := good()
	e.Header["alg"] = "ES256"
	if got := judgeAlgorithm(e, usual())[0].Remedy; !strings.Contains(got, "--oidc-signing-algs=ES256") {
		t.Errorf("the remedy is %q", got)
	}
}

func TestJudgeUsername(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-10")
	email := func(_ *Evidence, a *Authentication) { a.UsernameClaim = "email" }
	bare := func(_ *Evidence, a *Authentication) { a.UsernamePrefix = "" }
	const canChange = `note user name: The claim "email" can change hands`
	refused := "error user name: The API server will refuse the token: "
	checkJudged(t, map[string]judged{
		"missing":  {without("sub"), []string{refused + `the token has no claim "sub"`}},
		"a number": {claim("sub", 7.0), []string{refused + `the claim "sub" is not a text`}},
		"a list":   {claim("sub", []any{"alice"}), []string{refused + `the claim "sub" is not a text`}},
		"empty":    {claim("sub", ""), []string{refused + `the claim "sub" is empty`}},
		"null":     {claim("sub", nil), []string{refused + `the claim "sub" is empty`}},
		"verified": {both(email, claims(map[string]any{"email": "a@x", "email_verified": true})), []string{canChange}},
		"unverified": {
			both(email, claims(map[string]any{"email": "a@x", "email_verified": false})),
			[]string{refused + "the provider has not verified the email address"},
		},
		"verified by a word": {
			both(email, claims(map[string]any{"email": "a@x", "email_verified": "true"})),
			[]string{refused + "the provider has not verified the email address"},
		},
		"verified is not said": {
			both(email, claim("email", "a@x")),
			[]string{"warning user name: The token does not say whether the email address is verified", canChange},
		},
		"unverified but unused": {claim("email_verified", false), nil},
		"another claim": {
			func(e *Evidence, a *Authentication) {
				a.UsernameClaim, e.Claims["preferred_username"] = "preferred_username", "alice"
			},
			[]string{`note user name: The claim "preferred_username" can change hands`},
		},
		"no prefix": {bare, []string{"note user name: User names have no prefix"}},
		"system without prefix": {
			both(bare, claim("sub", "system:admin")),
			[]string{refused + `"system:admin" begins with system:`},
		},
		"system with prefix": {claim("sub", "system:admin"), nil},
		"completed to system": {
			both(func(_ *Evidence, a *Authentication) { a.UsernamePrefix = "sys" }, claim("sub", "tem:admin")),
			[]string{refused + `"tem:admin" begins with system:`},
		},
	})
}

func TestJudgeGroups(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-12")
	bare := func(_ *Evidence, a *Authentication) { a.GroupsPrefix = "" }
	elsewhere := func(endpoint any) func(*Evidence, *Authentication) {
		return both(without("groups"), claims(map[string]any{
			"_claim_names":   map[string]any{"groups": "src1"},
			"_claim_sources": map[string]any{"src1": map[string]any{"endpoint": endpoint}},
		}))
	}
	refused := "error groups: The API server will refuse the token: "
	checkJudged(t, map[string]judged{
		"one text":       {claim("groups", "dev"), nil},
		"absent":         {without("groups"), []string{`note groups: The token has no claim "groups", so this user is in no group.`}},
		"a number":       {claim("groups", 7.0), []string{refused + `the claim "groups" is neither a text nor a list of texts`}},
		"an object":      {claim("groups", map[string]any{"dev": true}), []string{refused + `the claim "groups" is neither`}},
		"a number in it": {claim("groups", []any{"dev", 7.0}), []string{refused + `the claim "groups" is neither`}},
		"not asked for":  {func(_ *Evidence, a *Authentication) { a.GroupsClaim = "" }, []string{"note groups: The API server is told no groups claim"}},
		"no prefix":      {bare, []string{"note groups: Group names have no prefix"}},
		"system":         {both(bare, claim("groups", []any{"system:masters"})), []string{refused + `"system:masters" begins with system:`}},
		"elsewhere": {elsewhere("https://graph.example/getMemberObjects"), []string{
			"warning groups: The token has its groups elsewhere (_claim_names), as from Entra ID with many groups. " +
				`The API server must get them from "https://graph.example/getMemberObjects", signed; if it cannot, it says 401.`,
		}},
		"elsewhere but here": {both(elsewhere("https://x"), claim("groups", "dev")), nil},
		"others elsewhere": {claims(map[string]any{
			"_claim_names": map[string]any{"address": "a"}, "_claim_sources": map[string]any{"a": map[string]any{}},
		}), nil},
		"nowhere":  {claim("_claim_names", map[string]any{"address": "a"}), []string{"error groups: The token says that claims are elsewhere"}},
		"rubbish":  {claim("_claim_names", "groups"), []string{"error groups: The token says that claims are elsewhere"}},
		"odd type": {elsewhere(7.0), []string{"error groups: The token says that claims are elsewhere"}},
	})
}

func TestJudgeRequiredClaims(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-13")
	required := func(_ *Evidence, a *Authentication) { a.RequiredClaims = map[string]string{"hd": "true"} }
	checkJudged(t, map[string]judged{
		"there":   {both(required, claim("hd", "true")), nil},
		"missing": {required, []string{`error required claims: The token has no claim "hd", which the API server requires.`}},
		"another": {both(required, claim("hd", "false")), []string{`error required claims: The claim "hd" is "false", but the API server requires "true".`}},
		"no text": {both(required, claim("hd", true)), []string{`error required claims: The claim "hd" is not a text, and the API server can require texts`}},
	})
}

func TestJudgeLifetime(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-23")
	lives := func(length time.Duration) func(*Evidence, *Authentication) {
		return func(e *Evidence, _ *Authentication) { e.Claims["exp"] = float64(noon.Add(length).Unix()) }
	}
	checkJudged(t, map[string]judged{
		"ten minutes": {lives(10 * time.Minute), nil},
		"more":        {lives(10*time.Minute + time.Second), []string{"warning ID token lifetime: The ID token lives for 10m1s, and cannot be revoked"}},
		"an hour":     {lives(time.Hour), []string{"warning ID token lifetime: The ID token lives for 60 minutes, and cannot be revoked"}},
		"a day":       {lives(24 * time.Hour), []string{"warning ID token lifetime: The ID token lives for 24 hours, far too long"}},
		"a week":      {lives(7 * 24 * time.Hour), []string{"warning ID token lifetime: The ID token lives for 7 days, far too long"}},
		"seconds":     {lives(20 * time.Second), []string{"warning ID token lifetime: The ID token lives for 20 s. The API server grants no delay"}},
		"unknown":     {without("iat"), []string{"note ID token lifetime: It is not known"}},
		"measured": {both(without("iat"), func(e *Evidence, _ *Authentication) { e.Lifetime = 2 * time.Hour }), []string{
			"warning ID token lifetime: The ID token lives for 2 hours, far too long",
		}},
	})
}

func TestJudgeSessionAndSize(t *testing.T) {
	t.Parallel()
	session := func(session Session) func(*Evidence, *Authentication) {
		return func(e *Evidence, _ *Authentication) { e.Session = session }
	}
	size := func(size int) func(*Evidence, *Authentication) {
		return func(e *Evidence, _ *Authentication) { e.Size = size }
	}
	checkJudged(t, map[string]judged{
		"none":      {session(SessionNone), []string{"warning refresh token: The provider gave no refresh token"}},
		"static":    {session(SessionStatic), []string{"warning refresh token: The refresh token stays the same"}},
		"started":   {session(SessionStarted), nil},
		"unknown":   {session(SessionUnknown), nil},
		"4 KiB":     {size(4096), nil},
		"more":      {size(4097), []string{"warning token size: The token has 4097 octets, and goes with each request"}},
		"7 KiB":     {size(7168), []string{"warning token size: The token has 7168 octets, and goes with each request"}},
		"huge":      {size(7169), []string{"warning token size: The token has 7169 octets. Most proxies take 8,192"}},
		"not known": {size(0), nil},
	})
}

func TestJudgeClock(t *testing.T) {
	t.Parallel()
	now := func(now time.Time) func(*Evidence, *Authentication) {
		return func(e *Evidence, _ *Authentication) { e.Now = now }
	}
	notBefore := claim("nbf", float64(noon.Unix()))
	checkJudged(t, map[string]judged{
		"not known":   {now(time.Time{}), nil},
		"rounding":    {now(noon.Add(-30 * time.Second)), nil},
		"behind":      {now(noon.Add(-7 * time.Minute)), []string{"warning clock: By this machine's clock, at 11:53:00 UTC, the token will be issued in 7 minutes (iat)."}},
		"a bit early": {both(notBefore, now(noon.Add(-20*time.Second))), []string{"note clock: By this machine's clock, at 11:59:40 UTC, the token will be good in 20 s (nbf)."}},
		"early":       {both(notBefore, now(noon.Add(-61*time.Second))), []string{"error clock: By this machine's clock, at 11:58:59 UTC, the token is not good before 61 s (nbf) have passed."}},
		"the end":     {now(noon.Add(time.Minute)), nil},
		"ended":       {now(noon.Add(2 * time.Minute)), []string{"error clock: By this machine's clock, at 12:02:00 UTC, the token ended 60 s ago (exp)."}},
		"no end":      {without("exp"), []string{"error clock: The token does not say when it ends (exp).", "note ID token lifetime: "}},
		"odd end":     {claim("exp", "tomorrow"), []string{"error clock: The token does not say when it ends (exp).", "note ID token lifetime: "}},
		"far end":     {claim("exp", 1e300), []string{"error clock: The token does not say when it ends (exp).", "note ID token lifetime: "}},
	})
}

func TestJudgeKeys(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-20")
	keys := func(set string) func(*Evidence, *Authentication) {
		return func(e *Evidence, _ *Authentication) { e.Keys = []byte(set) }
	}
	with := func(key string) func(*Evidence, *Authentication) {
		return keys(`{"keys":[` + rsaKey + `,` + key + `]}`)
	}
	unreadable := func(id, why string) []string {
		return []string{`error provider's keys: kube-apiserver cannot read key 2, with the ID (kid) "` + id + `": ` + why}
	}
	x, long := strings.Repeat("A", 43), strings.Repeat("A", 88)
	checkJudged(t, map[string]judged{
		"secp256k1": {with(`{"kty":"EC","crv":"secp256k1","kid":"k","x":"` + x + `","y":"` + x + `"}`), unreadable("k", `it does not know the curve "secp256k1"`)},
		"X25519":    {with(`{"kty":"OKP","crv":"X25519","use":"enc","x":"` + x + `"}`), unreadable("", `it does not know the curve "X25519"`)},
		"AKP":       {with(`{"kty":"AKP","alg":"ML-DSA-44","kid":"pq","pub":"AQ"}`), unreadable("pq", `it does not know the key type "AKP"`)},
		"P-256":     {with(`{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + x + `="}`), nil},
		"P-521":     {with(`{"kty":"EC","crv":"P-521","x":"` + long + `","y":"` + long + `"}`), nil},
		"Ed25519":   {with(`{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}`), nil},
		"secret":    {with(`{"kty":"oct","k":"AQ"}`), nil},
		"short":     {with(`{"kty":"EC","crv":"P-256","kid":"s","x":"AQ","y":"` + x + `"}`), unreadable("s", "numbers of the EC key are missing, or have a wrong length")},
		"half":      {with(`{"kty":"RSA","kid":"h","n":"AQ"}`), unreadable("h", "numbers of the RSA key are missing")},
		"null":      {with(`null`), unreadable("", `it does not know the key type ""`)},
		"number":    {with(`7`), unreadable("", "it is not as a key must be")},
		"base64":    {with(`{"kty":"RSA","kid":"b","n":"+/","e":"AQAB"}`), unreadable("b", "it is not as a key must be")},
		"terminal":  {with(`{"kty":"\u001b[2J","kid":"\u202e"}`), unreadable("", `it does not know the key type "[2J"`)},
		"HTML":      {keys("<html>"), []string{"error provider's keys: The provider's key set (jwks_uri) is not JSON"}},
		"not known": {func(e *Evidence, _ *Authentication) { e.Keys = nil }, nil},
		"another": {func(e *Evidence, _ *Authentication) { e.Header["kid"] = "two" }, []string{
			`error provider's keys: The token is signed with the key "two" (kid), which the provider does not publish.`,
		}},
		"unnamed": {func(e *Evidence, _ *Authentication) { delete(e.Header, "kid") }, nil},
	})
}

func TestJudgeOpaqueToken(t *testing.T) {
	t.Parallel()
	checkJudged(t, map[string]judged{
		"no JWT": {func(e *Evidence, _ *Authentication) { e.Header, e.Claims = nil, nil }, []string{"error token: It is not a JWT"}},
	})
}

// Whatever a provider writes into a token and a key set, people get sentences of one line.
func FuzzJudge(f *testing.F) {
	f.Add([]byte(`{"alg":"RS256"}`), []byte(`{"iss":"https://x","aud":["a",null],"sub":null,"exp":1e400}`), []byte(`{"keys":[null,7,{}]}`))
	f.Add([]byte(`{"alg":"\u001b","kid":[]}`), []byte(`{"iss":"\u202e","groups":[[]],"_claim_names":{"groups":"a"},"_claim_sources":{"a":null}}`), []byte(``))
	f.Add([]byte(`null`), []byte(`{"iat":-1e11,"exp":1e11,"nbf":1e10,"email":"\n","email_verified":{}}`), []byte(`{"keys":{}}`))
	f.Fuzz(func(t *testing.T, header, claims, keys []byte) {
		e := Evidence{Keys: keys, Now: noon}
		if json.Unmarshal(header, &e.Header) != nil || json.Unmarshal(claims, &e.Claims) != nil {
			return
		}
		for _, claim := range []string{"", "email"} {
			a := usual()
			a.UsernameClaim, a.RequiredClaims = claim, map[string]string{"hd": "x"}
			for _, finding := range append(Judge(e, a), Explain(e, a, noon)...) {
				checkSentences(t, finding.Subject, finding)
				checkHarmless(t, finding.Text+finding.Remedy)
				if !utf8.ValidString(finding.Text) || len(finding.Text) > 10000 {
					t.Errorf("not a short text: %q", finding.Text)
				}
			}
			if who, err := a.Identity(e.Claims); err == nil && Worst(compareNames(who.Username, who.Username)) != OK {
				t.Errorf("%+v is not itself", who)
			}
		}
	})
}
