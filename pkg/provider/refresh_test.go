package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// A session ends when the provider says that its refresh token is of no use, and for no other reason.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "RFR-11")
	for name, test := range map[string]struct {
		status int
		answer string
		ends   bool
	}{
		"invalid_grant":                {400, `{"error":"invalid_grant"}`, true},
		"Dex: spent":                   {400, `{"error":"invalid_request","error_description":"Refresh token is invalid or has already been claimed by another client."}`, true},
		"Dex: expired":                 {400, `{"error":"invalid_request","error_description":"Refresh token expired."}`, true},
		"ZITADEL: spent or expired":    {400, `{"error":"invalid_request","error_description":"Errors.OIDCSession.RefreshTokenInvalid"}`, true},
		"ZITADEL: of an older session": {404, `{"error":"invalid_request","error_description":"Errors.User.RefreshToken.Invalid"}`, true},
		"ZITADEL: it failed":           {500, `{"error":"server_error","error_description":"Errors.User.RefreshToken.Invalid"}`, false},
		"Entra ID: a second factor":    {400, `{"error":"interaction_required","error_description":"AADSTS50076: Due to a configuration change"}`, true},
		"Entra ID: a consent":          {400, `{"error":"consent_required"}`, true},
		"Entra ID: a login":            {400, `{"error":"login_required"}`, true},
		"Dex: its store failed":        {500, `{"error":"invalid_request"}`, false},
		"its store failed, and talks":  {500, `{"error":"invalid_request","error_description":"The refresh token cannot be looked up."}`, false},
		"the request is wrong":         {400, `{"error":"invalid_request","error_description":"Unknown parameter."}`, false},
		"the request is wrong, period": {400, `{"error":"invalid_request"}`, false},
		"the client is wrong":          {401, `{"error":"invalid_client","error_description":"This refresh token is another client's."}`, false},
		"busy":                         {429, `{"error":"invalid_request","error_description":"Too many refresh tokens."}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: test.status,
					Header:     http.Header{"Content-Type": {"application/json"}},
					Body:       io.NopCloser(strings.NewReader(test.answer)),
					Request:    request,
				}, nil
			}))
			_, err := p.refresh(t.Context(), fuzzMetadata(), token.Session{RefreshToken: token.NewSecret("old")})
			if err == nil || errors.Is(err, token.ErrSessionEnded) != test.ends {
				t.Errorf("expected the session's end: %t, got %v", test.ends, err)
			}
		})
	}
}

// Keys that have moved since the metadata was kept are found, whether the old address is gone or has the old keys still, and
// the refresh token is spent once.
func TestRefreshFindsMovedKeys(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "JWK-02", "JWK-03")
	const (
		discoveryURL = fuzzIssuer + "/.well-known/openid-configuration"
		tokenURL     = "https://op.example/t"
		oldKeys      = "https://op.example/old"
		newKeys      = "https://op.example/new"
	)
	signer := newSigner(t)
	signed := signer.sign(t, strings.Replace(goodPayload, `,"nonce":"nonce"`, "", 1))
	ours := fmt.Sprintf(`{"keys":[%s]}`, jwk(t, &signer.private.PublicKey, map[string]any{"kid": "k"}))
	describe := func(keys string) string {
		return fmt.Sprintf(`{"issuer":%q,"authorization_endpoint":"https://op.example/a","token_endpoint":%q,"jwks_uri":%q,`+
			`"id_token_signing_alg_values_supported":["ES256"]}`, fuzzIssuer, tokenURL, keys)
	}
	for name, test := range map[string]struct {
		kept     string // the key set of the old address that is kept; empty: none is
		old      string // what the old address answers; empty: nothing is there
		requests []string
	}{
		"gone, before the refresh":      {"", "", []string{oldKeys, discoveryURL, newKeys, tokenURL}},
		"gone, after the refresh":       {`{"keys":[]}`, "", []string{tokenURL, oldKeys, discoveryURL, newKeys}},
		"left behind, with the old set": {`{"keys":[]}`, `{"keys":[]}`, []string{tokenURL, oldKeys, discoveryURL, newKeys}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := map[string]string{
				discoveryURL: describe(newKeys), newKeys: ours, oldKeys: test.old,
				tokenURL: fmt.Sprintf(`{"access_token":"a","token_type":"Bearer","refresh_token":"new","id_token":%q}`, signed),
			}
			var asked []string
			p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
				address := request.URL.String()
				asked = append(asked, address)
				status := http.StatusOK
				if answers[address] == "" {
					status = http.StatusNotFound
				}
				return &http.Response{
					StatusCode: status,
					Header:     http.Header{"Content-Type": {"application/json"}},
					Body:       io.NopCloser(strings.NewReader(answers[address])),
					Request:    request,
				}, nil
			}))
			disk := map[string][]byte{}
			p.config.LoadDocument = func(name string) []byte { return disk[name] }
			p.config.SaveDocument = func(name string, text []byte) { disk[name] = text }
			p.keep(discoveryURL, json.RawMessage(describe(oldKeys)), maxDocumentAge)
			if test.kept != "" {
				p.keep(oldKeys, json.RawMessage(test.kept), maxDocumentAge)
			}
			set, err := p.Refresh(t.Context(), token.Key{}, token.Session{
				RefreshToken: token.NewSecret("old"), Subject: "alice", Audience: []string{"kubernetes"}})
			if err != nil || set.IDToken.Raw.IsEmpty() || set.Session.RefreshToken.Reveal() != "new" {
				t.Errorf("the new tokens are lost: %v", err)
			}
			if !slices.Equal(asked, test.requests) {
				t.Errorf("expected requests to %q, got %q", test.requests, asked)
			}
		})
	}
}
