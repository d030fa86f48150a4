package cluster

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// testAuthority is a certificate that nobody uses.
const testAuthority = `-----BEGIN CERTIFICATE-----
MIIBezCCASGgAwIBAgIUAnq6uUhpGh/dpp/B6SKzBT6fSfkwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjQxMjI3NDlaGA8yMTI2MTAzMTEy
Mjc0OVowEjEQMA4GA1UEAwwHVGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABPCaQPjV/zzXkVH9xySe5dqBdLZZgMx4FtBeKZTbqu6yjOlxJSbdCkslvcSD
HvmYTOBgc7GTlwQiNWvpWhmw/XCjUzBRMB0GA1UdDgQWBBTV60JfKOHR2uFCYSeB
5h7oh9VqkzAfBgNVHSMEGDAWgBTV60JfKOHR2uFCYSeB5h7oh9VqkzAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCICyhJgswpYaWtG7kWpfws3CYyBT+
c5sE+k90BjSzKVOoAiEA32x/RltuHDQtTwfmRjh8NFPhWl/Fh0krCGS+min1iu0=
-----END CERTIFICATE-----
`

func usual() Authentication {
	return Authentication{
		Issuer: "https://issuer.example.com", Audiences: []string{"kubernetes"},
		UsernamePrefix: "oidc:", GroupsClaim: "groups", GroupsPrefix: "oidc:",
	}
}

// variants are one configuration for each thing that may be different.
func variants(t testing.TB) map[string]Authentication {
	t.Helper()
	all := map[string]Authentication{}
	for name, change := range map[string]func(*Authentication){
		"usual":           func(*Authentication) {},
		"no prefixes":     func(a *Authentication) { a.UsernamePrefix, a.GroupsPrefix = "", "" },
		"no user prefix":  func(a *Authentication) { a.UsernamePrefix = "" },
		"no group prefix": func(a *Authentication) { a.GroupsPrefix = "" },
		"half a prefix":   func(a *Authentication) { a.UsernamePrefix, a.GroupsPrefix = "sys", "system" },
		"no groups":       func(a *Authentication) { a.GroupsClaim, a.GroupsPrefix = "", "" },
		"email":           func(a *Authentication) { a.UsernameClaim = "email" },
		"bare email":      func(a *Authentication) { a.UsernameClaim, a.UsernamePrefix = "email", "" },
		"dash":            func(a *Authentication) { a.UsernamePrefix = "-" },
		"issuer's prefix": func(a *Authentication) { a.UsernamePrefix = a.Issuer + "#" },
		"two audiences":   func(a *Authentication) { a.Audiences = []string{"kubernetes", "https://api.example.com/"} },
		"odd words": func(a *Authentication) {
			a.Audiences, a.UsernameClaim, a.GroupsPrefix = []string{"yes"}, "null", `"a': #b\ `
		},
		"authority": func(a *Authentication) {
			a.CertificateAuthority = "two of them\r\n" + testAuthority + "\n" + testAuthority
		},
		"required": func(a *Authentication) {
			a.RequiredClaims = map[string]string{"hd": "example.com", "acr": "2", "empty": ""}
		},
		"ES256": func(a *Authentication) { a.SigningAlgorithm = "ES256" },
	} {
		a := usual()
		change(&a)
		all[name] = a
	}
	return all
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-19", "API-21")
	a := variants(t)["required"]
	a.Audiences, a.UsernamePrefix, a.GroupsPrefix = []string{"kubernetes", "other"}, "", ""
	const want = `# For Kubernetes 1.30 to 1.33, apiVersion is apiserver.config.k8s.io/v1beta1.
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: "https://issuer.example.com"
    audiences:
    - kubernetes
    - other
    audienceMatchPolicy: MatchAny
  claimValidationRules:
  - claim: acr
    requiredValue: "2"
  - claim: empty
    requiredValue: ""
  - claim: hd
    requiredValue: example.com
  claimMappings:
    username:
      claim: sub
      prefix: ""
    groups:
      claim: groups
      prefix: ""
  userValidationRules:
  - expression: "!user.username.startsWith('system:')"
    message: "names of users may not begin with system:"
  - expression: "user.groups.all(group, !group.startsWith('system:'))"
    message: "names of groups may not begin with system:"
`
	got, err := a.Configuration()
	if err != nil || got != want {
		t.Errorf("expected\n%s\ngot %v\n%s", want, err, got)
	}
}

// authenticationConfiguration has the members that kube-apiserver knows, or those of them that are used.
type authenticationConfiguration struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	JWT        []struct {
		Issuer struct {
			URL                  string   `json:"url"`
			CertificateAuthority string   `json:"certificateAuthority"`
			Audiences            []string `json:"audiences"`
			AudienceMatchPolicy  string   `json:"audienceMatchPolicy"`
		} `json:"issuer"`
		ClaimValidationRules []struct {
			Claim         string `json:"claim"`
			RequiredValue string `json:"requiredValue"`
			Expression    string `json:"expression"`
			Message       string `json:"message"`
		} `json:"claimValidationRules"`
		ClaimMappings struct {
			Username claimMapping `json:"username"`
			Groups   claimMapping `json:"groups"`
		} `json:"claimMappings"`
		UserValidationRules []struct {
			Expression string `json:"expression"`
			Message    string `json:"message"`
		} `json:"userValidationRules"`
	} `json:"jwt"`
}

type claimMapping struct {
	Claim      string  `json:"claim"`
	Prefix     *string `json:"prefix"`
	Expression string  `json:"expression"`
}

// check has the API server's rules of a mapping (API-08).
func (m claimMapping) check(required bool) error {
	switch {
	case m.Claim != "" && m.Expression != "":
		return errors.New("claim and expression")
	case m.Claim != "" && m.Prefix == nil:
		return errors.New("no prefix with the claim")
	case m.Expression != "" && m.Prefix != nil:
		return errors.New("a prefix with the expression")
	case required && m.Claim == "" && m.Expression == "":
		return errors.New("neither claim nor expression")
	case strings.Contains(m.Expression, "claims.email") && !strings.Contains(m.Expression, "claims.email_verified"): // API-11
		return errors.New("an unverified email address")
	}
	return nil
}

// readConfiguration fails for members that kube-apiserver does not know, and for what it refuses.
func readConfiguration(t *testing.T, name, text string) authenticationConfiguration {
	t.Helper()
	var got authenticationConfiguration
	if err := yaml.UnmarshalStrict([]byte(text), &got); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	if got.APIVersion != "apiserver.config.k8s.io/v1" || got.Kind != "AuthenticationConfiguration" || len(got.JWT) != 1 {
		t.Fatalf("%s: no configuration of one issuer:\n%s", name, text)
	}
	jwt := got.JWT[0]
	if err := errors.Join(jwt.ClaimMappings.Username.check(true), jwt.ClaimMappings.Groups.check(false)); err != nil {
		t.Errorf("%s: %v\n%s", name, err, text)
	}
	if policy := jwt.Issuer.AudienceMatchPolicy; policy != "MatchAny" && (policy != "" || len(jwt.Issuer.Audiences) > 1) {
		t.Errorf("%s: the audience match policy is %q\n%s", name, policy, text)
	}
	return got
}

// meaning is what an API server makes of a configuration, by whichever way it is told.
type meaning struct {
	Issuer, Authority, UsernameClaim, UsernamePrefix, GroupsClaim, GroupsPrefix string
	Audiences, Algorithms                                                       []string
	Required                                                                    map[string]string
}

func meaningOf(a Authentication) meaning {
	certificates, _ := parseCertificates(a.CertificateAuthority)
	m := meaning{
		Issuer: a.Issuer, Authority: encodeCertificates(certificates), UsernameClaim: a.UsernameClaim, UsernamePrefix: a.UsernamePrefix,
		Audiences: a.Audiences, Required: map[string]string{},
	}
	if m.UsernameClaim == "" {
		m.UsernameClaim = "sub"
	}
	if a.GroupsClaim != "" {
		m.GroupsClaim, m.GroupsPrefix = a.GroupsClaim, a.GroupsPrefix
	}
	maps.Copy(m.Required, a.RequiredClaims)
	return m
}

func meaningOfConfiguration(t *testing.T, name, text string) meaning {
	t.Helper()
	jwt := readConfiguration(t, name, text).JWT[0]
	m := meaning{
		Issuer: jwt.Issuer.URL, Authority: jwt.Issuer.CertificateAuthority, Audiences: jwt.Issuer.Audiences,
		UsernameClaim: jwt.ClaimMappings.Username.Claim, GroupsClaim: jwt.ClaimMappings.Groups.Claim,
		UsernamePrefix: deref(jwt.ClaimMappings.Username.Prefix), GroupsPrefix: deref(jwt.ClaimMappings.Groups.Prefix),
		Required: map[string]string{},
	}
	for _, rule := range jwt.ClaimValidationRules {
		m.Required[rule.Claim] = rule.RequiredValue
	}
	return m
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// What is written is what is meant, for every variant.
func TestConfigurationMeans(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-04", "API-08", "API-11", "API-19", "API-21")
	for name, a := range variants(t) {
		text, err := a.Configuration()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, want := meaningOfConfiguration(t, name, text), meaningOf(a); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: expected %+v, got %+v", name, want, got)
		}
		if again, _ := a.Configuration(); again != text {
			t.Errorf("%s: another text the second time", name)
		}
		if strings.Contains(text, "oidc-") { // API-06
			t.Errorf("%s: it has flags in it:\n%s", name, text)
		}
		var rules []string
		for _, rule := range readConfiguration(t, name, text).JWT[0].UserValidationRules {
			rules = append(rules, rule.Expression)
		}
		var want []string
		if strings.HasPrefix("system:", a.UsernamePrefix) {
			want = append(want, "!user.username.startsWith('system:')")
		}
		if a.GroupsClaim != "" && strings.HasPrefix("system:", a.GroupsPrefix) {
			want = append(want, "user.groups.all(group, !group.startsWith('system:'))")
		}
		if !slices.Equal(rules, want) {
			t.Errorf("%s: expected the rules %q, got %q", name, want, rules)
		}
	}
}

func TestConfigurationEmail(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-11")
	text, err := variants(t)["bare email"].Configuration()
	if err != nil || !strings.Contains(text, "      claim: email\n") || strings.Contains(text, "claims.email") {
		t.Errorf("only of a claim does the API server by itself want a verified address: %v\n%s", err, text)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-01", "API-04", "API-18")
	for _, test := range []struct {
		change func(*Authentication)
		want   string
	}{
		{func(a *Authentication) { a.Issuer = "http://issuer.example.com" }, "issuer URL: the API server takes https alone"},
		{func(a *Authentication) { a.Issuer = "https://me:pw@issuer.example.com" }, "issuer URL: it may not have a user name or password"},
		{func(a *Authentication) { a.Issuer = "https://issuer.example.com?tenant=1" }, "issuer URL: it may not have a query"},
		{func(a *Authentication) { a.Issuer = "https://issuer.example.com/#x" }, "issuer URL: it may not have a fragment"},
		{func(a *Authentication) { a.Issuer = "" }, "issuer URL: the API server takes https alone"},
		{func(a *Authentication) { a.Issuer = "https:///realm" }, "issuer URL: it has no host"},
		{func(a *Authentication) { a.Issuer = "https://issuer.example.com/\x1b" }, "issuer URL: it is not a URL"},
		{func(a *Authentication) { a.Issuer = "https://issuer.example.com/\u0085" }, "issuer URL: it has a control character"},
		{func(a *Authentication) { a.Audiences = nil }, "audiences: the API server needs one at least"},
		{func(a *Authentication) { a.Audiences = []string{""} }, "audiences: one of them is empty"},
		{func(a *Authentication) { a.Audiences = []string{"a", "b", "a"} }, `audiences: "a" is there twice`},
		{func(a *Authentication) { a.Audiences = []string{"\xff"} }, "audiences: it has a control character in it, or is not UTF-8"},
		{func(a *Authentication) { a.CertificateAuthority = "rubbish" }, "certificate authority of the issuer: it has no PEM certificate"},
		{func(a *Authentication) { a.CertificateAuthority = strings.Replace(testAuthority, "MII", "MIA", 1) }, "certificate authority of the issuer: it has a certificate that cannot be read"},
		{func(a *Authentication) { a.UsernameClaim = "a\nb" }, "user name claim: it has a control character"},
		{func(a *Authentication) { a.UsernamePrefix = "system:oidc:" }, "user name prefix: \"system:oidc:\" begins with system:"},
		{func(a *Authentication) { a.GroupsClaim = "a\nb" }, "groups claim: it has a control character"},
		{func(a *Authentication) { a.GroupsPrefix = "system:" }, "groups prefix: \"system:\" begins with system:"},
		{func(a *Authentication) { a.RequiredClaims = map[string]string{"": "x"} }, "required claims: one of them has no name"},
		{func(a *Authentication) { a.RequiredClaims = map[string]string{"a": "\x00"} }, "required claims: it has a control character"},
		{func(a *Authentication) { a.SigningAlgorithm = "HS256" }, `signing algorithm: kube-apiserver does not know "HS256"`},
	} {
		a := usual()
		test.change(&a)
		err := a.Validate()
		if err == nil {
			t.Errorf("expected %q, got no error", test.want)
			continue
		}
		checkFailure(t, test.want, err, token.Misused, test.want)
		if _, err := a.Configuration(); err == nil {
			t.Errorf("%s: it is written", test.want)
		}
		if _, err := a.Flags("/ca.crt"); err == nil {
			t.Errorf("%s: flags are written", test.want)
		}
		if Worst(Judge(Evidence{}, a)) != Error {
			t.Errorf("%s: it is judged to be good", test.want)
		}
	}
}

// meaningOfFlags has the rules of kube-apiserver for its flags.
func meaningOfFlags(t *testing.T, name string, flags []string) meaning {
	t.Helper()
	m := meaning{UsernameClaim: "sub", Algorithms: []string{"RS256"}, Required: map[string]string{}}
	seen := map[string]bool{}
	for _, flag := range flags {
		key, value, _ := strings.Cut(flag, "=")
		if seen[key] && key != "--oidc-required-claim" {
			t.Errorf("%s: %s is there twice", name, key)
		}
		seen[key] = true
		switch key {
		case "--oidc-issuer-url":
			m.Issuer = value
		case "--oidc-client-id":
			m.Audiences = []string{value}
		case "--oidc-ca-file":
			m.Authority = value
		case "--oidc-username-claim":
			m.UsernameClaim = value
		case "--oidc-username-prefix":
			m.UsernamePrefix = value
		case "--oidc-groups-claim":
			m.GroupsClaim = value
		case "--oidc-groups-prefix":
			m.GroupsPrefix = value
		case "--oidc-signing-algs":
			m.Algorithms = strings.Split(value, ",")
		case "--oidc-required-claim":
			claim, required, _ := strings.Cut(value, "=")
			m.Required[strings.TrimSpace(claim)] = strings.TrimSpace(required)
		default:
			t.Errorf("%s: %s is not for an API server that is told by flags", name, flag)
		}
	}
	if !seen["--oidc-issuer-url"] || !seen["--oidc-client-id"] { // API-06
		t.Errorf("%s: neither goes without the other: %q", name, flags)
	}
	switch { // API-07
	case m.UsernamePrefix == "" && m.UsernameClaim != "email":
		m.UsernamePrefix = m.Issuer + "#"
	case m.UsernamePrefix == "-":
		m.UsernamePrefix = ""
	}
	return m
}

// By flags, people have the same names as by the file.
func TestFlagsMeanTheSame(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-06", "API-07", "API-09")
	unsayable := map[string]string{
		"two audiences": "audiences: flags of the API server can name one alone",
		"dash":          `user name prefix: as a flag of the API server, "-" means none`,
		"half a prefix": "prefix: a claim could complete it",
	}
	for name, a := range variants(t) {
		flags, err := a.Flags("/etc/kubernetes/pki/oidc-ca.crt")
		if want := unsayable[name]; want != "" {
			checkFailure(t, name, err, token.Misused, want)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := meaningOf(a)
		want.Algorithms = []string{a.signingAlgorithm()}
		if want.Authority != "" {
			want.Authority = "/etc/kubernetes/pki/oidc-ca.crt"
		}
		if got := meaningOfFlags(t, name, flags); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: expected %+v, got %+v", name, want, got)
		}
	}
}

func TestFlagsThatCannotSayIt(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Authentication){
		"needs a file":                  func(a *Authentication) { a.CertificateAuthority = testAuthority },
		"no name with = in it":          func(a *Authentication) { a.RequiredClaims = map[string]string{"a=b": "c"} },
		"no spaces around names":        func(a *Authentication) { a.RequiredClaims = map[string]string{"a": " c"} },
		"could complete it to a name":   func(a *Authentication) { a.GroupsPrefix = "s" },
		"flags of the API server can n": func(a *Authentication) { a.Audiences = []string{"a", "b"} },
	} {
		a := usual()
		change(&a)
		_, err := a.Flags("")
		checkFailure(t, want, err, token.Misused, want)
	}
	a := variants(t)["authority"]
	_, err := a.Flags("/a\nb")
	checkFailure(t, "control character", err, token.Misused, "file of the certificate authority: it has a control character")
}

func TestKubeadmConfiguration(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "API-06")
	const want = `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
apiServer:
  extraArgs:
  - name: authentication-config
    value: "/etc/kubernetes/authentication/config.yaml"
  extraVolumes:
  - name: authentication-config
    hostPath: "/etc/kubernetes/authentication"
    mountPath: "/etc/kubernetes/authentication"
    readOnly: true
    pathType: Directory
`
	got, err := KubeadmConfiguration("/etc/kubernetes/authentication/config.yaml")
	if err != nil || got != want {
		t.Errorf("expected\n%s\ngot %v\n%s", want, err, got)
	}
}

func TestK3sConfiguration(t *testing.T) {
	t.Parallel()
	const want = `kube-apiserver-arg:
- "authentication-config=/etc/rancher/k3s/authentication.yaml"
`
	got, err := K3sConfiguration("/etc/rancher/k3s/authentication.yaml")
	if err != nil || got != want {
		t.Errorf("expected\n%s\ngot %v\n%s", want, err, got)
	}
}

func TestKindConfiguration(t *testing.T) {
	t.Parallel()
	const file = "/etc/kubernetes/authentication/config.yaml"
	text, err := KindConfiguration(`C:\Users\me\it's "here"`, file)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Nodes      []struct {
			Role        string           `json:"role"`
			Patches     []string         `json:"kubeadmConfigPatches"`
			ExtraMounts []map[string]any `json:"extraMounts"`
		} `json:"nodes"`
	}
	if err := yaml.UnmarshalStrict([]byte(text), &got); err != nil || len(got.Nodes) != 1 || len(got.Nodes[0].Patches) != 2 {
		t.Fatalf("%v\n%s", err, text)
	}
	node := got.Nodes[0]
	mount := map[string]any{"hostPath": `C:\Users\me\it's "here"`, "containerPath": "/etc/kubernetes/authentication", "readOnly": true}
	if got.APIVersion != "kind.x-k8s.io/v1alpha4" || got.Kind != "Cluster" || node.Role != "control-plane" ||
		len(node.ExtraMounts) != 1 || !reflect.DeepEqual(node.ExtraMounts[0], mount) {
		t.Errorf("got %+v", got)
	}
	if want, err := KubeadmConfiguration(file); err != nil || node.Patches[1] != want {
		t.Errorf("expected %s, got %s, %v", want, node.Patches[1], err)
	}
	var older struct {
		APIVersion string `json:"apiVersion"`
		APIServer  struct {
			ExtraArgs map[string]string `json:"extraArgs"`
		} `json:"apiServer"`
	}
	if err := yaml.Unmarshal([]byte(node.Patches[0]), &older); err != nil || older.APIVersion != "kubeadm.k8s.io/v1beta3" ||
		older.APIServer.ExtraArgs["authentication-config"] != file {
		t.Errorf("got %v, %s", err, node.Patches[0])
	}
	if _, err := KindConfiguration("", file); err == nil {
		t.Error("no folder was taken")
	}
}

func TestFilesThatCannotBeMounted(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"", "config.yaml", "/config.yaml", "/", "/etc/../config.yaml", "/etc/", "/a:b/c", "/a\n/b", `C:\a\b`} {
		_, kubeadm := KubeadmConfiguration(file)
		_, k3s := K3sConfiguration(file)
		_, kind := KindConfiguration("folder", file)
		for _, err := range []error{kubeadm, k3s, kind} {
			checkFailure(t, file, err, token.Misused, "needs an absolute path in a folder")
		}
	}
}

func TestBindings(t *testing.T) {
	t.Parallel()
	const want = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: oidc-view-group-oidc-dev-cae279c8
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: view
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: Group
  name: "oidc:dev"
`
	got, err := usual().GroupBinding("dev", "")
	if err != nil || got != want {
		t.Errorf("expected\n%s\ngot %v\n%s", want, err, got)
	}
	got, err = Authentication{}.UserBinding("alice", "edit")
	if err != nil || !strings.Contains(got, "\n  name: oidc-edit-user-alice\n") || !strings.Contains(got, "  kind: User\n  name: alice\n") {
		t.Errorf("got %v\n%s", err, got)
	}
	for name, test := range map[string]struct {
		a                 Authentication
		group, role, want string
	}{
		"no claim":  {Authentication{}, "dev", "", "group: the API server is told no groups claim"},
		"no name":   {usual(), "", "", "group: its name is empty"},
		"system":    {variants(t)["no prefixes"], "system:masters", "", `group: "system:masters" is for Kubernetes itself`},
		"completed": {variants(t)["half a prefix"], ":masters", "", `group: "system:masters" is for Kubernetes itself`},
		"control":   {usual(), "dev\n", "", "group: its name is empty, has a control character"},
		"role":      {usual(), "dev", "../view", `role: "../view" is not the name of a ClusterRole`},
	} {
		_, err := test.a.GroupBinding(test.group, test.role)
		checkFailure(t, name, err, token.Misused, test.want)
	}
}

// Whatever people type comes out as what they typed, by the file and by flags, or is refused.
func FuzzConfiguration(f *testing.F) {
	f.Add("https://issuer.example.com/", "kubernetes", "other", "email", "oidc:", "groups", "oidc:", "hd", "example.com")
	f.Add("https://é.example/a b%20", "- ", "&a *b", "!x", "", "~", "0x1f", "a: b", "# c")
	f.Add("https://x", "\u2028", "\ufeff\U000e0001", "😀", "\u00a0", "'", `"\`, "{", "[")
	f.Add("https://x", "2001-01-01", ".inf", "<<", "-", "=", "|", ">", "%")
	f.Fuzz(func(t *testing.T, issuer, audience, other, username, usernamePrefix, groups, groupsPrefix, claim, value string) {
		a := Authentication{
			Issuer: issuer, Audiences: []string{audience}, UsernameClaim: username, UsernamePrefix: usernamePrefix,
			GroupsClaim: groups, GroupsPrefix: groupsPrefix, RequiredClaims: map[string]string{claim: value},
		}
		if flags, err := a.Flags(""); err == nil {
			checkHarmless(t, strings.Join(flags, "\n"))
			want := meaningOf(a)
			want.Algorithms = []string{"RS256"}
			if got := meaningOfFlags(t, "fuzz", flags); !reflect.DeepEqual(got, want) {
				t.Errorf("expected %+v, got %+v", want, got)
			}
		}
		a.Audiences = append(a.Audiences, other)
		text, err := a.Configuration()
		if err != nil {
			return
		}
		if got, want := meaningOfConfiguration(t, "fuzz", text), meaningOf(a); !reflect.DeepEqual(got, want) {
			t.Errorf("expected %+v, got %+v", want, got)
		}
		checkHarmless(t, text)
	})
}

func checkHarmless(t *testing.T, text string) {
	t.Helper()
	if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		t.Errorf("a terminal would obey %q", text)
	}
}

// A binding names whom it was asked for, and its own name is one that Kubernetes takes.
func FuzzBinding(f *testing.F) {
	f.Add("oidc:", "dev", "view")
	f.Add("", "/Keycloak/Group with 100% é", "system:aggregate-to-view")
	f.Add("\u202e", strings.Repeat("long", 100), "a.b")
	f.Fuzz(func(t *testing.T, prefix, group, role string) {
		text, err := Authentication{GroupsClaim: "groups", GroupsPrefix: prefix}.GroupBinding(group, role)
		if err != nil {
			return
		}
		checkHarmless(t, text)
		var got struct {
			APIVersion string            `json:"apiVersion"`
			Kind       string            `json:"kind"`
			Metadata   map[string]string `json:"metadata"`
			RoleRef    map[string]string `json:"roleRef"`
			Subjects   []map[string]string
		}
		if err := yaml.UnmarshalStrict([]byte(text), &got); err != nil || len(got.Subjects) != 1 {
			t.Fatalf("%v\n%s", err, text)
		}
		if role == "" {
			role = "view"
		}
		if got.Subjects[0]["name"] != prefix+group || got.RoleRef["name"] != role {
			t.Errorf("%q, %q, %q became %+v", prefix, group, role, got)
		}
		name := got.Metadata["name"]
		if name == "" || len(name) > 253 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%q is no name for an object", name)
		}
	})
}

// Two subjects never share a binding, of which one would take the place of the other.
func TestBindingNamesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, noun := range []string{"user", "group"} {
		for _, subject := range []string{"a:b", "a-b", "a.b", "A-b", "a-b-", strings.Repeat("a", 300), strings.Repeat("a", 301)} {
			for _, role := range []string{"view", "View"} {
				name, what := bindingName(noun, subject, role), fmt.Sprint(noun, subject, role)
				if before, ok := seen[name]; ok {
					t.Errorf("%s and %s are both named %s", before, what, name)
				}
				seen[name] = what
			}
		}
	}
}
