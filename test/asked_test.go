package test

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

// commandAsked looks into the last request to an endpoint: "asked token resource=https://a resource=https://b" wants just
// these values of the parameter, "! asked token code_verifier" wants none, and "asked keys header:Origin=x" is for headers.
func commandAsked(script *testscript.TestScript, negated bool, arguments []string) {
	request := lastRequest(script, idp.Endpoint(arguments[0]))
	want := map[string][]string{}
	for _, argument := range arguments[1:] {
		name, value, exact := strings.Cut(argument, "=")
		if !exact != negated {
			script.Fatalf("usage: asked ENDPOINT NAME=VALUE ..., or ! asked ENDPOINT NAME ...")
		}
		if want[name] = append(want[name], value); negated {
			want[name] = nil
		}
	}
	for name, values := range want {
		if got := sentValues(request, name); !slices.Equal(got, values) {
			script.Fatalf("%s of the last request to %s: expected %q, got %q", name, arguments[0], values, got)
		}
	}
}

func lastRequest(script *testscript.TestScript, endpoint idp.Endpoint) idp.Request {
	for _, request := range slices.Backward(scenarioOf(script).idp.Requests()) {
		if request.Endpoint == endpoint {
			return request
		}
	}
	script.Fatalf("nothing was asked of %s", endpoint)
	return idp.Request{}
}

func sentValues(request idp.Request, name string) []string {
	if header, ok := strings.CutPrefix(name, "header:"); ok {
		return request.Header[http.CanonicalHeaderKey(header)]
	}
	return slices.Concat(request.Query[name], request.Form[name])
}
