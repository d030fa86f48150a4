package idp

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// behaviour is all that Set can change.
type behaviour struct {
	overrides map[string]map[string]any // by document and member; nil leaves the member out
	faults    map[Endpoint]fault

	algorithm string
	signature string
	extraKeys []any
	kidsOff   bool
	// neighbours are good keys of others, published before ours; with them, keys say nothing of algorithms.
	neighbours       []any
	rotateAtSignings bool

	userInfoAlgorithm string
	userInfoSignature string // "": not signed
	userInfoType      string // "": the right one
	userInfoByScope   bool

	pkceOptional    bool
	redirectScheme  string // of any loopback URI
	accessTokensJWT bool
	accessSignature string

	authentication string // the one way in which the client may authenticate; "" means either

	assertion     string // with Config.ClientAssertion: the one to present now
	approval      string // of device codes: "", "denied" or "never"
	approvalAfter int    // polls that are told to wait
	slowDowns     int    // polls that are told to come less often

	latency        time.Duration
	lifetime       time.Duration
	padding        int
	rotationOff    bool
	refreshOff     bool
	refreshByScope bool
	refusedScope   string
	reuseTolerated bool
}

func goodBehaviour(config Config) behaviour {
	return behaviour{
		overrides:         map[string]map[string]any{},
		faults:            map[Endpoint]fault{},
		algorithm:         "RS256",
		signature:         goodSignature,
		userInfoAlgorithm: "RS256",
		assertion:         config.ClientAssertion,
		redirectScheme:    "http",
		accessSignature:   goodSignature,
		latency:           config.Latency,
		lifetime:          config.IDTokenLifetime,
		padding:           config.IDTokenPadding,
	}
}

// Reset goes back to good behaviour. What was received and issued stays.
func (s *Server) Reset() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.behaviour = goodBehaviour(s.config)
}

// Set changes how the provider behaves, from the next request on. A value is taken as JSON if it is that, else as a
// string; null leaves something out.
//
// These replace, add or leave out a member of what is sent. The claims exp, iat, nbf and auth_time take "+10m" or "-1h"
// for a time relative to now. With a plus before the equals sign, as in claims.iss+=1, a value is appended to the good one,
// as a string.
//
//	discovery.MEMBER      discovery document
//	claims.CLAIM          ID tokens; login.claims.CLAIM and refresh.claims.CLAIM only those
//	header.MEMBER         JOSE header of ID tokens
//	token.MEMBER          good answers of the token endpoint; login.token.MEMBER and refresh.token.MEMBER only those
//	authorize.PARAMETER   authorization response; with authorize.error there is no code
//	device.MEMBER         answers of the device authorization endpoint; a changed lifetime or interval is the one that counts
//	end-session.PARAMETER where the browser goes after a logout, such as its state
//	access.CLAIM          access tokens that are JWTs; access-header.MEMBER is their JOSE header
//	userinfo.CLAIM        answers of UserInfo; userinfo-header.MEMBER is the JOSE header of signed ones
//
// A refresh token is retired only if the answer hands over our new one: with refresh.token.refresh_token=null the old
// one stays valid.
//
//	alg=NAME          none or RS256, PS384, ES512, EdDSA, ...; HS256 takes the public RSA key's PEM for a MAC key
//	signature=KIND    good, broken (one bit), foreign (unpublished key, published kid), unknown-kid
//	keys.extra=ARRAY  raw keys, published before ours
//	keys.kid=null     no kid, neither for signature keys in the key set nor in the JOSE header
//	keys.each=3       so many signature keys of each kind (RSA, P-256, secp256k1, Ed25519), ours last, without "alg", and
//	                  keys for encryption; 3 at most
//	keys.rotate=before-signing   new keys each time that an ID token is signed, right before
//	pkce=optional             a request without code_challenge is taken; a bad one is not
//	redirect=https            https URIs on a loopback address are registered, and http ones are not
//	access-tokens=jwt         access tokens are JWTs
//	access-signature=KIND     those are signed so; the kinds are those above
//	authentication=client_secret_basic   the one way in which a client with a secret may authenticate, and that is listed
//	assertion=JWT     the client assertion to present from now on, with Config.ClientAssertion
//	approval=2        so many polls for a device code are told to wait, then the first user has approved; "denied" and
//	                  "never" are the other ends
//	slow-down=1       so many polls are told to come less often before that, however rarely they come
//	lifetime=60s  latency=50ms  padding=4096   as in Config
//	rotation=off      a refresh answers with the same refresh token
//	refresh=off       no refresh token is issued; refresh=offline_access only with that scope
//	refused-scope=x   requests with that scope end with invalid_scope
//	reuse=tolerate    a refresh token that was rotated works again, though it is counted ("revoke" ends that)
//	userinfo-signature=KIND   UserInfo answers with a JWT; the kinds are those above
//	userinfo-alg=NAME         how that is signed; the names are those above
//	userinfo-claims=by-scope  UserInfo answers no more than the scope asks for
//	userinfo-type=TYPE        the Content-Type of what UserInfo answers, which stays the same
//
// fault.ENDPOINT makes an endpoint fail until it is set to null, or with ",times=2" at the end, for so many requests:
//
//	html                 a page of HTML with status 200
//	text                 plain text with status 200
//	as-text              the good answer, said to be plain text
//	garbage              JSON that breaks off
//	huge                 5 MiB of JSON
//	redirect=URL         status 302
//	503,retry-after=2    any status from 400 on; the second part may be left out, a third one is error=CODE
//	error=CODE           an OAuth error; token, device authorization and revocation endpoints only
//	invalid-token        status 401, the access token is refused; UserInfo only
//	encrypted            a JWT of five parts; UserInfo only
//	hang                 no answer until the client goes away or the provider is closed
//	reset                no answer, the connection (with HTTP/2: the stream) is closed
//	reset-after          the same after the request took effect
func (s *Server) Set(name, value string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.behaviour.set(name, value); err != nil {
		return fmt.Errorf("set %s=%s: %w", name, value, err)
	}
	return nil
}

func (b *behaviour) set(name, value string) error {
	if endpoint, found := strings.CutPrefix(name, "fault."); found {
		return b.setFault(Endpoint(endpoint), value)
	}
	for _, document := range []string{
		"discovery", "header", "authorize",
		"claims", "login.claims", "refresh.claims",
		"token", "login.token", "refresh.token",
		"userinfo", "userinfo-header", "device",
		"access", "access-header", "end-session",
	} {
		member, found := strings.CutPrefix(name, document+".")
		member, appends := strings.CutSuffix(member, "+")
		if !found || member == "" {
			continue
		}
		if b.overrides[document] == nil {
			b.overrides[document] = map[string]any{}
		}
		if appends {
			b.overrides[document][member] = appended(value)
		} else {
			b.overrides[document][member] = parse(value)
		}
		return nil
	}
	return b.setSwitch(name, value)
}

// setSwitch changes what is not a member of a document.
func (b *behaviour) setSwitch(name, value string) (err error) {
	switch name {
	case "alg":
		b.algorithm, err = parseAlgorithm(value)
	case "signature":
		b.signature, err = parseSignature(value)
	case "userinfo-alg":
		b.userInfoAlgorithm, err = parseAlgorithm(value)
	case "userinfo-signature":
		b.userInfoSignature, err = parseSignature(value)
	case "pkce":
		b.pkceOptional, err = parseChoice(value, "required", "optional")
	case "redirect":
		_, err = parseChoice(value, "http", "https")
		b.redirectScheme = value
	case "access-tokens":
		b.accessTokensJWT, err = parseChoice(value, "opaque", "jwt")
	case "access-signature":
		b.accessSignature, err = parseSignature(value)
	case "userinfo-type":
		b.userInfoType = value
	case "keys.extra":
		keys, ok := parse(value).([]any)
		if !ok {
			return errors.New("must be a JSON array")
		}
		b.extraKeys = keys
	case "keys.kid":
		if value != "null" {
			return errors.New("must be null")
		}
		b.kidsOff = true
	case "keys.each":
		b.neighbours, err = newNeighbours(value)
	case "keys.rotate":
		if value != "before-signing" {
			return errors.New("must be before-signing")
		}
		b.rotateAtSignings = true
	case "userinfo-claims":
		if value != "by-scope" {
			return errors.New("must be by-scope")
		}
		b.userInfoByScope = true
	case "authentication":
		if !slices.Contains(secretMethods, value) {
			return fmt.Errorf("must be one of %s", strings.Join(secretMethods, ", "))
		}
		b.authentication = value
	case "assertion":
		b.assertion = value
	case "approval":
		err = b.setApproval(value)
	case "slow-down":
		b.slowDowns, err = strconv.Atoi(value)
	case "latency":
		b.latency, err = time.ParseDuration(value)
	case "lifetime":
		b.lifetime, err = time.ParseDuration(value)
	case "padding":
		b.padding, err = strconv.Atoi(value)
	case "rotation":
		b.rotationOff, err = parseChoice(value, "on", "off")
	case "refresh":
		b.refreshByScope = value == offlineAccess
		if !b.refreshByScope {
			b.refreshOff, err = parseChoice(value, "on", "off")
		}
	case "refused-scope":
		b.refusedScope = value
	case "reuse":
		b.reuseTolerated, err = parseChoice(value, "revoke", "tolerate")
	default:
		return errors.New("unknown name")
	}
	return err
}

func (b *behaviour) setApproval(value string) (err error) {
	if value == "denied" || value == "never" {
		b.approval = value
		return nil
	}
	b.approval = ""
	b.approvalAfter, err = strconv.Atoi(value)
	return err
}

func parseAlgorithm(value string) (string, error) {
	if !slices.Contains([]string{
		"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
		"HS256", "HS384", "HS512", "none",
	}, value) {
		return "", errors.New("unknown algorithm")
	}
	return value, nil
}

func parseSignature(value string) (string, error) {
	kinds := []string{goodSignature, brokenSignature, foreignSignature, unknownKidSignature}
	if !slices.Contains(kinds, value) {
		return "", fmt.Errorf("must be one of %s", strings.Join(kinds, ", "))
	}
	return value, nil
}

// appended is put after the good value of a member.
type appended string

// override changes a document before it is sent. Later names win.
func (b *behaviour) override(document map[string]any, names ...string) {
	for _, name := range names {
		for member, value := range b.overrides[name] {
			switch value := value.(type) {
			case nil:
				delete(document, member)
			case appended:
				good, _ := document[member].(string)
				document[member] = good + string(value)
			default:
				document[member] = value
			}
		}
	}
}

// overridden tells whether a member is changed in any of the documents.
func (b *behaviour) overridden(member string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, found := b.overrides[name][member]
		return found
	})
}

// parse takes JSON if it is that, with numbers as they were written, else a string.
func parse(value string) any {
	if !json.Valid([]byte(value)) {
		return value
	}
	decoder := json.NewDecoder(strings.NewReader(value))
	decoder.UseNumber()
	var parsed any
	if err := decoder.Decode(&parsed); err != nil {
		return value
	}
	return parsed
}

// parseChoice tells whether the second of two words was chosen.
func parseChoice(value, first, second string) (bool, error) {
	if value != first && value != second {
		return false, fmt.Errorf("must be %s or %s", first, second)
	}
	return value == second, nil
}
