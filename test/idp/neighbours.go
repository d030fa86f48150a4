package idp

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/go-jose/go-jose/v4"
)

// maxKeysOfAKind bounds the time that is spent on RSA keys.
const maxKeysOfAKind = 3

// newNeighbours makes the keys that lie in a key set beside ours, so that there are so many of each kind. All are good, but
// not all are for signatures, and not all are of a kind that each client knows.
func newNeighbours(count string) ([]any, error) {
	number, err := strconv.Atoi(count)
	if err != nil || number < 1 || number > maxKeysOfAKind {
		return nil, fmt.Errorf("must be a number from 1 to %d", maxKeysOfAKind)
	}
	keys, err := newEncryptionKeys()
	for i := 0; i < number && err == nil; i++ {
		var more []any
		more, err = newSignatureKeys(i)
		keys = append(keys, more...)
	}
	return keys, err
}

// newEncryptionKeys makes keys with which no signature may be verified.
// https://www.rfc-editor.org/rfc/rfc7517#section-4.2
func newEncryptionKeys() ([]any, error) {
	rsaKey, rsaErr := rsaKeys.key(encryptionKey)
	ecKey, ecErr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(rsaErr, ecErr); err != nil {
		return nil, err
	}
	return []any{
		jose.JSONWebKey{Key: rsaKey.Public(), KeyID: "encryption-RSA", Algorithm: "RSA-OAEP", Use: "enc"},
		jose.JSONWebKey{Key: ecKey.Public(), KeyID: "encryption-P-256", Algorithm: "ECDH-ES", Use: "enc"},
	}, nil
}

// newSignatureKeys makes a key of each kind. Of the kinds that ours have, ours are the first.
func newSignatureKeys(number int) ([]any, error) {
	koblitzKey, koblitzErr := newSecp256k1Key()
	edKey, _, edErr := ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(koblitzErr, edErr); err != nil {
		return nil, err
	}
	keys := []any{koblitzKey, jose.JSONWebKey{Key: edKey, Use: "sig"}}
	if number == 0 {
		return keys, nil
	}
	rsaKey, rsaErr := rsaKeys.key(firstNeighbour + number - 1)
	ecKey, ecErr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(rsaErr, ecErr); err != nil {
		return nil, err
	}
	return append(keys, jose.JSONWebKey{Key: rsaKey.Public(), Use: "sig"}, jose.JSONWebKey{Key: ecKey.Public(), Use: "sig"}), nil
}

// newSecp256k1Key finds a point of the curve y² = x³ + 7, which the standard library does not know.
// https://www.rfc-editor.org/rfc/rfc8812#section-3.1
func newSecp256k1Key() (map[string]any, error) {
	// https://www.secg.org/sec2-v2.pdf, section 2.4.1: the prime 2^256 - 2^32 - 977
	prime := new(big.Int).Lsh(big.NewInt(1), 256)
	prime.Sub(prime, big.NewInt(1<<32+977))
	for {
		x, err := rand.Int(rand.Reader, prime)
		if err != nil {
			return nil, err
		}
		square := new(big.Int).Exp(x, big.NewInt(3), prime)
		y := new(big.Int).ModSqrt(square.Add(square, big.NewInt(7)), prime)
		if y == nil {
			continue // half of all numbers have no square root
		}
		coordinate := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, 32))) }
		return map[string]any{"kty": "EC", "crv": "secp256k1", "use": "sig", "x": coordinate(x), "y": coordinate(y)}, nil
	}
}
