package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
)

// The ways in which a signature can be wrong, as Set names them.
const (
	goodSignature       = "good"
	brokenSignature     = "broken"
	foreignSignature    = "foreign"
	unknownKidSignature = "unknown-kid"
)

// signing is how a JWS is made.
type signing struct {
	algorithm string
	kind      string // one of the above
	header    string // the document by whose name Set changes the header
}

// sign makes a JWS in compact form. It is done by hand, since no library would make the bad ones.
// https://www.rfc-editor.org/rfc/rfc7515#section-5.1
func (s *Server) sign(claims map[string]any, how signing) (string, error) {
	keys, id, err := s.signingKeys(how)
	if err != nil {
		return "", err
	}
	header := map[string]any{"alg": how.algorithm, "typ": "JWT"}
	if !s.behaviour.kidsOff {
		header["kid"] = id
	}
	if how.header == "access-header" {
		header["typ"] = "at+jwt" // https://www.rfc-editor.org/rfc/rfc9068#section-2.1
	}
	s.behaviour.override(header, how.header)
	encodedHeader, err := encode(header)
	if err != nil {
		return "", err
	}
	encodedClaims, err := encode(claims)
	if err != nil {
		return "", err
	}
	input := encodedHeader + "." + encodedClaims
	signature, err := keys.signature(how.algorithm, []byte(input))
	if err != nil {
		return "", err
	}
	if how.kind == brokenSignature && len(signature) > 0 {
		signature[0] ^= 1
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// signingKeys returns the keys to sign with and the kid to name in the header.
func (s *Server) signingKeys(how signing) (keys *keyring, id string, err error) {
	if how.kind != foreignSignature && how.kind != unknownKidSignature {
		return s.keys, s.keys.id(how.algorithm), nil
	}
	if s.foreignKeys == nil {
		if s.foreignKeys, err = newKeyring(foreignKey); err != nil {
			return nil, "", err
		}
	}
	if how.kind == foreignSignature {
		return s.foreignKeys, s.keys.id(how.algorithm), nil
	}
	return s.foreignKeys, s.foreignKeys.id(how.algorithm), nil
}

func encode(document map[string]any) (string, error) {
	encoded, err := json.Marshal(document)
	return base64.RawURLEncoding.EncodeToString(encoded), err
}

// hashOf is the hash that belongs to an algorithm.
// https://www.rfc-editor.org/rfc/rfc7518#section-3.1
func hashOf(algorithm string) crypto.Hash {
	switch {
	case strings.HasSuffix(algorithm, "384"):
		return crypto.SHA384
	case strings.HasSuffix(algorithm, "512"), algorithm == "EdDSA":
		return crypto.SHA512
	default:
		return crypto.SHA256
	}
}

// signature is what the algorithm makes of the input.
func (k *keyring) signature(algorithm string, input []byte) ([]byte, error) {
	if algorithm == "none" {
		return nil, nil
	}
	if strings.HasPrefix(algorithm, "HS") {
		return k.confusedMAC(algorithm, input)
	}
	hash := hashOf(algorithm)
	digest := hash.New()
	digest.Write(input)
	sum := digest.Sum(nil)
	switch key := k.byAlg[algorithm].(type) {
	case *ecdsa.PrivateKey:
		return ecdsaSignature(key, sum)
	case *rsa.PrivateKey:
		if strings.HasPrefix(algorithm, "PS") {
			return key.Sign(rand.Reader, sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash})
		}
		return key.Sign(rand.Reader, sum, hash)
	default: // Ed25519 hashes by itself
		return key.Sign(rand.Reader, input, crypto.Hash(0))
	}
}

// ecdsaSignature joins the two numbers in the length of the curve's order.
// https://www.rfc-editor.org/rfc/rfc7518#section-3.4
func ecdsaSignature(key *ecdsa.PrivateKey, digest []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, key, digest)
	if err != nil {
		return nil, err
	}
	length := (key.Params().BitSize + 7) / 8
	signature := make([]byte, 2*length)
	r.FillBytes(signature[:length])
	s.FillBytes(signature[length:])
	return signature, nil
}

// confusedMAC takes the public RSA key for a secret, as a client does that lets the token choose the algorithm.
// https://www.rfc-editor.org/rfc/rfc8725#section-2.1
func (k *keyring) confusedMAC(algorithm string, input []byte) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.byAlg["RS256"].Public())
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	mac := hmac.New(hashOf(algorithm).New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write(input)
	return mac.Sum(nil), nil
}
