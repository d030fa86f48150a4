package e2e

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	"k8s.io/apiserver/pkg/authentication/cel"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
)

// The API server reads each configuration strictly, and finds nothing wrong in it.
func TestAPIServerAcceptsConfigurations(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*cluster.Authentication){
		"usual":         func(*cluster.Authentication) {},
		"no prefixes":   func(a *cluster.Authentication) { a.UsernamePrefix, a.GroupsPrefix = "", "" },
		"half a prefix": func(a *cluster.Authentication) { a.UsernamePrefix, a.GroupsPrefix = "sys", "system" },
		"no groups":     func(a *cluster.Authentication) { a.GroupsClaim, a.GroupsPrefix = "", "" },
		"email":         func(a *cluster.Authentication) { a.UsernameClaim = "email" },
		"bare email":    func(a *cluster.Authentication) { a.UsernameClaim, a.UsernamePrefix = "email", "" },
		"two audiences": func(a *cluster.Authentication) { a.Audiences = []string{"kubernetes", "https://api.example.com/"} },
		"odd words": func(a *cluster.Authentication) {
			a.Audiences, a.UsernameClaim, a.GroupsPrefix = []string{"yes"}, "~", `"a': #\ `
		},
		"authority":       func(a *cluster.Authentication) { a.CertificateAuthority = NewCertificateAuthority(t).PEM },
		"required claims": func(a *cluster.Authentication) { a.RequiredClaims = map[string]string{"hd": "example.com", "acr": ""} },
	} {
		a := cluster.Authentication{
			Issuer: "https://issuer.example.com/", Audiences: []string{"kubernetes"},
			UsernamePrefix: "oidc:", GroupsClaim: "groups", GroupsPrefix: "oidc:",
		}
		change(&a)
		text, err := a.Configuration()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		configuration := decodeConfiguration(t, name, text)
		serviceAccounts := []string{"https://kubernetes.default.svc"}
		if errs := validation.ValidateAuthenticationConfiguration(cel.NewDefaultCompiler(), configuration, serviceAccounts); len(errs) > 0 {
			t.Errorf("%s: %v\n%s", name, errs.ToAggregate(), text)
		}
	}
}

// decodeConfiguration reads what kube-apiserver reads with --authentication-config, in the same way.
func decodeConfiguration(t *testing.T, name, text string) *apiserver.AuthenticationConfiguration {
	t.Helper()
	scheme := runtime.NewScheme()
	install.Install(scheme)
	codecs := serializer.NewCodecFactory(scheme, serializer.EnableStrict)
	decoded, err := runtime.Decode(codecs.UniversalDecoder(), []byte(text))
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	configuration, ok := decoded.(*apiserver.AuthenticationConfiguration)
	if !ok || len(configuration.JWT) != 1 {
		t.Fatalf("%s: got %+v\n%s", name, decoded, text)
	}
	return configuration
}
