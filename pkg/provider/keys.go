package provider

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

const (
	// More keys than any provider publishes; a bound for signatures without a key ID.
	maxKeysTried = 16
	// https://www.rfc-editor.org/rfc/rfc7518#section-3.3
	minRSABits = 2048
	// Larger keys cost more time to verify than they could be worth.
	maxRSABits = 16384
)

// key is a signature key of the provider, with what it may be used for.
type key struct {
	id        string
	algorithm string // the one algorithm it is for; empty: any that fits its type
	public    crypto.PublicKey
}

// keys returns the provider's key set, kept from before unless fresh is asked for.
func (p *Provider) keys(ctx context.Context, from *metadata, fresh bool) (keys []key, cached bool, err error) {
	return readDocument(ctx, p, from.JWKSURL, "signing keys", fresh, func(body []byte) ([]key, error) {
		keys, ok := parseKeys(body)
		if !ok {
			return nil, noDocument("Tell the provider's administrator.", "signing keys: %s did not answer with a JSON Web Key Set",
				untrusted.Printable(from.JWKSURL))
		}
		return keys, nil
	})
}

// parseKeys reads a set key by key: one that is not understood, not for signatures or not safe is passed over and spoils
// nothing (https://www.rfc-editor.org/rfc/rfc7517#section-5).
func parseKeys(body []byte) ([]key, bool) {
	var set struct {
		Keys *[]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || set.Keys == nil {
		return nil, false
	}
	var keys []key
	for _, raw := range *set.Keys {
		if parsed, ok := parseKey(raw); ok {
			keys = append(keys, parsed)
		}
	}
	return keys, true
}

func parseKey(raw []byte) (key, bool) {
	var usage struct {
		Use        string   `json:"use"`
		Operations []string `json:"key_ops"`
	}
	var parsed jose.JSONWebKey
	if json.Unmarshal(raw, &usage) != nil || json.Unmarshal(raw, &parsed) != nil {
		return key{}, false
	}
	// https://www.rfc-editor.org/rfc/rfc7517#section-4.2
	if usage.Use != "" && usage.Use != "sig" || usage.Operations != nil && !slices.Contains(usage.Operations, "verify") {
		return key{}, false
	}
	switch public := parsed.Key.(type) { // private and symmetric keys are other types
	case *rsa.PublicKey:
		if size := public.N.BitLen(); size < minRSABits || size > maxRSABits {
			return key{}, false
		}
	case *ecdsa.PublicKey:
	default:
		return key{}, false
	}
	return key{parsed.KeyID, parsed.Algorithm, parsed.Key}, true
}

// fitting returns the public keys that may have made a signature: those with its key ID, or all where it names none, if
// they are made for its algorithm (https://openid.net/specs/openid-connect-core-1_0.html#SigEnc).
func fitting(keys []key, keyID, algorithm string) []crypto.PublicKey {
	var public []crypto.PublicKey
	for _, candidate := range keys {
		if (keyID == "" || candidate.id == keyID) && candidate.fits(algorithm) && len(public) < maxKeysTried {
			public = append(public, candidate.public)
		}
	}
	return public
}

// fits binds algorithms to key types, and ECDSA's to their curves (https://www.rfc-editor.org/rfc/rfc7518#section-3.4).
func (k key) fits(algorithm string) bool {
	if k.algorithm != "" && k.algorithm != algorithm {
		return false
	}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		curves := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
		return curves[algorithm] == public.Curve
	}
	return false
}
