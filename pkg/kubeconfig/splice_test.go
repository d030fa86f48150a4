package kubeconfig

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"k8s.io/client-go/tools/clientcmd"
)

func alice() User {
	return User{Name: "alice", Exec: &Exec{
		APIVersion:      "client.authentication.k8s.io/v1",
		Command:         "/usr/local/bin/kubectl-oidc_login",
		Args:            []string{"get-token", "--oidc-issuer-url=https://issuer.example", "--oidc-extra-scope=a b"},
		InteractiveMode: "IfAvailable",
	}}
}

const aliceText = `- name: alice
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args:
      - get-token
      - --oidc-issuer-url=https://issuer.example
      - "--oidc-extra-scope=a b"
      command: /usr/local/bin/kubectl-oidc_login
      interactiveMode: IfAvailable
`

// What a change makes of a file, as the lines that it takes away and adds. Everything else is as it was.
func TestApply(t *testing.T) {
	t.Parallel()
	indented := "  " + strings.ReplaceAll(strings.TrimSuffix(aliceText, "\n"), "\n", "\n  ") + "\n"
	for name, test := range map[string]struct {
		before  string
		change  Change
		removed string
		added   string
	}{
		"an empty file": {change: Change{Users: []User{alice()}}, added: "apiVersion: v1\nkind: Config\nusers:\n" + aliceText},
		"a file of comments": {
			before:  "# mine\n\n# and yours",
			change:  Change{CurrentContext: "here"},
			removed: "# and yours\n\\ No newline at end of file\n",
			added:   "# and yours\napiVersion: v1\nkind: Config\ncurrent-context: here\n",
		},
		"no such list": {
			before: "apiVersion: v1\nkind: Config\n\n# the end\n",
			change: Change{Users: []User{alice()}},
			added:  "users:\n" + aliceText,
		},
		"an empty list": {
			before:  "apiVersion: v1\nusers: [] # nobody\nkind: Config\n",
			change:  Change{Users: []User{alice()}},
			removed: "users: [] # nobody\n",
			added:   "users:\n# nobody\n" + aliceText,
		},
		"a list that is null": {
			before:  "users: null\nkind: Config\n",
			change:  Change{Users: []User{alice()}},
			removed: "users: null\n",
			added:   "users:\n" + aliceText,
		},
		"among others, with comments everywhere": {
			before: "# head\nkind: Config\nusers: # people\n# first\n- name: bob # Bob\n  user: {token: x} # old\n# after bob\n\n# about contexts\ncontexts: []\n",
			change: Change{Users: []User{alice()}},
			added:  aliceText,
		},
		"a list that is indented, and the last thing": {
			before: "kind: Config\nusers:\n  # first\n  - name: bob\n    user:\n        token: x\n\n\n# end\n",
			change: Change{Users: []User{alice()}},
			added:  indented,
		},
		"no line end at the end": {
			before:  "kind: Config\nusers:\n- name: bob\n  user: {token: x}",
			change:  Change{Users: []User{alice()}},
			removed: "  user: {token: x}\n\\ No newline at end of file\n",
			added:   "  user: {token: x}\n" + aliceText,
		},
		"line ends of Windows": {
			before: "kind: Config\r\nusers:\r\n- name: bob\r\n  user: {token: x}\r\ncontexts: []\r\n",
			change: Change{Users: []User{alice()}},
			added:  strings.ReplaceAll(aliceText, "\n", "\r\n"),
		},
		"other credentials of the same user, and a member of others": {
			before:  "users:\n# about her\n- user:\n    # the old one\n    client-certificate-data: eA==\n    extensions:\n    - name: e # kept\n      extension: 1\n    token: x\n  name: alice\n- name: bob\n",
			change:  Change{Users: []User{alice()}},
			removed: "    client-certificate-data: eA==\n    token: x\n",
			added:   "    " + strings.TrimPrefix(strings.ReplaceAll(aliceText, "\n", "\n"), "- name: alice\n  user:\n    "),
		},
		"a text of many lines before": {
			before: "preferences:\n  note: |\n    users:\n    - name: alice\nusers:\n- name: bob\n  note: |\n    # no comment\n\n    - name: alice\nkind: Config\n",
			change: Change{Users: []User{alice()}},
			added:  aliceText,
		},
		"the current context": {
			before:  "kind: Config\ncurrent-context: there # for now\nusers: []\n",
			change:  Change{CurrentContext: "here"},
			removed: "current-context: there # for now\n",
			added:   "current-context: here # for now\n",
		},
		"a context, a cluster and all": {
			before: "kind: Config\nclusters:\n- cluster: {server: https://a.example}\n  name: a\ncontexts:\n- name: a\n  context: {cluster: a, user: x, namespace: n}\nusers: []\n",
			change: Change{
				Clusters: []Cluster{{Name: "b", Server: "https://b.example", CertificateAuthorityData: []byte("pem")}},
				Contexts: []Context{{Name: "b", Cluster: "b", User: "alice"}},
			},
			added: "- name: b\n  cluster:\n    certificate-authority-data: cGVt\n    server: https://b.example\n- name: b\n  context:\n    cluster: b\n    user: alice\n",
		},
		"nothing new": {before: "users:\n" + aliceText, change: Change{Users: []User{alice()}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after, err := test.change.Apply([]byte(test.before))
			if err != nil {
				t.Fatal(err)
			}
			removed, added := linesOf(test.before, string(after))
			if removed != test.removed || added != test.added {
				t.Errorf("got\n%s", diff.Diff("before", []byte(test.before), "after", after))
			}
			again, err := test.change.Apply(after)
			if err != nil || string(again) != string(after) {
				t.Errorf("the second time: %v\n%s", err, diff.Diff("once", after, "twice", again))
			}
		})
	}
}

// linesOf are those that one text has and the other has not.
func linesOf(before, after string) (removed, added string) {
	for line := range strings.Lines(string(diff.Diff("before", []byte(before), "after", []byte(after)))) {
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "diff "):
		case strings.HasPrefix(line, "-"):
			removed += line[1:]
		case strings.HasPrefix(line, "+"):
			added += line[1:]
		case strings.HasPrefix(line, "\\"):
			removed += line
		}
	}
	return removed, added
}

// Whatever is changed, kubectl reads what was meant, and everything else as before.
func FuzzApply(f *testing.F) {
	for _, text := range []string{
		"", "# c", "users: []", "{}", "{users: [{name: a, user: {token: b}}]}", "users:\n- name: a\n  user:\n    token: b\n",
		"users:\n-\n  name: a\n", "a: &x 1\nusers:\n- name: *x\n", "users:\n- name: |\n    a\n    # b\n- name: c\n", "---\nusers:\n...\n",
		"users:\n  - name: a\n    # c\n  # d\n\n# e\ncontexts:\n", "clusters:\n- name: a\n  cluster:\n    server: 'x\n\n      y'\n",
		"\ufeffusers:\r\n- name: a\r\n", "users:\t\n- name: a", "current-context: >-\n  a\n\n  b\nkind: Config",
		"{\n\t\"users\": [\n\t\t{\"name\": \"a\" , \"user\": {\"token\": \"b\"}}\n\t]\n}\n", `{"users":null,"contexts":[{"name":"a","context":{}}]}`,
	} {
		f.Add(text, "a", "b c")
	}
	f.Fuzz(func(t *testing.T, before, name, value string) {
		user := User{Name: name, Exec: &Exec{APIVersion: "client.authentication.k8s.io/v1", Command: value, Args: []string{value, name},
			Env: []Variable{{Name: name, Value: value}}, InteractiveMode: "Never"}}
		change := Change{Users: []User{user}, Contexts: []Context{{Name: name, Cluster: value, User: name}}, CurrentContext: name}
		after, err := change.Apply([]byte(before))
		if err != nil {
			return
		}
		if json.Valid([]byte(before)) && !json.Valid(after) {
			t.Fatalf("it is no JSON any more\n%s", after)
		}
		read, err := clientcmd.Load(after)
		if err != nil {
			if _, beforeErr := clientcmd.Load([]byte(before)); beforeErr != nil {
				return // it was no kubeconfig
			}
			t.Fatalf("kubectl: %v\n%s", err, after)
		}
		if name == "" || strings.ContainsRune(name+value, '\ufffd') {
			return
		}
		got := read.AuthInfos[name]
		if got == nil || got.Exec == nil || got.Exec.Command != value || got.Exec.Args[0] != value || got.Exec.Env[0].Value != value {
			t.Fatalf("kubectl reads %+v\n%s", got, after)
		}
		if read.CurrentContext != name || read.Contexts[name].Cluster != value {
			t.Fatalf("kubectl reads another context\n%s", after)
		}
		if old, err := clientcmd.Load([]byte(before)); err == nil {
			for other, info := range old.AuthInfos {
				if other != name && (read.AuthInfos[other] == nil || read.AuthInfos[other].Token != info.Token) {
					t.Fatalf("user %q is another\n%s", other, after)
				}
			}
		}
		again, err := change.Apply(after)
		if err != nil || string(again) != string(after) {
			t.Fatalf("the second time: %v\n%s\n%s", err, after, again)
		}
	})
}

// It reads files as kubectl's own code does.
func TestLoadAsKubectl(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := write("one", "current-context: a\nusers:\n- name: a\n  user: {tokenFile: t, exec: {command: ./x, args: ['1', b], apiVersion: v, env: [{name: A, value: '1'}]}}\n- name: b\n")
	two := write("two", "current-context: b\nusers:\n- name: a\n  user: {token: n1}\n- name: c\n  user: {token: t, client-certificate: /c, client-key: k}\nclusters:\n- name: k\n  cluster: {server: s, certificate-authority: ca, certificate-authority-data: eA==, insecure-skip-tls-verify: true}\n")
	paths := Find("", strings.Join([]string{filepath.Join(folder, "none"), "", one, two, one}, string(os.PathListSeparator)), "")
	got, err := Load(paths)
	if err != nil {
		t.Fatal(err)
	}
	rules := &clientcmd.ClientConfigLoadingRules{Precedence: []string{filepath.Join(folder, "none"), one, two}}
	expected, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	if got.CurrentContext != expected.CurrentContext || len(got.Users) != len(expected.AuthInfos) || len(got.Clusters) != len(expected.Clusters) {
		t.Errorf("got %+v", got)
	}
	for _, user := range got.Users {
		other := expected.AuthInfos[user.Name]
		if user.TokenFile != other.TokenFile || user.Token.Reveal() != other.Token || user.ClientCertificate != other.ClientCertificate ||
			user.ClientKey != other.ClientKey || user.File != other.LocationOfOrigin {
			t.Errorf("user %s: got %+v, kubectl %+v", user.Name, user, other)
		}
		if (user.Exec == nil) != (other.Exec == nil) {
			t.Errorf("user %s: exec", user.Name)
		}
		if user.Exec != nil && (strings.Join(user.Exec.Args, ",") != strings.Join(other.Exec.Args, ",") || user.Exec.Env[0].Value != other.Exec.Env[0].Value) {
			t.Errorf("user %s: got %+v, kubectl %+v", user.Name, user.Exec, other.Exec)
		}
	}
	cluster, other := got.Clusters[0], expected.Clusters["k"]
	if cluster.CertificateAuthority != other.CertificateAuthority || string(cluster.CertificateAuthorityData) != "x" || !cluster.InsecureSkipTLSVerify || cluster.Server != "s" {
		t.Errorf("cluster: got %+v, kubectl %+v", cluster, other)
	}
	if name := paths.ForNew(); name != one {
		t.Errorf("new things go to %s", name)
	}
}
