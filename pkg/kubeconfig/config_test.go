package kubeconfig

import (
	"strings"
	"testing"
)

// What is wrong with a file is said with its place, and never with what stands there.
func TestParseErrors(t *testing.T) {
	t.Parallel()
	for text, cause := range map[string]string{
		"users:\n- name: a\n  user: hunter2\n":                                      "line 3: what stands there is not",
		"users:\n- name: a\n  user: {token: [hunter2]}\n":                           "line 3: what stands there is not",
		"users:\n- name: a\n  user: {token: hunter2\n":                              "not YAML: line ",
		"users:\n- name: a\n  user: {hunter2: 1, hunter2: 2}\n":                     "line 3",
		"users:\n- name: a\n  user: {token: *hunter2}\n":                            "",
		"users:\n- name: a\n- name: a\n":                                            "there are two of user a",
		"users:\n- name: a\n  user: {client-certificate-data: hunter2-hunter2}\n":   "client-certificate-data is not base64",
		"clusters:\n- name: a\n  cluster: {certificate-authority-data: hunter2-}\n": "certificate-authority-data is not base64",
		"hunter2": "it is no kubeconfig",
	} {
		_, err := Parse("config", []byte(text))
		if err == nil || !strings.Contains(err.Error(), cause) || !strings.HasPrefix(err.Error(), "kubeconfig config: ") ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// The plugin is known by its file name, wherever it lies, and Azure's of nearly the same name is another.
func TestPluginArguments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		command string
		args    []string
		ours    bool
	}{
		{"kubectl-oidc_login", []string{"get-token"}, true},
		{"/opt/bin/kubectl-oidc_login", []string{"get-token"}, true},
		{`C:\Users\alice\kubectl-oidc_login.EXE`, []string{"get-token"}, true},
		{"kubectl", []string{"oidc-login", "get-token"}, true},
		{"kubelogin", []string{"get-token", "--oidc-issuer-url=https://a"}, true},
		{"kubelogin", []string{"get-token", "--oidc-issuer-url", "https://a"}, true},
		{"kubelogin", []string{"get-token", "--login", "devicecode", "--server-id", "x"}, false},
		{"kubectl", []string{"config", "view"}, false},
		{"kubectl", []string{"oidc-login"}, false},
		{"kubectl-oidc_login", nil, false},
		{"sh", []string{"-c", "kubectl-oidc_login get-token"}, false},
		{"", nil, false},
	} {
		arguments, ours := (&Exec{Command: test.command, Args: test.args}).PluginArguments()
		if ours != test.ours || ours && arguments[0] != "get-token" {
			t.Errorf("%s %q: got %q, %t", test.command, test.args, arguments, ours)
		}
	}
	if _, ours := (*Exec)(nil).PluginArguments(); ours || (*Exec)(nil).IsPlugin() {
		t.Error("no plugin is none of ours")
	}
	if !(&Exec{Command: "kubectl-oidc_login"}).IsPlugin() || !(&Exec{Command: "kubectl", Args: []string{"oidc-login"}}).IsPlugin() {
		t.Error("without arguments it is no plugin of ours")
	}
}
