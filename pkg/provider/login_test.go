package provider

import (
	"context"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

func startIDP(t *testing.T) *idp.Server {
	t.Helper()
	server, err := idp.Start(idp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func set(t *testing.T, server *idp.Server, settings map[string]string) {
	t.Helper()
	for name, value := range settings {
		if err := server.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
}

// logIn logs in at an issuer with a browser that does what visit says.
func logIn(t *testing.T, issuer string, visit func(authorizationURL string) error) error {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	p, err := New(Config{
		Issuer:          issuer,
		ClientID:        "kubernetes",
		ListenAddresses: []string{"127.0.0.1:0"},
		LoginTimeout:    time.Minute,
		UserAgent:       func() string { return "test" },
		Now:             time.Now,
		Log:             slog.New(slog.DiscardHandler),
		Warn:            func(error) {},
		ShowLogin: func(_ context.Context, invitation Invitation) {
			go func() {
				if err := visit(invitation.AuthorizationURL); err != nil {
					cancel(err) // of no effect where the login has ended meanwhile
				}
			}()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Login(ctx, token.Key{}, func() {})
	return err
}

// browse follows redirects to the last page.
func browse(address string) error {
	response, err := http.Get(address)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// answerTo asks a provider and returns the address to which it sends the browser.
func answerTo(authorizationURL string) (*url.URL, error) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(authorizationURL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return response.Location()
}

// Nobody can guess what belongs to one login, and no two logins have anything of it in common.
func TestRandomValues(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "AUZ-03", "AUZ-04", "PKC-04")
	const (
		logins        = 100
		shortestText  = 22 // 128 bits in base64url
		fewestLetters = 8  // of a random place in that many texts; a place that is not random has one
	)
	p := newFuzzProvider(t, nil)
	p.config.ClientSecret = token.NewSecret("the-client-secret")
	from := fuzzMetadata()
	from.AuthURL = "https://op.example/a"
	seen := map[string]bool{}
	letters := map[string]map[byte]bool{} // by name and place
	for range logins {
		login := newLogin(p, from, p.chooseScopes(from), "http://localhost:8000")
		authorizationURL, err := url.Parse(login.authorizationURL())
		if err != nil {
			t.Fatal(err)
		}
		query := authorizationURL.Query()
		for name, text := range map[string]string{
			"state": query.Get("state"), "nonce": query.Get("nonce"),
			"code_challenge": query.Get("code_challenge"), "verifier": login.verifier,
		} {
			if len(text) < shortestText || seen[text] {
				t.Fatalf("%s %q is short or was used before", name, text)
			}
			seen[text] = true
			for i := range len(text) {
				place := fmt.Sprint(name, i)
				if letters[place] == nil {
					letters[place] = map[byte]bool{}
				}
				letters[place][text[i]] = true
			}
		}
		if octets, err := base64.RawURLEncoding.DecodeString(login.verifier); err != nil || len(octets) != 32 {
			t.Errorf("expected a verifier of 32 octets, got %d, %v", len(octets), err)
		}
		checkTellsNothing(t, query.Get("state"))
	}
	for place, found := range letters {
		if len(found) < fewestLetters {
			t.Errorf("%s: %d different letters in %d logins", place, len(found), logins)
		}
	}
}

// checkTellsNothing wants no word of the configuration in a text, nor in what it may be an encoding of.
func checkTellsNothing(t *testing.T, text string) {
	t.Helper()
	readings := []string{text}
	for _, decode := range []func(string) ([]byte, error){
		base64.RawURLEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString,
	} {
		if decoded, err := decode(text); err == nil {
			readings = append(readings, string(decoded))
		}
	}
	for _, reading := range readings {
		for _, word := range []string{"op.example", "kubernetes", "localhost", "secret"} {
			if strings.Contains(strings.ToLower(reading), word) {
				t.Errorf("the state says %q", word)
			}
		}
	}
}

// A code goes to the token endpoint of the issuer that the login began with, however many logins are under way
// (https://www.rfc-editor.org/rfc/rfc9700#section-4.4.2).
func TestCodesNeverCross(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "AUZ-13")
	const logins = 5
	issuers := []*idp.Server{startIDP(t), startIDP(t)}
	var all sync.WaitGroup
	for range logins {
		for _, issuer := range issuers {
			all.Go(func() {
				if err := logIn(t, issuer.Issuer(), browse); err != nil {
					t.Error(err) // a strict provider refuses the codes of another
				}
			})
		}
	}
	all.Wait()
	for _, issuer := range issuers {
		if got := issuer.Count(idp.Token); got != logins {
			t.Errorf("expected %d requests for tokens, got %d", logins, got)
		}
	}

	// Somebody hands the answer of one issuer to a login at the other.
	honest, attacker := issuers[0], issuers[1]
	err := logIn(t, attacker.Issuer(), func(authorizationURL string) error {
		answer, err := answerTo(strings.Replace(authorizationURL, attacker.Issuer(), honest.Issuer(), 1))
		if err != nil {
			return err
		}
		return browse(answer.String())
	})
	if err == nil || !strings.Contains(err.Error(), "expected an answer of issuer") {
		t.Errorf("expected the answer to be refused, got %v", err)
	}
	if got := attacker.Count(idp.Token); got != logins {
		t.Errorf("the attacker got a request for tokens: %d", got-logins)
	}
}

// Somebody puts the code of a login of their own, at the same issuer, into another person's answer, with the right state.
// The provider refuses it by the verifier; where that fits, as with a provider that looks at none, the nonce does not
// (https://www.rfc-editor.org/rfc/rfc9700#section-4.5).
func TestCodeOfAnotherLogin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		theirs  map[string]string // what differs in their login
		refusal string            // empty: none
	}{
		"the same login":     {nil, ""},
		"another verifier":   {map[string]string{"code_challenge": strings.Repeat("A", 43)}, "code_verifier does not match (invalid_grant)"},
		"another nonce":      {map[string]string{"nonce": strings.Repeat("n", 26)}, "its nonce is not the one that was sent"},
		"another everything": {map[string]string{"code_challenge": strings.Repeat("A", 43), "nonce": strings.Repeat("n", 26), "state": strings.Repeat("s", 26)}, "invalid_grant"},
	} {
		issuer := startIDP(t)
		err := logIn(t, issuer.Issuer(), func(authorizationURL string) error {
			address, err := url.Parse(authorizationURL)
			if err != nil {
				return err
			}
			query := address.Query()
			state := query.Get("state")
			for parameter, value := range test.theirs {
				query.Set(parameter, value)
			}
			address.RawQuery = query.Encode()
			answer, err := answerTo(address.String())
			if err != nil {
				return err
			}
			answered := answer.Query()
			answered.Set("state", state)
			answer.RawQuery = answered.Encode()
			return browse(answer.String())
		})
		if test.refusal == "" && err != nil || test.refusal != "" && (err == nil || !strings.Contains(err.Error(), test.refusal)) {
			t.Errorf("%s: got %v", name, err)
		}
		if got := issuer.Count(idp.Token); got != 1 {
			t.Errorf("%s: %d requests for tokens", name, got)
		}
	}
}

// Endpoints may be on other hosts than the issuer's. The code and all secrets go only to the token endpoint that the
// metadata names.
func TestEndpointsElsewhere(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "DSC-13")
	issuer, endpoints := startIDP(t), startIDP(t)
	set(t, issuer, map[string]string{
		"discovery.authorization_endpoint": endpoints.Issuer() + "/authorization",
		"discovery.token_endpoint":         endpoints.Issuer() + "/token",
		"discovery.jwks_uri":               endpoints.Issuer() + "/keys",
	})
	set(t, endpoints, map[string]string{"claims.iss": issuer.Issuer(), "authorize.iss": issuer.Issuer()})
	if err := logIn(t, issuer.Issuer(), browse); err != nil {
		t.Fatal(err)
	}
	for _, request := range issuer.Requests() {
		if request.Endpoint != idp.Discovery {
			t.Errorf("the issuer's host got a request to %s", request.Endpoint)
		}
	}
	if got := issuer.Secrets(); len(got) != 0 {
		t.Errorf("the issuer's host knows %d secrets", len(got))
	}
	if tokens, metadata := endpoints.Count(idp.Token), endpoints.Count(idp.Discovery); tokens != 1 || metadata != 0 {
		t.Errorf("the other host got %d requests for tokens and %d for metadata", tokens, metadata)
	}
}

// The port of a login is there when the browser is sent for, and is gone when the login has ended
// (https://www.rfc-editor.org/rfc/rfc8252#section-8.3).
func TestPortIsOpenForTheLoginOnly(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "NAT-06")
	server := startIDP(t)
	for name, settings := range map[string]map[string]string{
		"good":    {},
		"refused": {"authorize.error": "access_denied"},
		"broken":  {"fault.token": "503"},
	} {
		server.Reset()
		set(t, server, settings)
		callbacks := make(chan string, 1)
		err := logIn(t, server.Issuer(), func(authorizationURL string) error {
			defer close(callbacks)
			answer, err := answerTo(authorizationURL)
			if err != nil {
				return err
			}
			callbacks <- answer.String()
			return browse(answer.String())
		})
		if (err == nil) != (name == "good") {
			t.Fatalf("%s: %v", name, err)
		}
		if err := browse(<-callbacks); !isDialError(err) {
			t.Errorf("%s: expected the port to be closed, got %v", name, err)
		}
	}
}
