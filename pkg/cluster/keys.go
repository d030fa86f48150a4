package cluster

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// judgeKeys looks for keys that kube-apiserver cannot read: one of them makes its library refuse the whole set, also those
// that are not for signatures.
func judgeKeys(e Evidence, _ Authentication) []Finding {
	const subject = "provider's keys"
	if e.Keys == nil {
		return nil
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(e.Keys, &set) != nil {
		return found(Error, subject, "Ask the provider's administrator.", "The provider's key set (jwks_uri) is not JSON, or has no list of keys.")
	}
	var findings []Finding
	var ids []string
	for number, raw := range set.Keys {
		var key webKey
		err := json.Unmarshal(raw, &key)
		if err == nil {
			ids = append(ids, key.ID)
			err = key.check()
		} else {
			err = errors.New("it is not as a key must be")
		}
		if err != nil {
			findings = append(findings, found(Error, subject, "Have the provider publish that key elsewhere, or not at all.",
				"kube-apiserver cannot read key %d, with the ID (kid) %s: %v. So it reads none of them, and refuses every token.", number+1, untrusted.Quoted(key.ID), err)...)
		}
	}
	if len(findings) > 0 {
		return findings
	}
	return judgeKeyID(e.Header["kid"], ids)
}

func judgeKeyID(id any, ids []string) []Finding {
	const subject = "provider's keys"
	wanted, ok := id.(string)
	if ok && wanted != "" && !slices.Contains(ids, wanted) {
		return found(Error, subject, "Ask the provider's administrator. It may have just changed its keys: then log in again.",
			"The token is signed with the key %s (kid), which the provider does not publish.", untrusted.Quoted(wanted))
	}
	return found(OK, subject, "", "kube-apiserver can read all of the provider's keys.")
}

// webKey has the members of a JWK that decide whether it can be read (https://www.rfc-editor.org/rfc/rfc7518#section-6).
type webKey struct {
	Type  string  `json:"kty"`
	ID    string  `json:"kid"`
	Curve string  `json:"crv"`
	X     *octets `json:"x"`
	Y     *octets `json:"y"`
	N     *octets `json:"n"`
	E     *octets `json:"e"`
	K     *octets `json:"k"`
}

// check has the rules of the JOSE library of kube-apiserver, which is older than many kinds of keys.
func (k webKey) check() error {
	missing := false
	switch k.Type {
	case "RSA":
		missing = k.N == nil || k.E == nil
	case "EC":
		size, ok := map[string]int{"P-256": 32, "P-384": 48, "P-521": 66}[k.Curve]
		if !ok {
			return fmt.Errorf("it does not know the curve %s", untrusted.Quoted(k.Curve))
		}
		missing = k.X == nil || k.Y == nil || len(*k.X) != size || len(*k.Y) != size
	case "OKP":
		if k.Curve != "Ed25519" {
			return fmt.Errorf("it does not know the curve %s", untrusted.Quoted(k.Curve))
		}
		missing = k.X == nil
	case "oct":
		missing = k.K == nil
	default:
		return fmt.Errorf("it does not know the key type %s", untrusted.Quoted(k.Type))
	}
	if missing {
		return fmt.Errorf("numbers of the %s key are missing, or have a wrong length", k.Type)
	}
	return nil
}

// octets are base64url, with or without padding.
type octets []byte

// UnmarshalJSON reads them.
func (o *octets) UnmarshalJSON(text []byte) error {
	var encoded string
	if err := json.Unmarshal(text, &encoded); err != nil {
		return err
	}
	decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
	*o = decoded
	return err
}
