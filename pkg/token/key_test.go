package token

import (
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// The ID names records that outlive releases: this one may never change.
func TestKeyIDIsStable(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-06")
	key := Key{Issuer: "https://op.example", ClientID: "kubernetes", Scopes: []string{"openid", "groups", "email"}}
	const want = "80afbebb17f1eb0f80e8fe7df0ecde4c3fcad6754ee79d94efbfc582acb3a7ae"
	for range 1000 {
		if got := key.ID(); got != want {
			t.Fatalf("expected %s, got %s", want, got)
		}
	}
}

func TestKeyID(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-06")
	base := Key{Issuer: "https://op.example", ClientID: "kubernetes", Scopes: []string{"openid", "groups"}}
	with := func(change func(*Key)) Key {
		changed := base
		change(&changed)
		return changed
	}
	for name, same := range map[string]Key{
		"order of scopes": with(func(k *Key) { k.Scopes = []string{"groups", "openid"} }),
		"scope twice":     with(func(k *Key) { k.Scopes = []string{"groups", "openid", "groups"} }),
		"no parameters":   with(func(k *Key) { k.Parameters = map[string][]string{} }),
	} {
		if same.ID() != base.ID() {
			t.Errorf("%s makes another identity", name)
		}
	}
	for name, other := range map[string]Key{
		"issuer":       with(func(k *Key) { k.Issuer = "https://op.example/" }),
		"client":       with(func(k *Key) { k.ClientID = "other" }),
		"scopes":       with(func(k *Key) { k.Scopes = []string{"openid"} }),
		"boundary":     with(func(k *Key) { k.Scopes = []string{"openid groups"} }),
		"parameter":    with(func(k *Key) { k.Parameters = map[string][]string{"audience": {"a"}} }),
		"access token": with(func(k *Key) { k.AccessToken = true }),
		"account":      with(func(k *Key) { k.Account = "alice" }),
		"kind":         with(func(k *Key) { k.Machine = true }),
	} {
		if other.ID() == base.ID() {
			t.Errorf("another %s makes the same identity", name)
		}
	}
}

// The order of parameters is a map's, so it must not count; nor does that of one parameter's values.
func TestKeyIDOfParameters(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "STO-06")
	key := Key{Parameters: map[string][]string{"resource": {"urn:b", "urn:a"}, "audience": {"x"}, "acr_values": {"y"}}}
	other := Key{Parameters: map[string][]string{"acr_values": {"y"}, "resource": {"urn:a", "urn:b", "urn:a"}, "audience": {"x"}}}
	for range 100 {
		if key.ID() != other.ID() {
			t.Fatal("another order makes another identity")
		}
	}
	if other.Parameters["resource"] = []string{"urn:a"}; key.ID() == other.ID() {
		t.Error("another resource makes the same identity")
	}
}
