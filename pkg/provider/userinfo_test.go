package provider

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// A redirect would carry the access token to an address that the metadata does not name.
func TestUserInfoFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var asked []string
	p := newFuzzProvider(t, roundTripper(func(request *http.Request) (*http.Response, error) {
		asked = append(asked, request.URL.String())
		return &http.Response{
			StatusCode: http.StatusFound, Header: http.Header{"Location": {"https://op.example/elsewhere"}},
			Body: io.NopCloser(strings.NewReader("")), Request: request,
		}, nil
	}))
	_, err := p.askUserInfo(t.Context(), "https://op.example/userinfo", token.NewSecret("access-token"))
	if err == nil || err.Error() != "userinfo: the UserInfo endpoint answered 302 Found" || len(asked) != 1 {
		t.Errorf("got %v after asking %v", err, asked)
	}
}

// https://www.rfc-editor.org/rfc/rfc6750#section-3
func TestBearerError(t *testing.T) {
	t.Parallel()
	for challenge, want := range map[string]string{
		``:                             "",
		`Bearer`:                       "",
		`Bearer error="invalid_token"`: "invalid_token",
		`bearer realm="x", error="invalid_token", error_description="no"`: "invalid_token",
		`Bearer realm="x",error=insufficient_scope,scope="a b"`:           "insufficient_scope",
		`Bearer error_description="error"`:                                "",
		`Basic error="invalid_token"`:                                     "",
	} {
		if got := bearerError(http.Header{"Www-Authenticate": {"Negotiate", challenge}}); got != want {
			t.Errorf("%s: expected %q, got %q", challenge, want, got)
		}
	}
}

func TestReadUserInfo(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"sub":"alice"}`:                   "",
		`{"sub":"alice","id":1e30} ` + "\n": "",
		`{"sub":"Alice"}`:                   `is about "Alice"`,
		`{"SUB":"alice"}`:                   "it has no subject (sub)",
		`{"sub":["alice"]}`:                 "it has no subject (sub)",
		`{"sub":null}`:                      "it has no subject (sub)",
		`{"sub":"alice"}}`:                  "it is more than a JSON object",
		`{"sub":"alice"}{"sub":"bob"}`:      "it is more than a JSON object",
		`["alice"]`:                         "it is not a JSON object",
		`null`:                              "it is not a JSON object",
		``:                                  "it is not a JSON object",
		`{"sub":"alice`:                     "it is not a JSON object",
		`{"sub":"\u001b[2J\nmallory"}`:      `is about "[2Jmallory"`,
	} {
		claims, err := readUserInfo([]byte(payload), "alice")
		if (err == nil) != (want == "") || (claims != nil) != (want == "") {
			t.Errorf("%s: got %v, %v", payload, claims, err)
		}
		if err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: expected %q, got %v", payload, want, err)
		}
	}
}

// A signed answer is believed only where the algorithm is announced
// (https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata).
func TestUserInfoAlgorithms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		idToken, userInfo []string
		want              string
	}{
		{nil, nil, `"RS256"`},
		{[]string{"ES256", "none"}, nil, `"ES256"`},
		{[]string{"ES256"}, []string{"PS256", "RS256", "none", "HS256"}, `"RS256", "PS256"`},
		{[]string{"ES256"}, []string{"none"}, "none"},
	} {
		from := &metadata{UserInfoAlgorithms: test.userInfo}
		from.Algorithms = test.idToken
		if got := untrusted.QuotedList(from.userInfoAlgorithms()); got != test.want {
			t.Errorf("%v, %v: expected %s, got %s", test.idToken, test.userInfo, test.want, got)
		}
	}
}
