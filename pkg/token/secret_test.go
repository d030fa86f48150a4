package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// No verb of fmt, no encoder and no logger shows a secret: neither alone, nor in a field, a pointer, a slice or a map.
func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "OUT-01")
	const value = "hunter2hunter2"
	secret := NewSecret(value)
	session := Session{RefreshToken: secret}
	set := Set{IDToken: IDToken{Raw: secret}, Session: session}
	unexported := struct{ inner Secret }{secret}
	shown := map[string]string{}
	for _, verb := range "vTtbcdoOqxXUeEfFgGsp" {
		for _, flags := range []string{"", "+", "#", "0", "-", " ", "20", ".3"} {
			format := "%" + flags + string(verb)
			for name, holder := range map[string]any{
				"secret": secret, "pointer": &secret, "session": session, "set": set, "pointer to set": &set,
				"slice": []Secret{secret}, "map": map[string]Secret{"a": secret}, "unexported": unexported,
			} {
				shown[format+" "+name] = fmt.Sprintf(format, holder)
			}
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	shown["json"] = string(text)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", secret, "session", session)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret, "session", session)
	shown["slog"] = log.String()
	shown["error"] = fmt.Errorf("failed: %v", secret).Error()

	hexValue := fmt.Sprintf("%x", value)
	for how, text := range shown {
		if strings.Contains(text, value) || strings.Contains(strings.ToLower(text), hexValue) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
}

func TestSecretReveals(t *testing.T) {
	t.Parallel()
	var empty Secret
	if !empty.IsEmpty() || empty.Reveal() != "" || !NewSecret("").Equal(empty) {
		t.Error("the zero value is not empty")
	}
	if secret := NewSecret("a"); secret.Reveal() != "a" || !secret.Equal(NewSecret("a")) || secret.Equal(NewSecret("b")) {
		t.Error("a secret does not hold its value")
	}
}
