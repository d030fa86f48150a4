package kubeconfig

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "KRC-01", "KRC-02", "KRC-03", "KRC-04")
	here := strings.NewReplacer("/opt/bin/", filepath.Join(t.TempDir(), "bin")+string(filepath.Separator)) // an absolute path of this system
	program := here.Replace("/opt/bin/kubectl-oidc_login")
	programs := map[string]string{"kubectl-oidc_login": program, program: program}
	lookPath := func(name string) string { return programs[name] }
	for text, test := range map[string]struct {
		allowed []string
		denied  []string
		cause   string
	}{
		"":                                   {allowed: []string{"anything"}},
		"credentialPluginPolicy: AllowAll\n": {allowed: []string{"anything"}},
		"credentialPluginPolicy: DenyAll\n":  {denied: []string{"kubectl-oidc_login"}},
		"credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- command: /opt/bin/kubectl-oidc_login\n": {
			allowed: []string{"/opt/bin/kubectl-oidc_login", "kubectl-oidc_login", "/opt/bin/../bin/kubectl-oidc_login"}, denied: []string{"sh", "/bin/kubectl-oidc_login"}},
		"credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- name: kubectl-oidc_login\n": {
			allowed: []string{"/opt/bin/kubectl-oidc_login", "kubectl-oidc_login"}, denied: []string{"/tmp/kubectl-oidc_login"}},
		"credentialPluginPolicy: Sometimes\n":                                                     {cause: "is not known to kubectl"},
		"credentialPluginPolicy: Allowlist\n":                                                     {cause: "is empty"},
		"credentialPluginAllowlist: [{command: a}]\n":                                             {cause: "the policy is not Allowlist"},
		"credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: /a/../b}]\n":    {cause: "not in its shortest form"},
		"credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{}]\n":                    {cause: "is empty, or not"},
		"credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{name: a, command: b}]\n": {cause: "a name and another command"},
		"credentialPluginPolicy: [\n":                                                             {cause: "not YAML"},
	} {
		path := filepath.Join(t.TempDir(), "kuberc")
		writeFile(t, path, here.Replace(text), 0o600)
		policy, err := LoadPolicy(path)
		if test.cause == "" && err != nil || test.cause != "" && (err == nil || !strings.Contains(err.Error(), test.cause)) {
			t.Errorf("%q: got %v", text, err)
		}
		for _, command := range test.allowed {
			if !policy.Allows(here.Replace(command), lookPath) {
				t.Errorf("%q: %s is denied", text, command)
			}
		}
		for _, command := range test.denied {
			if policy.Allows(here.Replace(command), lookPath) {
				t.Errorf("%q: %s is allowed", text, command)
			}
		}
	}
	if policy, err := LoadPolicy(filepath.Join(t.TempDir(), "none")); err != nil || !policy.Allows("x", lookPath) {
		t.Errorf("no kuberc: got %v", err)
	}
}
