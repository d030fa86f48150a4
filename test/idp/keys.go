package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"slices"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// keyring holds the signing keys between two rotations.
type keyring struct {
	name  string
	byAlg map[string]crypto.Signer
}

// newKeyring makes keys, the RSA key excepted: that is one of the process's own.
func newKeyring(rsaKeyNumber int) (*keyring, error) {
	rsaKey, err := rsaKeys.key(rsaKeyNumber)
	if err != nil {
		return nil, err
	}
	keys := &keyring{rand.Text(), map[string]crypto.Signer{}}
	for _, algorithm := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"} {
		keys.byAlg[algorithm] = rsaKey
	}
	for algorithm, curve := range map[string]elliptic.Curve{
		"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521(),
	} {
		if keys.byAlg[algorithm], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			return nil, err
		}
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	keys.byAlg["EdDSA"] = edKey
	return keys, nil
}

// id is the kid of the key for an algorithm; for one that has no public key, that of the key a client would try.
func (k *keyring) id(algorithm string) string {
	if k.byAlg[algorithm] == nil {
		algorithm = "RS256"
	}
	return k.name + "-" + algorithm
}

// RotateKeys signs with new keys of new kids from now on. The old ones are no longer published.
func (s *Server) RotateKeys() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.rotateKeys(); err != nil {
		panic(err) // no randomness: nothing can go on
	}
}

func (s *Server) rotateKeys() error {
	s.rotations++
	keys, err := newKeyring(firstPublishedKey + s.rotations)
	if err != nil {
		return err
	}
	s.keys = keys
	return nil
}

// publishKeys answers with the key set: a key for each algorithm that discovery names, and for the one in use.
// https://www.rfc-editor.org/rfc/rfc7517#section-5
func (s *Server) publishKeys(*http.Request) answer {
	algorithms := []string{"RS256", "ES256"}
	for _, inUse := range []string{s.behaviour.algorithm, s.behaviour.userInfoAlgorithm} {
		if s.keys.byAlg[inUse] != nil && !slices.Contains(algorithms, inUse) {
			algorithms = append(algorithms, inUse)
		}
	}
	keys := slices.Concat(s.behaviour.extraKeys, s.behaviour.neighbours)
	for _, algorithm := range algorithms {
		key := jose.JSONWebKey{Key: s.keys.byAlg[algorithm].Public(), Algorithm: algorithm, Use: "sig"}
		if !s.behaviour.kidsOff {
			key.KeyID = s.keys.id(algorithm)
		}
		if s.behaviour.neighbours != nil {
			key.Algorithm = ""
		}
		keys = append(keys, key)
	}
	return jsonAnswer(http.StatusOK, map[string]any{"keys": keys})
}

// Numbers of the process's RSA keys: one that is never published, those of neighbours, and then one for each rotation of
// a server.
const (
	foreignKey = iota
	encryptionKey
	firstNeighbour
	firstPublishedKey = firstNeighbour + maxKeysOfAKind - 1
)

// rsaKeys are shared by all servers of the process, since to make one takes a good part of a second.
var rsaKeys rsaKeyPool

type rsaKeyPool struct {
	mutex sync.Mutex
	made  map[int]*rsa.PrivateKey
}

func (p *rsaKeyPool) key(number int) (*rsa.PrivateKey, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if key, found := p.made[number]; found {
		return key, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	if p.made == nil {
		p.made = map[int]*rsa.PrivateKey{}
	}
	p.made[number] = key
	return key, nil
}
