package idp_test

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

const redirectURI = "http://localhost:8000/callback"

// client is a well-behaved client of a provider.
type client struct {
	t        *testing.T
	server   *idp.Server
	http     *http.Client
	verifier string
	state    string
	nonce    string
}

func start(t *testing.T, config idp.Config) (*idp.Server, *client) {
	t.Helper()
	server, err := idp.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	transport := &http.Transport{ForceAttemptHTTP2: true}
	if pem := server.CACertificate(); pem != nil {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return server, &client{
		t:      t,
		server: server,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		verifier: rand.Text() + rand.Text(),
		state:    rand.Text(),
		nonce:    rand.Text(),
	}
}

func set(t *testing.T, server *idp.Server, settings ...string) {
	t.Helper()
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		if err := server.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *client) authorizationRequest() url.Values {
	hash := sha256.Sum256([]byte(c.verifier))
	return url.Values{
		"client_id":             {c.server.ClientID()},
		"redirect_uri":          {redirectURI},
		"response_type":         {"code"},
		"scope":                 {"openid email"},
		"state":                 {c.state},
		"nonce":                 {c.nonce},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(hash[:])},
		"code_challenge_method": {"S256"},
	}
}

func (c *client) tokenRequest(code string) url.Values {
	return url.Values{
		"grant_type":    {"authorization_code"},
		"client_id":     {c.server.ClientID()},
		"code":          {code},
		"redirect_uri":  {redirectURI},
		"code_verifier": {c.verifier},
	}
}

func (c *client) refreshRequest(token string) url.Values {
	return url.Values{
		"grant_type":    {"refresh_token"},
		"client_id":     {c.server.ClientID()},
		"refresh_token": {token},
	}
}

// response is one that was read to its end.
type response struct {
	*http.Response
	body string
}

func (c *client) send(request *http.Request) response {
	c.t.Helper()
	answer, err := c.trySend(request)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer
}

func (c *client) trySend(request *http.Request) (response, error) {
	answer, err := c.http.Do(request)
	if err != nil {
		return response{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return response{answer, string(body)}, err
}

func (c *client) request(method, path, body string) *http.Request {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.server.Issuer()+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request
}

func (c *client) get(path string) response {
	c.t.Helper()
	return c.send(c.request(http.MethodGet, path, ""))
}

func (c *client) post(path string, form url.Values) response {
	c.t.Helper()
	return c.send(c.request(http.MethodPost, path, form.Encode()))
}

func (c *client) authorize(query url.Values) response {
	c.t.Helper()
	return c.get("/authorization?" + query.Encode())
}

// callback holds the parameters that the browser brings back.
func (r response) callback(t *testing.T) url.Values {
	t.Helper()
	location, err := r.Location()
	if err != nil || r.StatusCode != http.StatusSeeOther {
		t.Fatalf("status %d, location %v, body %s", r.StatusCode, err, r.body)
	}
	return location.Query()
}

// document reads an answer of JSON.
func (r response) document(t *testing.T) map[string]any {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal([]byte(r.body), &document); err != nil {
		t.Fatalf("%v in %q", err, r.body)
	}
	return document
}

// member is one of a JSON answer, where it is a string.
func (r response) member(t *testing.T, name string) string {
	t.Helper()
	value, _ := r.document(t)[name].(string)
	return value
}

func (c *client) code() string {
	c.t.Helper()
	code := c.authorize(c.authorizationRequest()).callback(c.t).Get("code")
	if code == "" {
		c.t.Fatal("no code")
	}
	return code
}

func (c *client) login() response {
	c.t.Helper()
	return c.post("/token", c.tokenRequest(c.code()))
}

func (c *client) refresh(token string) response {
	c.t.Helper()
	return c.post("/token", c.refreshRequest(token))
}

// publicKeys are the published keys of a kid.
func (c *client) publicKeys(kid string) []jose.JSONWebKey {
	c.t.Helper()
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(c.get("/keys").body), &keys); err != nil {
		c.t.Fatal(err)
	}
	return keys.Key(kid)
}

var errUnknownKid = errors.New("unknown kid")

// verify checks a token's signature as a careful client does.
func (c *client) verify(token string) (map[string]any, error) {
	c.t.Helper()
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{
		"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
	})
	if err != nil {
		return nil, err
	}
	keys := c.publicKeys(signed.Signatures[0].Protected.KeyID)
	if len(keys) != 1 {
		return nil, errUnknownKid
	}
	payload, err := signed.Verify(keys[0])
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	return claims, json.Unmarshal(payload, &claims)
}

// part decodes the header (0) or the claims (1) of a token without a look at its signature.
func part(t *testing.T, token string, number int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWS: %q", token)
	}
	decoded, err := base64.RawURLEncoding.DecodeString(parts[number])
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(decoded, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func expectError(t *testing.T, answer response, status int, code string) {
	t.Helper()
	if got := answer.member(t, "error"); answer.StatusCode != status || got != code {
		t.Errorf("got %d %s, want %d %s", answer.StatusCode, answer.body, status, code)
	}
	if answer.Header.Get("Cache-Control") != "no-store" || answer.member(t, "error_description") == "" {
		t.Errorf("got header %v, body %s", answer.Header, answer.body)
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{Path: "/realms/x"})
	document := c.get("/.well-known/openid-configuration").document(t)
	if document["issuer"] != server.Issuer() || !strings.HasSuffix(server.Issuer(), "/realms/x") {
		t.Errorf("issuer %v", document["issuer"])
	}
	for member, want := range map[string]any{
		"authorization_endpoint":                         server.Issuer() + "/authorization",
		"token_endpoint":                                 server.Issuer() + "/token",
		"userinfo_endpoint":                              server.Issuer() + "/userinfo",
		"jwks_uri":                                       server.Issuer() + "/keys",
		"revocation_endpoint":                            server.Issuer() + "/revocation",
		"end_session_endpoint":                           server.Issuer() + "/end_session",
		"response_types_supported":                       []any{"code"},
		"id_token_signing_alg_values_supported":          []any{"RS256", "ES256"},
		"code_challenge_methods_supported":               []any{"S256"},
		"token_endpoint_auth_methods_supported":          []any{"none"},
		"authorization_response_iss_parameter_supported": true,
	} {
		if !reflect.DeepEqual(document[member], want) {
			t.Errorf("%s: got %v, want %v", member, document[member], want)
		}
	}
	if answer := c.post("/.well-known/openid-configuration", nil); answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d", answer.StatusCode)
	}
}

func TestKeysPath(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{Path: "/realms/x", KeysPath: "/certs"})
	document := c.get("/.well-known/openid-configuration").document(t)
	if document["jwks_uri"] != server.Issuer()+"/certs" || c.get("/certs").document(t)["keys"] == nil ||
		c.get("/keys").StatusCode != http.StatusNotFound || server.Count(idp.Keys) != 1 {
		t.Errorf("document %v, %d requests for keys", document, server.Count(idp.Keys))
	}
}

func TestIssuerWithSlash(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{Path: "/"})
	document := c.get(".well-known/openid-configuration").document(t)
	if !strings.HasSuffix(server.Issuer(), "/") || document["issuer"] != server.Issuer() ||
		document["jwks_uri"] != server.Issuer()+"keys" {
		t.Errorf("issuer %s, document %v", server.Issuer(), document)
	}
}

func TestLoginAndRefresh(t *testing.T) {
	t.Parallel()
	clock := newClock()
	server, c := start(t, idp.Config{TLS: true, Now: clock.now})

	callback := c.authorize(c.authorizationRequest()).callback(t)
	if callback.Get("state") != c.state || callback.Get("iss") != server.Issuer() {
		t.Errorf("callback %v", callback)
	}
	first := c.post("/token", c.tokenRequest(callback.Get("code")))
	if first.StatusCode != http.StatusOK || first.Header.Get("Content-Type") != "application/json" ||
		first.Header.Get("Cache-Control") != "no-store" ||
		first.Header.Get("Date") != clock.now().UTC().Format(http.TimeFormat) {
		t.Errorf("status %d, header %v", first.StatusCode, first.Header)
	}
	answer := first.document(t)
	if answer["token_type"] != "Bearer" || answer["expires_in"] != 60.0 || answer["scope"] != "openid email" {
		t.Errorf("answer %v", answer)
	}
	claims, err := c.verify(first.member(t, "id_token"))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(first.member(t, "access_token")))
	seconds := float64(clock.now().Unix())
	want := map[string]any{
		"iss": server.Issuer(), "sub": "alice", "aud": "kubernetes", "nonce": c.nonce,
		"iat": seconds, "exp": seconds + 60, "auth_time": seconds,
		"at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]),
		"email":   "alice@example.com", "email_verified": true, "name": "Alice Example", "groups": []any{"developers"},
	}
	if !reflect.DeepEqual(claims, want) {
		t.Errorf("claims of the login\ngot  %v\nwant %v", claims, want)
	}

	clock.advance(10 * time.Second)
	second := c.refresh(first.member(t, "refresh_token"))
	claims, err = c.verify(second.member(t, "id_token"))
	if err != nil {
		t.Fatal(err)
	}
	hash = sha256.Sum256([]byte(second.member(t, "access_token")))
	want["iat"], want["exp"] = seconds+10, seconds+70
	want["at_hash"] = base64.RawURLEncoding.EncodeToString(hash[:16])
	delete(want, "nonce")
	if !reflect.DeepEqual(claims, want) {
		t.Errorf("claims of the refresh\ngot  %v\nwant %v", claims, want)
	}
	if token := second.member(t, "refresh_token"); token == first.member(t, "refresh_token") ||
		token != server.RefreshToken() {
		t.Error("the refresh token was not rotated")
	}
}

// clock is set by hand.
type clock struct {
	mutex sync.Mutex
	time  time.Time
}

func newClock() *clock {
	return &clock{time: time.Date(2040, time.January, 1, 12, 0, 0, 0, time.UTC)}
}

func (c *clock) now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.time
}

func (c *clock) advance(duration time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.time = c.time.Add(duration)
}

func TestUsers(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{Users: map[string]idp.User{
		"bob":   {Subject: "2", Email: "bob@example.com"},
		"carol": {},
	}})
	for hint, subject := range map[string]string{"": "2", "bob": "2", "bob@example.com": "2", "carol": "carol"} {
		query := c.authorizationRequest()
		query.Set("login_hint", hint)
		token := c.post("/token", c.tokenRequest(c.authorize(query).callback(t).Get("code")))
		if claims := part(t, token.member(t, "id_token"), 1); claims["sub"] != subject {
			t.Errorf("hint %q: got %v, want %s", hint, claims["sub"], subject)
		}
	}
	query := c.authorizationRequest()
	query.Set("login_hint", "nobody")
	if got := c.authorize(query).callback(t).Get("error"); got != "access_denied" {
		t.Errorf("unknown hint: got %q", got)
	}
}

func TestAuthorizationStrictness(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{})
	const badPage = ""
	for name, test := range map[string]struct {
		change func(url.Values)
		want   string
	}{
		// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
		"no client":                {without("client_id"), badPage},
		"unknown client":           {with("client_id", "other"), badPage},
		"client twice":             {twice("client_id"), badPage},
		"no redirect URI":          {without("redirect_uri"), badPage},
		"foreign redirect URI":     {with("redirect_uri", "http://evil.example/callback"), badPage},
		"https redirect URI":       {with("redirect_uri", "https://localhost/callback"), badPage},
		"redirect URI with user":   {with("redirect_uri", "http://u@localhost/callback"), badPage},
		"redirect URI fragment":    {with("redirect_uri", redirectURI+"#x"), badPage},
		"no response type":         {without("response_type"), "invalid_request"},
		"implicit":                 {with("response_type", "id_token"), "unsupported_response_type"},
		"hybrid":                   {with("response_type", "code id_token"), "unsupported_response_type"},
		"no scope":                 {without("scope"), "invalid_scope"},
		"no openid":                {with("scope", "email openid2"), "invalid_scope"},
		"openid twice":             {with("scope", "openid openid"), "invalid_scope"},
		"no state":                 {without("state"), "invalid_request"},
		"empty state":              {with("state", ""), "invalid_request"},
		"state twice":              {twice("state"), "invalid_request"},
		"unknown parameter twice":  {twice("unknown"), "invalid_request"},
		"no nonce":                 {without("nonce"), "invalid_request"},
		"short nonce":              {with("nonce", strings.Repeat("n", 21)), "invalid_request"},
		"no challenge":             {without("code_challenge"), "invalid_request"},
		"short challenge":          {with("code_challenge", strings.Repeat("c", 42)), "invalid_request"},
		"padded challenge":         {with("code_challenge", strings.Repeat("A", 43)+"="), "invalid_request"},
		"challenge not base64url":  {with("code_challenge", strings.Repeat("+", 43)), "invalid_request"},
		"no challenge method":      {without("code_challenge_method"), "invalid_request"},
		"plain challenge":          {with("code_challenge_method", "plain"), "invalid_request"},
		"prompt without a session": {with("prompt", "none"), "login_required"},
	} {
		query := c.authorizationRequest()
		test.change(query)
		answer := c.authorize(query)
		if test.want == badPage {
			if answer.StatusCode != http.StatusBadRequest || answer.Header.Get("Location") != "" {
				t.Errorf("%s: got %d to %q", name, answer.StatusCode, answer.Header.Get("Location"))
			}
			continue
		}
		callback := answer.callback(t)
		if callback.Get("error") != test.want || callback.Has("code") || callback.Get("state") != query.Get("state") ||
			callback.Get("iss") != c.server.Issuer() {
			t.Errorf("%s: got %v, want %s", name, callback, test.want)
		}
	}
	if answer := c.post("/authorization?"+c.authorizationRequest().Encode(), nil); answer.StatusCode != 405 {
		t.Errorf("POST without a form: status %d", answer.StatusCode)
	}
}

func with(name, value string) func(url.Values) {
	return func(values url.Values) { values.Set(name, value) }
}

func without(name string) func(url.Values) {
	return func(values url.Values) { values.Del(name) }
}

func twice(name string) func(url.Values) {
	return func(values url.Values) { values[name] = []string{values.Get(name), values.Get(name)} }
}

func TestRedirectURIs(t *testing.T) {
	t.Parallel()
	_, loopback := start(t, idp.Config{})
	_, exact := start(t, idp.Config{RedirectURIs: []string{"https://app.example/callback?tenant=1"}})
	for _, test := range []struct {
		client      *client
		redirectURI string
		good        bool
	}{
		{loopback, "http://127.0.0.1:1234", true},
		{loopback, "http://[::1]:1234/any/path", true},
		{exact, "https://app.example/callback?tenant=1", true},
		{exact, "https://app.example/callback", false},
		{exact, redirectURI, false},
	} {
		query := test.client.authorizationRequest()
		query.Set("redirect_uri", test.redirectURI)
		answer := test.client.authorize(query)
		if good := answer.StatusCode == http.StatusSeeOther; good != test.good {
			t.Errorf("%s: status %d", test.redirectURI, answer.StatusCode)
		}
		// https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2
		if strings.Contains(test.redirectURI, "?") && test.good && answer.callback(t).Get("tenant") != "1" {
			t.Error("the query of the redirect URI was lost")
		}
	}
}

func TestCodeStrictness(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{})
	for name, test := range map[string]struct {
		change func(url.Values)
		status int
		want   string
	}{
		"no grant type":          {without("grant_type"), 400, "invalid_request"},
		"unknown grant type":     {with("grant_type", "implicit"), 400, "unsupported_grant_type"},
		"no client":              {without("client_id"), 401, "invalid_client"},
		"unknown client":         {with("client_id", "other"), 401, "invalid_client"},
		"secret of a public one": {with("client_secret", "x"), 401, "invalid_client"},
		"parameter twice":        {twice("code"), 400, "invalid_request"},
		"no code":                {without("code"), 400, "invalid_request"},
		"unknown code":           {with("code", "x"), 400, "invalid_grant"},
		"no redirect URI":        {without("redirect_uri"), 400, "invalid_request"},
		"other redirect URI":     {with("redirect_uri", redirectURI+"/"), 400, "invalid_grant"},
		"no verifier":            {without("code_verifier"), 400, "invalid_request"},
		"wrong verifier":         {with("code_verifier", strings.Repeat("v", 43)), 400, "invalid_grant"},
	} {
		form := c.tokenRequest(c.code())
		test.change(form)
		t.Log(name)
		expectError(t, c.post("/token", form), test.status, test.want)
	}

	// https://www.rfc-editor.org/rfc/rfc7636#section-4.1
	for _, verifier := range []string{"short", strings.Repeat("ä", 50), strings.Repeat("v", 129)} {
		c.verifier = verifier
		expectError(t, c.login(), 400, "invalid_grant")
	}
}

func TestTokenRequestForm(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{})
	form := c.tokenRequest(c.code()).Encode()

	expectError(t, c.send(c.request(http.MethodPost, "/token?x=y", form)), 400, "invalid_request")

	unmarked := c.request(http.MethodPost, "/token", form)
	unmarked.Header.Set("Content-Type", "application/json")
	expectError(t, c.send(unmarked), 400, "invalid_request")

	authorized := c.request(http.MethodPost, "/token", form)
	authorized.SetBasicAuth(c.server.ClientID(), "")
	expectError(t, c.send(authorized), 401, "invalid_client")

	if answer := c.get("/token?" + form); answer.StatusCode != 405 || answer.Header.Get("Allow") != "POST" {
		t.Errorf("GET: got %d, %v", answer.StatusCode, answer.Header)
	}
	if answer := c.send(c.request(http.MethodPost, "/token", "a=%zz")); answer.StatusCode != 400 {
		t.Errorf("broken encoding: status %d", answer.StatusCode)
	}
	if answer := c.send(c.request(http.MethodPost, "/token", form)); answer.StatusCode != 200 {
		t.Errorf("none of that should have used the code: %s", answer.body)
	}
}

func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	const secret = "päss word+&="
	_, c := start(t, idp.Config{ClientSecret: secret})
	escaped := url.QueryEscape(secret)
	document := c.get("/.well-known/openid-configuration").document(t)
	methods := []any{"client_secret_basic", "client_secret_post"}
	if !reflect.DeepEqual(document["token_endpoint_auth_methods_supported"], methods) {
		t.Errorf("got %v", document["token_endpoint_auth_methods_supported"])
	}
	for name, test := range map[string]struct {
		change func(url.Values)
		basic  []string
		status int
		want   string
	}{
		"in the body":              {with("client_secret", secret), nil, 200, ""},
		"basic":                    {without("client_id"), []string{"kubernetes", escaped}, 200, ""},
		"basic with ID in body":    {with("client_id", "kubernetes"), []string{"kubernetes", escaped}, 200, ""},
		"basic with other ID":      {with("client_id", "other"), []string{"kubernetes", escaped}, 401, "invalid_client"},
		"basic without escaping":   {without("client_id"), []string{"kubernetes", secret}, 401, "invalid_client"},
		"basic with wrong secret":  {without("client_id"), []string{"kubernetes", "wrong"}, 401, "invalid_client"},
		"wrong secret in the body": {with("client_secret", "wrong"), nil, 401, "invalid_client"},
		"no secret":                {without("client_secret"), nil, 401, "invalid_client"},
		"both":                     {with("client_secret", secret), []string{"kubernetes", escaped}, 400, "invalid_request"},
	} {
		form := c.tokenRequest(c.code())
		test.change(form)
		request := c.request(http.MethodPost, "/token", form.Encode())
		if test.basic != nil {
			request.SetBasicAuth(test.basic[0], test.basic[1])
		}
		t.Log(name)
		answer := c.send(request)
		if test.want != "" {
			expectError(t, answer, test.status, test.want)
		} else if answer.StatusCode != test.status {
			t.Errorf("got %d %s", answer.StatusCode, answer.body)
		}
		// https://www.rfc-editor.org/rfc/rfc6749#section-5.2
		if test.status == 401 && answer.Header.Get("WWW-Authenticate") == "" {
			t.Error("no WWW-Authenticate")
		}
	}
	for _, leaked := range []string{secret, "wrong"} {
		if !slices.Contains(c.server.Secrets(), leaked) {
			t.Errorf("Secrets lacks %q", leaked)
		}
	}
}

func TestSetAuthentication(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{ClientSecret: "secret"})
	inBody := func() response {
		form := c.tokenRequest(c.code())
		form.Set("client_secret", "secret")
		return c.post("/token", form)
	}
	inHeader := func() response {
		request := c.request(http.MethodPost, "/token", c.tokenRequest(c.code()).Encode())
		request.SetBasicAuth("kubernetes", "secret")
		return c.send(request)
	}
	for method, ways := range map[string]struct{ good, bad func() response }{
		"client_secret_basic": {inHeader, inBody},
		"client_secret_post":  {inBody, inHeader},
	} {
		set(t, server, "authentication="+method)
		document := c.get("/.well-known/openid-configuration").document(t)
		if got := document["token_endpoint_auth_methods_supported"]; !reflect.DeepEqual(got, []any{method}) {
			t.Errorf("%s: listed %v", method, got)
		}
		if answer := ways.good(); answer.StatusCode != 200 {
			t.Errorf("%s: %s", method, answer.body)
		}
		expectError(t, ways.bad(), 401, "invalid_client")
	}
}

func TestCodeExpires(t *testing.T) {
	t.Parallel()
	clock := newClock()
	_, c := start(t, idp.Config{Now: clock.now})
	code := c.code()
	clock.advance(61 * time.Second)
	expectError(t, c.post("/token", c.tokenRequest(code)), 400, "invalid_grant")
}

// https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
func TestCodeReuseRevokesItsTokens(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	code := c.code()
	tokens := c.post("/token", c.tokenRequest(code))
	if status := c.userInfo(tokens.member(t, "access_token")).StatusCode; status != 200 {
		t.Errorf("before: status %d", status)
	}
	expectError(t, c.post("/token", c.tokenRequest(code)), 400, "invalid_grant")
	if status := c.userInfo(tokens.member(t, "access_token")).StatusCode; status != 401 {
		t.Errorf("after: status %d", status)
	}
	expectError(t, c.refresh(tokens.member(t, "refresh_token")), 400, "invalid_grant")
	if server.Reuse() != 1 || server.RefreshToken() != "" {
		t.Errorf("Reuse %d, RefreshToken %q", server.Reuse(), server.RefreshToken())
	}
}

// https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2
func TestRefreshTokenReuseKillsTheFamily(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	other := c.login().member(t, "refresh_token")
	old := c.login().member(t, "refresh_token")
	current := c.refresh(old).member(t, "refresh_token")
	expectError(t, c.refresh(old), 400, "invalid_grant")
	expectError(t, c.refresh(current), 400, "invalid_grant")
	if server.Reuse() != 1 || server.RefreshToken() != other {
		t.Errorf("Reuse %d, RefreshToken %q", server.Reuse(), server.RefreshToken())
	}
	if answer := c.refresh(other); answer.StatusCode != 200 {
		t.Errorf("another login's family: %s", answer.body)
	}
}

func TestRefreshStrictness(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{})
	token := c.login().member(t, "refresh_token")
	for name, test := range map[string]struct {
		change func(url.Values)
		want   string
	}{
		"no token":      {without("refresh_token"), "invalid_request"},
		"unknown token": {with("refresh_token", "x"), "invalid_grant"},
		"verifier":      {with("code_verifier", c.verifier), "invalid_request"},
		"wider scope":   {with("scope", "openid groups"), "invalid_scope"},
	} {
		form := c.refreshRequest(token)
		test.change(form)
		t.Log(name)
		expectError(t, c.post("/token", form), 400, test.want)
	}
	form := c.refreshRequest(token)
	form.Set("scope", "openid")
	if answer := c.post("/token", form); answer.member(t, "scope") != "openid" {
		t.Errorf("narrower scope: %s", answer.body)
	}
}

func TestRefreshTokenDiesUnused(t *testing.T) {
	t.Parallel()
	clock := newClock()
	server, c := start(t, idp.Config{Now: clock.now, RefreshIdle: time.Minute})
	set(t, server, "rotation=off")
	token := c.login().member(t, "refresh_token")
	for range 3 {
		clock.advance(50 * time.Second)
		if answer := c.refresh(token); answer.StatusCode != 200 {
			t.Fatal(answer.body)
		}
	}
	clock.advance(61 * time.Second)
	expectError(t, c.refresh(token), 400, "invalid_grant")
	if server.RefreshToken() != "" || server.Reuse() != 0 {
		t.Errorf("RefreshToken %q, Reuse %d", server.RefreshToken(), server.Reuse())
	}
}

func TestEndSessions(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	tokens := c.login()
	server.EndSessions()
	expectError(t, c.refresh(tokens.member(t, "refresh_token")), 400, "invalid_grant")
	if server.RefreshToken() != "" || server.Reuse() != 0 {
		t.Errorf("RefreshToken %q, Reuse %d", server.RefreshToken(), server.Reuse())
	}
	if answer := c.login(); answer.StatusCode != 200 {
		t.Errorf("next login: %s", answer.body)
	}
}

func TestRotateKeys(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	old := c.login().member(t, "id_token")
	server.RotateKeys()
	if _, err := c.verify(old); !errors.Is(err, errUnknownKid) {
		t.Errorf("the old key is still published: %v", err)
	}
	if _, err := c.verify(c.login().member(t, "id_token")); err != nil {
		t.Error(err)
	}
}

func (c *client) userInfo(token string) response {
	c.t.Helper()
	request := c.request(http.MethodGet, "/userinfo", "")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return c.send(request)
}

func TestUserInfo(t *testing.T) {
	t.Parallel()
	clock := newClock()
	_, c := start(t, idp.Config{Now: clock.now})
	token := c.login().member(t, "access_token")
	want := map[string]any{
		"sub": "alice", "email": "alice@example.com", "email_verified": true, "name": "Alice Example",
		"groups": []any{"developers"},
	}
	if got := c.userInfo(token).document(t); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if challenge := c.userInfo("").Header.Get("WWW-Authenticate"); challenge != "Bearer" {
		t.Errorf("without a token: %q", challenge)
	}
	clock.advance(61 * time.Second)
	if answer := c.userInfo(token); answer.StatusCode != 401 ||
		!strings.Contains(answer.Header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("expired: %d %v", answer.StatusCode, answer.Header)
	}
}

// https://www.rfc-editor.org/rfc/rfc6750#section-2
func TestUserInfoTakesTheHeaderAlone(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{})
	token := c.login().member(t, "access_token")
	inBody := c.request(http.MethodPost, "/userinfo", "access_token="+token)
	inBody.Header.Set("Authorization", "Bearer "+token)
	for _, answer := range []response{c.get("/userinfo?access_token=" + token), c.send(inBody)} {
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("got %d %s", answer.StatusCode, answer.body)
		}
	}
}

func TestSetUserInfo(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	token := c.login().member(t, "access_token")
	set(t, server, "userinfo.sub=mallory", "userinfo.email=null", "userinfo.age=7", "userinfo-type=text/plain")
	answer := c.userInfo(token)
	if document := answer.document(t); document["sub"] != "mallory" || document["email"] != nil || document["age"] != 7.0 ||
		document["iss"] != nil {
		t.Errorf("got %v", document)
	}
	if got := answer.Header.Get("Content-Type"); got != "text/plain" {
		t.Errorf("type %s", got)
	}
}

func TestSetUserInfoSignature(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	tokens := c.login()
	for kind, want := range map[string]error{
		"good": nil, "broken": jose.ErrCryptoFailure, "foreign": jose.ErrCryptoFailure, "unknown-kid": errUnknownKid,
	} {
		for _, algorithm := range []string{"RS256", "PS384"} {
			set(t, server, "userinfo-signature="+kind, "userinfo-alg="+algorithm)
			answer := c.userInfo(tokens.member(t, "access_token"))
			claims, err := c.verify(answer.body)
			if !errors.Is(err, want) || answer.Header.Get("Content-Type") != "application/jwt" {
				t.Errorf("%s with %s: got %v, want %v", kind, algorithm, err, want)
			}
			if err == nil && (claims["sub"] != "alice" || claims["iss"] != server.Issuer() || claims["aud"] != "kubernetes") {
				t.Errorf("got %v", claims)
			}
		}
	}
	set(t, server, "userinfo.iss=https://evil.example", "userinfo.aud=null", "userinfo-header.typ=x", "userinfo-alg=none")
	signed := c.userInfo(tokens.member(t, "access_token")).body
	claims, header := part(t, signed, 1), part(t, signed, 0)
	if claims["iss"] != "https://evil.example" || claims["aud"] != nil || header["typ"] != "x" || header["alg"] != "none" {
		t.Errorf("got %v, %v", header, claims)
	}
	// The ID tokens are as before.
	if _, err := c.verify(c.login().member(t, "id_token")); err != nil {
		t.Error(err)
	}
}

func TestSetUserInfoClaims(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	token := c.login().member(t, "access_token") // its scope is openid email
	set(t, server, "userinfo-claims=by-scope", "userinfo.phone_number=1", "userinfo.age=7")
	want := map[string]any{"sub": "alice", "email": "alice@example.com", "email_verified": true, "age": 7.0}
	if got := c.userInfo(token).document(t); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	set(t, server, "userinfo-signature=good")
	if got := part(t, c.userInfo(token).body, 1); got["email"] == nil || got["name"] != nil || got["phone_number"] != nil {
		t.Errorf("signed: got %v", got)
	}
}

func TestSetUserInfoFaults(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	token := c.login().member(t, "access_token")
	set(t, server, "fault.userinfo=invalid-token,times=2")
	for i, status := range []int{401, 401, 200} {
		answer := c.userInfo(token)
		refused := strings.Contains(answer.Header.Get("WWW-Authenticate"), `error="invalid_token"`)
		if answer.StatusCode != status || refused != (status == 401) {
			t.Errorf("request %d: got %d %v", i, answer.StatusCode, answer.Header)
		}
	}
	set(t, server, "fault.userinfo=encrypted")
	answer := c.userInfo(token)
	if strings.Count(answer.body, ".") != 4 || answer.Header.Get("Content-Type") != "application/jwt" {
		t.Errorf("got %v %s", answer.Header, answer.body)
	}
}

func TestLoginForm(t *testing.T) {
	t.Parallel()
	_, c := start(t, idp.Config{Form: true})
	query := c.authorizationRequest()
	query.Set("login_hint", `"<alice`)
	form := c.authorize(query)
	for _, want := range []string{
		`name="username"`, `name="password"`, `id="submit"`, `method="post"`, `value="&#34;&lt;alice"`,
	} {
		if form.StatusCode != 200 || !strings.Contains(form.body, want) {
			t.Errorf("status %d, no %s in %s", form.StatusCode, want, form.body)
		}
	}
	path := "/authorization?" + query.Encode()
	wrong := c.post(path, url.Values{"username": {"alice"}, "password": {"wrong"}})
	if wrong.StatusCode != 200 || !strings.Contains(wrong.body, "Wrong username or password.") ||
		!strings.Contains(wrong.body, `value="alice"`) {
		t.Errorf("wrong password: %d %s", wrong.StatusCode, wrong.body)
	}
	right := c.post(path, url.Values{"username": {"alice"}, "password": {"correct horse"}})
	if answer := c.post("/token", c.tokenRequest(right.callback(t).Get("code"))); answer.StatusCode != 200 {
		t.Error(answer.body)
	}
}

func TestSetOverrides(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	// The member and what it is at login and at refresh; nil means left out.
	for setting, want := range map[string]struct {
		member string
		values [2]any
	}{
		"claims.aud=evil":                 {"aud", [2]any{"evil", "evil"}},
		`claims.aud=["a","b"]`:            {"aud", [2]any{[]any{"a", "b"}, []any{"a", "b"}}},
		"claims.sub=null":                 {"sub", [2]any{nil, nil}},
		"claims.sub+=1":                   {"sub", [2]any{"alice1", "alice1"}},
		"refresh.claims.sub+=1":           {"sub", [2]any{"alice", "alice1"}},
		"claims.aud+=[]":                  {"aud", [2]any{"kubernetes[]", "kubernetes[]"}},
		"claims.exp=12":                   {"exp", [2]any{12.0, 12.0}},
		"claims.email_verified=false":     {"email_verified", [2]any{false, false}},
		"claims.https://x.example/y=z":    {"https://x.example/y", [2]any{"z", "z"}},
		"login.claims.nonce=other":        {"nonce", [2]any{"other", nil}},
		"refresh.claims.sub=mallory":      {"sub", [2]any{"alice", "mallory"}},
		"header.alg=HS256":                {"alg", [2]any{"HS256", "HS256"}},
		"header.kid=null":                 {"kid", [2]any{nil, nil}},
		"token.token_type=mac":            {"token_type", [2]any{"mac", "mac"}},
		"token.expires_in=null":           {"expires_in", [2]any{nil, nil}},
		"login.token.id_token=null":       {"id_token", [2]any{nil, "any"}},
		"refresh.token.id_token=null":     {"id_token", [2]any{"any", nil}},
		"refresh.token.refresh_token=bad": {"refresh_token", [2]any{"any", "bad"}},
	} {
		server.Reset()
		set(t, server, setting)
		first := c.login()
		second := c.refresh(server.RefreshToken())
		for i, answer := range []response{first, second} {
			var document map[string]any
			switch {
			case strings.Contains(setting, "claims."):
				document = part(t, answer.member(t, "id_token"), 1)
			case strings.HasPrefix(setting, "header."):
				document = part(t, answer.member(t, "id_token"), 0)
			default:
				document = answer.document(t)
			}
			got, found := document[want.member]
			switch expected := want.values[i]; {
			case expected == nil && found, expected == "any" && !found:
				t.Errorf("%s, answer %d: got %v", setting, i, got)
			case expected != nil && expected != "any" && !reflect.DeepEqual(got, expected):
				t.Errorf("%s, answer %d: got %v, want %v", setting, i, got, expected)
			}
		}
	}
}

func TestSetRelativeTimes(t *testing.T) {
	t.Parallel()
	clock := newClock()
	server, c := start(t, idp.Config{Now: clock.now})
	set(t, server, "claims.exp=-1h", "claims.iat=+10m", "claims.nbf=+1m", "claims.auth_time=-24h")
	claims := part(t, c.login().member(t, "id_token"), 1)
	now := float64(clock.now().Unix())
	for name, want := range map[string]float64{"exp": -3600, "iat": 600, "nbf": 60, "auth_time": -86400} {
		if claims[name] != now+want {
			t.Errorf("%s: got %v, want %v", name, claims[name], now+want)
		}
	}
}

func TestSetDiscovery(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	set(t, server, "discovery.issuer=https://evil.example", "discovery.jwks_uri=null", `discovery.scopes_supported=["x"]`)
	document := c.get("/.well-known/openid-configuration").document(t)
	if _, found := document["jwks_uri"]; found || document["issuer"] != "https://evil.example" ||
		!reflect.DeepEqual(document["scopes_supported"], []any{"x"}) {
		t.Errorf("got %v", document)
	}
	server.Reset()
	document = c.get("/.well-known/openid-configuration").document(t)
	if document["issuer"] != server.Issuer() || document["jwks_uri"] == nil {
		t.Errorf("after Reset: %v", document)
	}
}

func TestSetAuthorize(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	for setting, want := range map[string]map[string]string{
		"authorize.state=wrong":              {"state": "wrong", "iss": server.Issuer()},
		"authorize.state=null":               {"state": "", "iss": server.Issuer()},
		"authorize.state+=1":                 {"state": c.state + "1"},
		"authorize.iss=https://evil.example": {"state": c.state, "iss": "https://evil.example"},
		"authorize.code=123456789012":        {"code": "123456789012"},
		"authorize.error=access_denied":      {"error": "access_denied", "code": "", "state": c.state},
		"authorize.extra=true":               {"extra": "true"},
	} {
		server.Reset()
		set(t, server, setting)
		callback := c.authorize(c.authorizationRequest()).callback(t)
		for name, value := range want {
			if callback.Get(name) != value || callback.Has(name) != (value != "") {
				t.Errorf("%s: got %v", setting, callback)
			}
		}
	}
}

func TestSetAlgorithm(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	for _, algorithm := range []string{
		"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
	} {
		set(t, server, "alg="+algorithm)
		answer := c.login()
		claims, err := c.verify(answer.member(t, "id_token"))
		if err != nil {
			t.Errorf("%s: %v", algorithm, err)
			continue
		}
		if algorithm == "ES512" || algorithm == "EdDSA" {
			hash := sha512.Sum512([]byte(answer.member(t, "access_token")))
			if want := base64.RawURLEncoding.EncodeToString(hash[:32]); claims["at_hash"] != want {
				t.Errorf("%s: at_hash %v, want %s", algorithm, claims["at_hash"], want)
			}
		}
	}
	for _, algorithm := range []string{"none", "HS256", "HS512"} {
		set(t, server, "alg="+algorithm)
		token := c.login().member(t, "id_token")
		header := part(t, token, 0)
		kid, _ := header["kid"].(string)
		if header["alg"] != algorithm || len(c.publicKeys(kid)) != 1 {
			t.Errorf("%s: header %v", algorithm, header)
		}
		if unsigned := strings.HasSuffix(token, "."); unsigned != (algorithm == "none") {
			t.Errorf("%s: token %s", algorithm, token)
		}
	}
}

func TestSetSignature(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	for kind, want := range map[string]error{
		"good": nil, "broken": jose.ErrCryptoFailure, "foreign": jose.ErrCryptoFailure, "unknown-kid": errUnknownKid,
	} {
		for _, algorithm := range []string{"RS256", "ES256"} {
			set(t, server, "signature="+kind, "alg="+algorithm)
			if _, err := c.verify(c.login().member(t, "id_token")); !errors.Is(err, want) {
				t.Errorf("%s with %s: got %v, want %v", kind, algorithm, err, want)
			}
		}
	}
}

func TestSetKeys(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	set(t, server, `keys.extra=[{"kty":"future","kid":"1"},{}]`, "keys.kid=null")
	keys, _ := c.get("/keys").document(t)["keys"].([]any)
	if len(keys) != 4 || !reflect.DeepEqual(keys[0], map[string]any{"kty": "future", "kid": "1"}) {
		t.Fatalf("got %v", keys)
	}
	for _, key := range keys[2:] {
		if _, found := key.(map[string]any)["kid"]; found {
			t.Errorf("kid in %v", key)
		}
	}
	if _, found := part(t, c.login().member(t, "id_token"), 0)["kid"]; found {
		t.Error("kid in the header")
	}
}

func TestSetNeighbours(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	for _, count := range []int{1, 3} {
		set(t, server, "keys.kid=null", fmt.Sprintf("keys.each=%d", count))
		keys, _ := c.get("/keys").document(t)["keys"].([]any)
		got := map[string]int{}
		var usable []jose.JSONWebKey
		for _, key := range keys {
			members := key.(map[string]any)
			_, named := members["kid"]
			_, bound := members["alg"]
			if forSignatures := members["use"] == "sig"; named == forSignatures || bound == forSignatures {
				t.Errorf("key %v", members)
			}
			got[fmt.Sprint(members["kty"], members["crv"], members["use"])]++
			text, _ := json.Marshal(key)
			var parsed jose.JSONWebKey
			if members["crv"] != "secp256k1" && members["use"] == "sig" {
				if err := json.Unmarshal(text, &parsed); err != nil {
					t.Error(err)
				}
				usable = append(usable, parsed)
			}
		}
		want := map[string]int{
			"RSA<nil>sig": count, "ECP-256sig": count, "ECsecp256k1sig": count, "OKPEd25519sig": count,
			"RSA<nil>enc": 1, "ECP-256enc": 1,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		signed, err := jose.ParseSignedCompact(c.login().member(t, "id_token"), []jose.SignatureAlgorithm{"RS256"})
		if err != nil {
			t.Fatal(err)
		}
		fits := slices.IndexFunc(usable, func(key jose.JSONWebKey) bool { _, err := signed.Verify(key); return err == nil })
		if fits != len(usable)-2 { // after all neighbours; our P-256 key is the last
			t.Errorf("of %d keys, number %d fits", len(usable), fits)
		}
	}
}

func TestSetRotateKeys(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	set(t, server, "keys.rotate=before-signing")
	old := c.get("/keys").body
	token := c.login().member(t, "id_token")
	if _, err := c.verify(token); err != nil || c.get("/keys").body == old {
		t.Errorf("keys were not rotated before signing: %v", err)
	}
	c.login()
	if _, err := c.verify(token); !errors.Is(err, errUnknownKid) {
		t.Errorf("keys were not rotated again: %v", err)
	}
}

func TestSetRefreshTokens(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings []string
		check    func(t *testing.T, c *client)
	}{
		"rotation off": {[]string{"rotation=off"}, func(t *testing.T, c *client) {
			token := c.login().member(t, "refresh_token")
			for range 2 {
				if answer := c.refresh(token); answer.member(t, "refresh_token") != token {
					t.Error(answer.body)
				}
			}
		}},
		"refresh off": {[]string{"refresh=off"}, func(t *testing.T, c *client) {
			if answer := c.login(); answer.document(t)["refresh_token"] != nil || c.server.RefreshToken() != "" {
				t.Error(answer.body)
			}
		}},
		"no new one": {[]string{"refresh.token.refresh_token=null"}, func(t *testing.T, c *client) {
			token := c.login().member(t, "refresh_token")
			for range 2 {
				if answer := c.refresh(token); answer.StatusCode != 200 || answer.document(t)["refresh_token"] != nil {
					t.Error(answer.body)
				}
			}
		}},
		"reuse tolerated": {[]string{"reuse=tolerate"}, func(t *testing.T, c *client) {
			token := c.login().member(t, "refresh_token")
			for range 2 {
				if answer := c.refresh(token); answer.member(t, "refresh_token") == token {
					t.Error(answer.body)
				}
			}
			if c.server.Reuse() != 1 {
				t.Errorf("Reuse %d", c.server.Reuse())
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server, c := start(t, idp.Config{})
			set(t, server, test.settings...)
			test.check(t, c)
			if name != "reuse tolerated" && server.Reuse() != 0 {
				t.Errorf("Reuse %d", server.Reuse())
			}
		})
	}
}

func TestSetSizesAndTimes(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{IDTokenPadding: 10, Latency: time.Millisecond})
	if padding := part(t, c.login().member(t, "id_token"), 1)["padding"]; padding != strings.Repeat("x", 10) {
		t.Errorf("padding %v", padding)
	}
	set(t, server, "padding=4096", "lifetime=90s", "latency=50ms")
	began := time.Now()
	answer := c.login()
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("took %v", took)
	}
	claims := part(t, answer.member(t, "id_token"), 1)
	padding, _ := claims["padding"].(string)
	if len(padding) != 4096 || answer.document(t)["expires_in"] != 90.0 ||
		claims["exp"].(float64)-claims["iat"].(float64) != 90 {
		t.Errorf("padding %d, answer %s", len(padding), answer.body)
	}
}

func TestSetFaultAnswers(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	for value, check := range map[string]func(response) bool{
		"html": func(r response) bool {
			return r.StatusCode == 200 && strings.HasPrefix(r.Header.Get("Content-Type"), "text/html")
		},
		"text": func(r response) bool {
			return r.StatusCode == 200 && strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") && !json.Valid([]byte(r.body))
		},
		"garbage": func(r response) bool {
			return r.StatusCode == 200 && r.Header.Get("Content-Type") == "application/json" && !json.Valid([]byte(r.body))
		},
		"huge": func(r response) bool { return len(r.body) > 5<<20 && json.Valid([]byte(r.body)) },
		"redirect=https://x.example/?a=b": func(r response) bool {
			return r.StatusCode == 302 && r.Header.Get("Location") == "https://x.example/?a=b"
		},
		"404": func(r response) bool { return r.StatusCode == 404 && r.Header.Get("Retry-After") == "" },
		"503,retry-after=2": func(r response) bool {
			return r.StatusCode == 503 && r.Header.Get("Retry-After") == "2"
		},
		"429,retry-after=2,error=too_many_requests": func(r response) bool {
			return r.StatusCode == 429 && r.Header.Get("Retry-After") == "2" && r.Header.Get("Content-Type") == "application/json" &&
				strings.Contains(r.body, `"error":"too_many_requests"`)
		},
	} {
		for endpoint, path := range map[string]string{
			"discovery": "/.well-known/openid-configuration", "keys": "/keys", "token": "/token",
			"authorization": "/authorization", "userinfo": "/userinfo",
		} {
			set(t, server, "fault."+endpoint+"="+value)
			if answer := c.post(path, nil); !check(answer) {
				t.Errorf("%s of %s: got %d %v", value, endpoint, answer.StatusCode, answer.Header)
			}
		}
	}
	for path, endpoint := range map[string]string{"/.well-known/openid-configuration": "discovery", "/keys": "keys"} {
		set(t, server, "fault."+endpoint+"=as-text")
		answer := c.get(path)
		if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/plain") || !json.Valid([]byte(answer.body)) {
			t.Errorf("as-text of %s: got %v %s", endpoint, answer.Header, answer.body)
		}
	}
	set(t, server, "fault.token=error=temporarily_unavailable")
	expectError(t, c.refresh("x"), 400, "temporarily_unavailable")
	set(t, server, "fault.token=error=invalid_client")
	expectError(t, c.refresh("x"), 401, "invalid_client")
	set(t, server, "fault.token=null")
	expectError(t, c.refresh("x"), 400, "invalid_grant")
}

func TestSetFaultsOfTheConnection(t *testing.T) {
	t.Parallel()
	for _, config := range []idp.Config{{}, {TLS: true}} {
		server, c := start(t, config)
		token := c.login().member(t, "refresh_token")

		set(t, server, "fault.token=reset")
		if _, err := c.trySend(c.request(http.MethodPost, "/token", c.refreshRequest(token).Encode())); err == nil {
			t.Error("reset: an answer came")
		}
		if server.RefreshToken() != token {
			t.Error("reset: the request was processed")
		}

		set(t, server, "fault.token=reset-after")
		if _, err := c.trySend(c.request(http.MethodPost, "/token", c.refreshRequest(token).Encode())); err == nil {
			t.Error("reset-after: an answer came")
		}
		if server.RefreshToken() == token {
			t.Error("reset-after: the request was not processed")
		}

		set(t, server, "fault.token=hang")
		hanging := make(chan error)
		request := c.request(http.MethodPost, "/token", c.refreshRequest(token).Encode())
		go func() {
			_, err := c.trySend(request)
			hanging <- err
		}()
		select {
		case <-hanging:
			t.Error("hang: an answer came")
		case <-time.After(50 * time.Millisecond):
		}
		server.Close()
		if err := <-hanging; err == nil {
			t.Error("hang: an answer came when the provider was closed")
		}
	}
}

func TestSetRefusesNonsense(t *testing.T) {
	t.Parallel()
	server, _ := start(t, idp.Config{})
	for _, setting := range []string{
		"nonsense=1", "claims=1", "claims.=1", "alg=XS256", "alg=HS999", "signature=x", "keys.extra={}", "keys.kid=1",
		"keys.each=0", "keys.each=4", "keys.each=x", "keys.rotate=x", "claims.+=1", "authentication=none",
		"latency=soon", "lifetime=60", "padding=x", "rotation=x", "refresh=x", "reuse=x",
		"fault.nowhere=503", "fault.token=x", "fault.token=200", "fault.token=503,x", "fault.token=503,x=y", "fault.token=redirect=",
		"fault.token=error=", "fault.keys=error=invalid_grant", "fault.keys=503,times=0", "fault.keys=503,times=x",
		"fault.token=invalid-token", "fault.keys=encrypted", "userinfo=1", "userinfo-alg=x", "userinfo-claims=x", "userinfo-signature=x",
	} {
		name, value, _ := strings.Cut(setting, "=")
		if err := server.Set(name, value); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", setting, err)
		}
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	code := c.code()
	first := c.post("/token", c.tokenRequest(code))
	second := c.refresh(first.member(t, "refresh_token"))
	c.userInfo(second.member(t, "access_token"))
	set(t, server, "fault.keys=503")
	c.get("/keys")
	c.get("/.well-known/openid-configuration")
	server.Reset()

	for endpoint, want := range map[idp.Endpoint]int{
		idp.Discovery: 1, idp.Keys: 1, idp.Authorization: 1, idp.Token: 2, idp.UserInfo: 1,
	} {
		if got := server.Count(endpoint); got != want {
			t.Errorf("%s: got %d, want %d", endpoint, got, want)
		}
	}
	requests := server.Requests()
	if request := requests[0]; request.Endpoint != idp.Authorization || request.Query.Get("state") != c.state {
		t.Errorf("got %v", request)
	}
	if request := requests[1]; request.Method != http.MethodPost || request.Form.Get("code") != code ||
		request.Header.Get("Content-Type") == "" || request.Time.IsZero() {
		t.Errorf("got %v", request)
	}
	want := []string{
		c.state, c.nonce, c.verifier, code,
		first.member(t, "access_token"), first.member(t, "refresh_token"), first.member(t, "id_token"),
		second.member(t, "access_token"), second.member(t, "refresh_token"), second.member(t, "id_token"),
	}
	slices.Sort(want)
	if got := server.Secrets(); !slices.Equal(got, want) {
		t.Errorf("Secrets\ngot  %q\nwant %q", got, want)
	}
}

func TestStartRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, config := range []idp.Config{{Address: "nowhere"}, {Address: "127.0.0.1:-1"}, {Path: "realms"}, {KeysPath: "jwks"}} {
		if server, err := idp.Start(config); err == nil || server != nil {
			t.Errorf("%+v: got %v, %v", config, server, err)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	server, c := start(t, idp.Config{})
	t.Run("group", func(t *testing.T) {
		for _, setting := range []string{"claims.aud=evil", "alg=ES256", "fault.keys=html", "padding=1"} {
			t.Run(setting, func(t *testing.T) {
				t.Parallel()
				set(t, server, setting)
				if answer := c.login(); answer.StatusCode != 200 {
					t.Error(answer.body)
				}
				server.RotateKeys()
				server.Reset()
				if server.RefreshToken() == "" || server.Reuse() != 0 || len(server.Requests()) < 2 {
					t.Error("the login left no trace")
				}
			})
		}
	})
	if server.Count(idp.Token) != 4 {
		t.Errorf("got %d", server.Count(idp.Token))
	}
}
