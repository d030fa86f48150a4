package provider

import (
	"errors"
	"io"
	"net/http"
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
