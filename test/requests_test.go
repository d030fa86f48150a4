package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

// commandFresh wants so many authorization requests, each with its own state, nonce and challenge, and no verifier to be
// sent twice: "fresh 3".
func commandFresh(script *testscript.TestScript, _ bool, arguments []string) {
	attempts := 0
	seen := map[string]bool{}
	for _, request := range scenarioOf(script).idp.Requests() {
		var values []string
		switch request.Endpoint {
		case idp.Authorization:
			attempts++
			values = []string{request.Query.Get("state"), request.Query.Get("nonce"), request.Query.Get("code_challenge")}
		case idp.Token:
			values = request.Form["code_verifier"]
		}
		for _, value := range values {
			if value == "" || seen[value] {
				script.Fatalf("a random value is missing, or was used before")
			}
			seen[value] = true
		}
	}
	expect(script, "authorization requests", arguments[0], attempts)
}

// commandAuthenticated wants the last token request to have authenticated the client in one way, and in no other:
// "authenticated basic", "authenticated post" or "authenticated none".
func commandAuthenticated(script *testscript.TestScript, _ bool, arguments []string) {
	way := ""
	for _, request := range scenarioOf(script).idp.Requests() {
		if request.Endpoint != idp.Token {
			continue
		}
		basic := strings.HasPrefix(request.Header.Get("Authorization"), "Basic ")
		switch post := request.Form.Has("client_secret"); {
		case basic && post:
			way = "basic and post"
		case basic:
			way = "basic"
		case post:
			way = "post"
		default:
			way = "none"
		}
	}
	if way != arguments[0] {
		script.Fatalf("expected client authentication %q, got %q", arguments[0], way)
	}
}

// commandNoVerifier wants no file of the person's to have a code verifier in it.
func commandNoVerifier(script *testscript.TestScript, _ bool, _ []string) {
	var verifiers []string
	for _, request := range scenarioOf(script).idp.Requests() {
		verifiers = append(verifiers, request.Form["code_verifier"]...)
	}
	if len(verifiers) == 0 {
		script.Fatalf("the provider has seen no verifier, so this shows nothing")
	}
	script.Check(filepath.WalkDir(script.MkAbs("."), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, verifier := range verifiers {
			if strings.Contains(string(text), verifier) {
				script.Fatalf("%s has a verifier in it", path)
			}
		}
		return err
	}))
}
