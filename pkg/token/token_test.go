package token_test

import (
	"encoding/base64"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

func TestPerson(t *testing.T) {
	t.Parallel()
	for claims, want := range map[string]string{
		`{"sub":"4711","name":"Alice","preferred_username":"ali","email":"alice@example.com"}`: "alice@example.com",
		`{"sub":"4711","name":"Alice","preferred_username":"ali"}`:                             "ali",
		`{"sub":"4711","name":"Alice","email":["alice@example.com"]}`:                          "Alice",
		`{"sub":"4711","email":""}`:                                                            "4711",
		`{}`:                                                                                   "",
		`[]`:                                                                                   "",
	} {
		raw := "header." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".signature"
		if got := (token.IDToken{Raw: token.NewSecret(raw)}).Person(); got != want {
			t.Errorf("%s: got %q, want %q", claims, got, want)
		}
	}
	if got := (token.IDToken{Raw: token.NewSecret("opaque")}).Person(); got != "" {
		t.Errorf("an opaque token: got %q", got)
	}
}
