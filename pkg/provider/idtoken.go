package provider

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	_ "crypto/sha256" // the hashes of at_hash
	_ "crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

const (
	// The provider's own machines may disagree by this much. Our clock is out of it: see held.
	clockLeeway = 30 * time.Second
	// A token just issued cannot be older, unless somebody replays it.
	maxAgeAtReceipt = 10 * time.Minute
	// https://openid.net/specs/openid-connect-core-1_0.html#IDToken
	maxSubjectLength = 255
)

// expected is what an ID token is held against.
type expected struct {
	issuer      string
	clientID    string
	trusted     []string // audiences besides the client
	algorithms  []string
	keys        keySource
	now         time.Time      // the provider's time
	nonce       string         // as sent at login; empty: none was
	accessToken token.Secret   // issued beside the ID token; may be empty
	previous    *token.Session // on a refresh: the login it belongs to
	types       []string       // besides JWT
	login       wanted
}

// keySource returns the provider's keys, and whether they were kept from before; fresh asks for new ones.
type keySource func(ctx context.Context, fresh bool) (keys []key, cached bool, err error)

// idToken is an ID token whose parts are known, but not believed yet.
type idToken struct {
	raw     string
	header  joseHeader
	payload []byte
	claims  claims
}

// verifyIDToken applies the rules of https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation in their
// order, then those for a refresh (#RefreshTokenResponse), and returns the claims.
func verifyIDToken(ctx context.Context, raw string, want expected) (claims, error) {
	got, err := parseIDToken(raw) // step 1: not encrypted
	if errors.Is(err, errEncrypted) {
		return claims{}, invalid(fmt.Errorf("%w, which kube-apiserver cannot read", err))
	}
	if err != nil {
		return claims{}, invalid(err)
	}
	err = checkAll(ctx, got, want, invalid,
		checkTokenIssuer,     // step 2
		checkAudience,        // steps 3 to 5
		checkAlgorithm,       // steps 7 and 8; before 6, which depends on it
		checkSubject,         // https://openid.net/specs/openid-connect-core-1_0.html#IDToken
		checkExpiry,          // step 9
		checkIssuedAt,        // step 10
		checkNonce,           // step 11
		checkContextClass,    // step 12
		checkLoginTime,       // step 13
		checkAccessTokenHash, // https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowTokenValidation
		checkSamePerson,      // https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse
		checkRenewal,         // the same
	)
	if err != nil {
		return claims{}, err
	}
	return got.claims, nil
}

// checkAll applies rules in their order, then checks the signature (step 6), which may ask the network for keys. Refuse wraps the
// first rule that is broken; one about times is told only where all others hold.
func checkAll(ctx context.Context, got idToken, want expected, refuse func(error) error, rules ...func(idToken, expected) error) error {
	var late error
	for _, rule := range rules {
		err := rule(got, want)
		switch {
		case isUntimely(err):
			late = cmp.Or(late, refuse(err))
		case err != nil:
			return refuse(err)
		}
	}
	if err := checkSignature(ctx, got, want, refuse); err != nil {
		return err
	}
	return late
}

// untimelyError is a broken rule about times. It makes a token useless, but says nothing against the person: the machines of a
// provider can disagree about the time.
type untimelyError struct{ error }

func untimely(format string, arguments ...any) error {
	return untimelyError{fmt.Errorf(format, arguments...)}
}

func isUntimely(err error) bool {
	var broken untimelyError
	return errors.As(err, &broken)
}

// errTokenRefused is in every error about the token itself, and in none about keys that could not be had.
var errTokenRefused = errors.New("ID token refused")

// invalid wraps the first broken rule. A rule that knows what to do about it brings a hint of its own.
func invalid(err error) error {
	hint := "Nothing was stored. Check the client's settings at the provider, or show this line to its administrator."
	var failure *token.Error
	if errors.As(err, &failure) && len(failure.Hint) > 0 {
		hint = failure.Hint[0]
	}
	return failed(hint, "%w: %w", errTokenRefused, err)
}

func checkTokenIssuer(got idToken, want expected) error {
	if got.claims.Issuer == want.issuer {
		return nil
	}
	hint := ""
	if strings.TrimSuffix(got.claims.Issuer, "/") == strings.TrimSuffix(want.issuer, "/") {
		hint = "They differ by the slash at the end, which counts. The provider must use one of them everywhere."
	}
	return failed(hint, "expected issuer (iss) %q, got %q", want.issuer, untrusted.Printable(got.claims.Issuer))
}

// checkAudience also refuses a token that was made for others as well, unless the person trusts them: each of them could
// use it at the API server.
func checkAudience(got idToken, want expected) error {
	if !slices.Contains(got.claims.Audience, want.clientID) {
		return fmt.Errorf("expected audience (aud) %q, got %s", want.clientID, untrusted.QuotedList(got.claims.Audience))
	}
	party := got.claims.AuthorizedParty
	if party != "" && party != want.clientID {
		return fmt.Errorf("expected authorized party (azp) %q, got %q", want.clientID, untrusted.Printable(party))
	}
	for _, audience := range got.claims.Audience {
		if audience != want.clientID && !slices.Contains(want.trusted, audience) {
			return failed("Each of them can act as you with this token. If you trust them, name them with --trusted-audience.",
				"expected audience (aud) %q alone, got %s", want.clientID, untrusted.QuotedList(got.claims.Audience))
		}
	}
	return nil
}

func checkAlgorithm(got idToken, want expected) error {
	if !slices.Contains(want.algorithms, got.header.Algorithm) {
		return fmt.Errorf("expected signature algorithm %s, got %q", untrusted.QuotedList(want.algorithms), untrusted.Printable(got.header.Algorithm))
	}
	isAllowed := func(typ string) bool { return strings.EqualFold(typ, got.header.Type) }
	if typ := got.header.Type; typ != "" && !isAllowed("JWT") && !slices.ContainsFunc(want.types, isAllowed) {
		// https://www.rfc-editor.org/rfc/rfc8725#section-3.11
		return fmt.Errorf("expected token type (typ) \"JWT\", got %q", untrusted.Printable(typ))
	}
	return nil
}

func checkSubject(got idToken, _ expected) error {
	if subject := got.claims.Subject; subject == "" || len(subject) > maxSubjectLength {
		return fmt.Errorf("expected a subject (sub) of 1 to %d characters, got %d", maxSubjectLength, len(subject))
	}
	return nil
}

func checkExpiry(got idToken, want expected) error {
	expiry := got.claims.Expiry
	if expiry == nil {
		return errors.New("it has no expiry (exp)")
	}
	if !want.now.Before(expiry.Time) {
		return untimely("it expired (exp) at %s; the provider's clock says %s", stamp(expiry.Time), stamp(want.now))
	}
	return nil
}

func checkIssuedAt(got idToken, want expected) error {
	issued := got.claims.IssuedAt
	if issued == nil {
		return errors.New("it has no time of issue (iat)")
	}
	if age := want.now.Sub(issued.Time); age > maxAgeAtReceipt || age < -clockLeeway {
		return untimely("it was issued (iat) at %s; the provider's clock says %s", stamp(issued.Time), stamp(want.now))
	}
	return checkStart(got, want)
}

// checkStart applies https://www.rfc-editor.org/rfc/rfc7519#section-4.1.5.
func checkStart(got idToken, want expected) error {
	if start := got.claims.NotBefore; start != nil && want.now.Add(clockLeeway).Before(start.Time) {
		return untimely("it is not valid before (nbf) %s; the provider's clock says %s", stamp(start.Time), stamp(want.now))
	}
	return nil
}

// checkNonce wants the nonce of the login back, and none where none was sent: then the token is an answer to somebody else
// (https://openid.net/specs/openid-connect-core-1_0.html#IDToken). A refreshed token needs none, but may not carry another.
func checkNonce(got idToken, want expected) error {
	if want.previous != nil {
		if got.claims.Nonce != "" && !equal(got.claims.Nonce, want.previous.Nonce) {
			return errors.New("its nonce is not that of the login")
		}
		return nil
	}
	if want.nonce == "" {
		if got.claims.Nonce != "" {
			return errors.New("it has a nonce, though none was sent")
		}
		return nil
	}
	if got.claims.Nonce == "" {
		return errors.New("it has no nonce, though one was sent")
	}
	if !equal(got.claims.Nonce, want.nonce) {
		return errors.New("its nonce is not the one that was sent")
	}
	return nil
}

// checkAccessTokenHash binds the access token to the ID token, where the provider says the hash: the left half of the
// token's hash by the signature's algorithm (https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken).
func checkAccessTokenHash(got idToken, want expected) error {
	if got.claims.AccessTokenHash == "" || want.accessToken.IsEmpty() {
		return nil
	}
	hashes := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}
	hash := hashes[got.header.Algorithm[2:]].New() // checkAlgorithm let pass only names with such an end
	hash.Write([]byte(want.accessToken.Reveal()))
	sum := hash.Sum(nil)
	if !equal(got.claims.AccessTokenHash, base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])) {
		return errors.New("its access token hash (at_hash) does not fit the access token")
	}
	return nil
}

// checkSamePerson holds a refreshed token against the login.
func checkSamePerson(got idToken, want expected) error {
	if want.previous == nil {
		return nil
	}
	if got.claims.Subject != want.previous.Subject {
		return fmt.Errorf("the session belongs to subject (sub) %q, but the provider answered for %q",
			untrusted.Printable(want.previous.Subject), untrusted.Printable(got.claims.Subject))
	}
	if !sameSet(got.claims.Audience, want.previous.Audience) {
		return fmt.Errorf("the session has the audience (aud) %s, but the provider answered for %s",
			untrusted.QuotedList(want.previous.Audience), untrusted.QuotedList(got.claims.Audience))
	}
	// The provider should repeat the time of the login, but GitLab tells the last sign-in, which may be later. That is no other
	// person, and the answer is the only copy of the next refresh token.
	if authTime := got.claims.AuthTime; authTime != nil && authTime.Before(want.previous.AuthTime) {
		return fmt.Errorf("the session's login (auth_time) was at %s, but the provider answered with the earlier %s",
			stamp(want.previous.AuthTime), stamp(authTime.Time))
	}
	return nil
}

// checkRenewal wants a refreshed token to be newer than the one that it should replace. But where the provider's clock was set back,
// all are older than the last.
func checkRenewal(got idToken, want expected) error {
	if want.previous == nil {
		return nil
	}
	if last := want.previous.IssuedAt; got.claims.IssuedAt.Before(last.Add(-clockLeeway)) && !want.now.Before(last) {
		return untimely("it was issued (iat) at %s, before the one that it should replace, at %s",
			stamp(got.claims.IssuedAt.Time), stamp(last))
	}
	return nil
}

// checkSignature tries kept keys first. Where they do not do, the provider may have new ones, and is asked once
// (https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys). Refuse wraps what is said of the signature.
func checkSignature(ctx context.Context, got idToken, want expected, refuse func(error) error) error {
	keys, cached, err := want.keys(ctx, false)
	if err != nil {
		return err
	}
	err = verifySignature(ctx, got, keys)
	if err != nil && cached {
		if keys, _, err = want.keys(ctx, true); err != nil {
			return err
		}
		err = verifySignature(ctx, got, keys)
	}
	if err != nil {
		return refuse(err)
	}
	return nil
}

// verifySignature leaves the cryptography to go-oidc, with none but the keys that may have signed.
func verifySignature(ctx context.Context, got idToken, keys []key) error {
	candidates := fitting(keys, got.header.KeyID, got.header.Algorithm)
	if len(candidates) == 0 {
		return fmt.Errorf("%w: no %s key has the ID (kid) %q", token.ErrKeyUnknown, got.header.Algorithm, untrusted.Printable(got.header.KeyID))
	}
	keySet := &oidc.StaticKeySet{PublicKeys: candidates}
	if _, err := keySet.VerifySignature(ctx, got.raw); err != nil {
		return errors.New("its signature does not fit the provider's keys")
	}
	return nil
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// joseHeader is the part of the header that is honoured. Keys or links to keys in it (jwk, jku, x5c, x5u) are not.
type joseHeader struct {
	Algorithm string
	KeyID     string
	Type      string
}

// claims are the claims that this program judges; all others are for the API server.
type claims struct {
	Issuer          string
	Subject         string
	Audience        []string
	AuthorizedParty string
	Expiry          *numericDate
	IssuedAt        *numericDate
	NotBefore       *numericDate
	AuthTime        *numericDate
	Nonce           string
	AccessTokenHash string
}

var errEncrypted = errors.New("it is encrypted")

// parseIDToken takes the token apart without believing it.
func parseIDToken(raw string) (idToken, error) {
	parts := strings.Split(raw, ".")
	if len(parts) == 5 {
		return idToken{}, errEncrypted
	}
	if len(parts) != 3 {
		return idToken{}, errors.New("it is not a signed JWT")
	}
	if strings.ContainsAny(raw, "\r\n") {
		// encoding/base64 skips line breaks, but kubectl could not send the token in a header.
		return idToken{}, errors.New("it has line breaks in it")
	}
	_, header, err := parseMembers(parts[0])
	if err != nil {
		return idToken{}, fmt.Errorf("its header %w", err)
	}
	if _, critical := header["crit"]; critical {
		// https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11
		return idToken{}, errors.New("its header has critical extensions (crit) that are not understood")
	}
	text, payload, err := parseMembers(parts[1])
	if err != nil {
		return idToken{}, fmt.Errorf("its payload %w", err)
	}
	got := idToken{raw: raw, payload: text}
	return got, errors.Join(
		header.read("alg", &got.header.Algorithm),
		header.read("kid", &got.header.KeyID),
		header.read("typ", &got.header.Type),
		payload.read("iss", &got.claims.Issuer),
		payload.read("sub", &got.claims.Subject),
		payload.readStrings("aud", &got.claims.Audience),
		payload.read("azp", &got.claims.AuthorizedParty),
		payload.read("exp", &got.claims.Expiry),
		payload.read("iat", &got.claims.IssuedAt),
		payload.read("nbf", &got.claims.NotBefore),
		payload.read("auth_time", &got.claims.AuthTime),
		payload.read("nonce", &got.claims.Nonce),
		payload.read("at_hash", &got.claims.AccessTokenHash),
	)
}

// members are the members of a JSON object by their exact names; encoding/json would also take "ISS" for iss, and the
// last of two values.
type members map[string]json.RawMessage

func parseMembers(encoded string) (text []byte, object members, err error) {
	text, err = base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return nil, nil, errors.New("is not base64url")
	}
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return nil, nil, errors.New("is not a JSON object")
	}
	if name, ok := repeatedName(text); ok {
		// https://www.rfc-editor.org/rfc/rfc7519#section-4: others may read the value that we do not.
		return nil, nil, fmt.Errorf("has %q twice", untrusted.Printable(name))
	}
	return text, object, nil
}

// repeatedName finds a name that a JSON object has twice. The text is known to be one.
func repeatedName(text []byte) (string, bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	_, _ = decoder.Token() // the brace
	seen := map[any]bool{}
	for decoder.More() {
		name, _ := decoder.Token()
		if seen[name] {
			return fmt.Sprint(name), true
		}
		seen[name] = true
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return "", false
		}
	}
	return "", false
}

func (m members) read(name string, into any) error {
	value, ok := m[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(value, into); err != nil {
		return fmt.Errorf("its %s has the wrong JSON type", name)
	}
	return nil
}

// readStrings takes an array or a single string.
func (m members) readStrings(name string, into *[]string) error {
	var single string
	if json.Unmarshal(m[name], &single) == nil {
		*into = []string{single}
		return nil
	}
	return m.read(name, into)
}

// numericDate is a JSON number of seconds since 1970 (https://www.rfc-editor.org/rfc/rfc7519#section-2).
type numericDate struct{ time.Time }

func (d *numericDate) UnmarshalJSON(text []byte) error {
	var seconds float64
	if err := json.Unmarshal(text, &seconds); err != nil {
		return err
	}
	const farthest = 1 << 40 // keeps time.Time's arithmetic sane
	if seconds < 0 || seconds > farthest {
		return errors.New("out of range")
	}
	d.Time = time.Unix(int64(seconds), 0)
	return nil
}

// or is the date, or another where there is none.
func (d *numericDate) or(other time.Time) time.Time {
	if d == nil {
		return other
	}
	return d.Time
}
