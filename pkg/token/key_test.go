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
	for name, same := range map[string]Key{
		"order of scopes": {base.Issuer, base.ClientID, []string{"groups", "openid"}},
		"scope twice":     {base.Issuer, base.ClientID, []string{"groups", "openid", "groups"}},
	} {
		if same.ID() != base.ID() {
			t.Errorf("%s makes another identity", name)
		}
	}
	for name, other := range map[string]Key{
		"issuer":   {"https://op.example/", base.ClientID, base.Scopes},
		"client":   {base.Issuer, "other", base.Scopes},
		"scopes":   {base.Issuer, base.ClientID, []string{"openid"}},
		"boundary": {base.Issuer, base.ClientID, []string{"openid groups"}},
	} {
		if other.ID() == base.ID() {
			t.Errorf("another %s makes the same identity", name)
		}
	}
}
