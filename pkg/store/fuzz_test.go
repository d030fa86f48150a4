package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// ourWords are all that an error may say of a record: nothing in them comes from the text but a number.
var ourWords = regexp.MustCompile(`^(record is not JSON|record has version -?\d+, this release reads 1|(ID token|session) record is incomplete|` +
	`record is of an older build, which did not write to which login it belongs|record belongs to another login|` +
	`ID token record belongs to another issuer or client)$`)

// ofKey makes a seed a record of the tests' key.
func ofKey(text string) string {
	return strings.Replace(text, `{"version":1,`, `{"version":1,"key":"`+key.ID()+`",`, 1)
}

// addRecords gives both kinds of records the same seeds, so that one is also read as the other.
func addRecords(f *testing.F) {
	for _, text := range []string{
		`{"version":1,"id_token":"a.b.c","issued":1,"expiry":2,"issuer":"https://op.example","audience":["kubernetes"]}`,
		`{"version":1,"id_token":"a.b.c","issued":-9223372036854775808,"expiry":9223372036854775807,"issuer":"https://op.example","audience":["x","kubernetes"]}`,
		`{"version":1,"id_token":"a.b.c","issued":2,"expiry":2,"issuer":"https://op.example","audience":["kubernetes"]}`,
		`{"version":1,"id_token":"a.b.c","issued":1,"expiry":2,"issuer":"https://op.example/","audience":["kubernetes"]}`,
		`{"version":1,"id_token":"a.b.c","issued":1,"expiry":2,"issuer":"https://op.example","audience":["Kubernetes"]}`,
		`{"version":1,"id_token":"a.b.c","issued":1,"expiry":2,"issuer":"https://evil.example","ISSUER":"https://op.example","audience":["kubernetes"]}`,
		`{"version":1,"refresh_token":"secret","subject":"alice","audience":null,"nonce":"n","auth_time":-62135596800,"static":true}`,
		`{"version":1,"refresh_token":"\ud800 \u0000","subject":"alice","audience":[]}`,
		`{"version":2,"refresh_token":"secret"}`,
		`{"version":1}`,
		`{"version":"secret"}`,
		`null`,
		`{"refresh_token":"secret`,
		``,
	} {
		f.Add([]byte(text))
		f.Add([]byte(ofKey(text)))
	}
}

// An ID token that is read is the key's own, and is the same after it was written again.
func FuzzDecodeIDToken(f *testing.F) {
	addRecords(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decodeIDToken(text, key)
		if err != nil {
			checkRefusal(t, err, got, token.IDToken{})
			return
		}
		if got.Raw.IsEmpty() || got.Issuer != key.Issuer || !slices.Contains(got.Audience, key.ClientID) {
			t.Errorf("it is not the key's: %+v", got)
		}
		again, err := decodeIDToken(encodeIDToken(got, key), key)
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%+v became %+v, %v", got, again, err)
		}
		for _, other := range othersThan(key) {
			if _, err := decodeIDToken(text, other); err == nil {
				t.Errorf("it was taken for one of %+v too", other)
			}
		}
	})
}

// A session that is read is complete, is the key's own, and is the same after it was written again.
func FuzzDecodeSession(f *testing.F) {
	addRecords(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decodeSession(text, key)
		if err != nil {
			checkRefusal(t, err, got, token.Session{})
			return
		}
		if got.RefreshToken.IsEmpty() || got.Subject == "" {
			t.Errorf("it is not complete: %+v", got)
		}
		again, err := decodeSession(encodeSession(got, key), key)
		if got.AuthTime.IsZero() {
			got.AuthTime = time.Time{} // the year 1 may be written as no time
		}
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%+v became %+v, %v", got, again, err)
		}
		for _, other := range othersThan(key) {
			if _, err := decodeSession(text, other); err == nil {
				t.Errorf("it was taken for one of %+v too", other)
			}
		}
	})
}

// othersThan are keys that differ in one thing each.
func othersThan(key token.Key) []token.Key {
	issuer, client, scopes, account := key, key, key, key
	issuer.Issuer += "/"
	client.ClientID += "x"
	scopes.Scopes = []string{"openid", "email"}
	account.Account = "bob"
	return []token.Key{issuer, client, scopes, account}
}

func checkRefusal(t *testing.T, err error, got, nothing any) {
	t.Helper()
	if !ourWords.MatchString(err.Error()) {
		t.Errorf("the error may show the text: %v", err)
	}
	if !reflect.DeepEqual(got, nothing) {
		t.Errorf("the error came with a record: %+v", got)
	}
}

// Whatever lies in a keychain, a split value is the one that its header is about, or none.
func FuzzSplitValue(f *testing.F) {
	const name = "id/session"
	header := func(parts int, value string) string {
		return splitPrefix + string(mustEncode(splitHeader{Parts: parts, SHA256: hashOf([]byte(value))}))
	}
	f.Add(`{"version":1}`, "", "")
	f.Add(header(2, "onetwo"), "one", "two")
	f.Add(header(1, "one"), "one", "two")
	f.Add(header(3, "onetwo"), "one", "two")
	f.Add(header(2, "onetwo"), "two", "one")
	f.Add(header(0, ""), "", "")
	f.Add(header(999, "one"), "one", "")
	f.Add(`split:{"parts":-1,"sha256":"x"}`, "", "")
	f.Add(`split:{"parts":2,"sha256":"../../"}`, "", "")
	f.Add(`split:`, "", "")
	f.Fuzz(func(t *testing.T, item, first, second string) {
		items := newMapKeychain(0)
		items.secrets[name] = item
		items.secrets["stranger"] = "stays"
		header := parseSplitHeader([]byte(item))
		for i, part := range []string{first, second}[:min(header.Parts, 2)] {
			items.secrets[header.partName(name, i)] = part
		}
		vault := newKeychain(InKeychain, items.items()).(*splitting)
		got, err := vault.get(t.Context(), name)
		switch {
		case err != nil:
			if !errors.Is(err, token.ErrNotFound) || got != nil {
				t.Errorf("expected nothing, got %q, %v", got, err)
			}
		case header.Parts == 0 && string(got) != item, header.Parts > 0 && header.SHA256 != hashOf(got):
			t.Errorf("%q was made of %q, %q and %q", got, item, first, second)
		}

		// It is replaced by what is written, and leaves nothing behind.
		value := first + second
		vault.most = 1 + len(value)/3
		if len(value) < 2 || strings.HasPrefix(value, splitPrefix) {
			return // no record is like that
		}
		if err := vault.set(t.Context(), name, []byte(value)); err != nil {
			t.Fatal(err)
		}
		if got, err := vault.get(t.Context(), name); err != nil || string(got) != value {
			t.Errorf("%q was written, %q read, %v", value, got, err)
		}
		if err := vault.remove(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if _, err := items.get(service, name); !errors.Is(err, keyring.ErrNotFound) || len(items.secrets) != 1 {
			t.Errorf("it leaves behind %q", items.secrets)
		}
	})
}

// A note that is broken, or about others, is as good as none.
func FuzzNotes(f *testing.F) {
	kubectl := token.Caller{PID: 7, Started: "then", Server: "https://c.example"}
	idToken := token.NewSecret("the.id.token")
	of := fingerprintOf(idToken)
	good := `{"pid":7,"started":"then","server":"https://c.example","id_token":"` + of + `","told":9,"at":5}` + "\n"
	for _, text := range []string{
		"", "\n", "null", "5", "-5", "9223372036854775808", "{", good, good[:len(good)-9], good + good[:20], "x" + good + good,
		strings.ReplaceAll(good, "5", "4") + good,
		strings.Replace(good, "7", "8", 1),
		strings.Replace(good, `"id_token"`, `"other"`, 1),
		strings.Replace(good, of, strings.ToUpper(of), 1),
		strings.Replace(good, `"at":5`, `"at":-5`, 1),
		`{"pid":7,"since":1}`,
	} {
		f.Add([]byte(text))
	}
	locks := f.TempDir()
	store := openStore(f, Config{Mode: Disk, Locks: locks})
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range []string{"answers", "attempt", "refused", "holder"} {
			if err := os.WriteFile(filepath.Join(locks, key.ID()+"."+name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		checkAnswer(t, store, text, kubectl, idToken)
		if got, err := store.Attempt(t.Context(), key); err != nil && (!errors.Is(err, token.ErrNotFound) || got != token.Attempt{}) {
			t.Errorf("attempt: got %+v, %v", got, err)
		} else if err == nil && !json.Valid(text) {
			t.Errorf("attempt: %q was believed", text)
		}
		if got, err := store.Refused(t.Context(), key); err != nil && (!errors.Is(err, token.ErrNotFound) || !got.IsZero()) {
			t.Errorf("refused: got %s, %v", got, err)
		} else if err == nil && !json.Valid(text) {
			t.Errorf("refused: %q was believed", text)
		}
		if got := readHolder(filepath.Join(locks, key.ID()), token.Login); got.Purpose != token.Login {
			t.Errorf("holder: got %+v", got)
		}
	})
}

func checkAnswer(t *testing.T, store *Store, text []byte, caller token.Caller, idToken token.Secret) {
	t.Helper()
	got, err := store.Answer(t.Context(), key, caller, idToken)
	if err != nil {
		if !errors.Is(err, token.ErrNotFound) || got != (token.Answer{}) {
			t.Errorf("answer: got %+v, %v", got, err)
		}
		return
	}
	found := slices.ContainsFunc(bytes.Split(text, []byte("\n")), func(line []byte) bool {
		var note answerNote
		return json.Unmarshal(line, &note) == nil && note.IDToken == fingerprintOf(idToken) && note.caller() == caller &&
			note.Told == got.Told.UnixNano() && note.At == got.At.UnixNano()
	})
	if !found || got.Caller != caller || !got.IDToken.Equal(idToken) {
		t.Errorf("%q does not say %+v", text, got)
	}
}
