package kubeconfig

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// What people are shown of a kubeconfig has its names, servers and this plugin's arguments, and nothing that may be a secret.
func TestRedacted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, shown string }{
		"nothing":  {"", ""},
		"comments": {"# hunter2\n", ""},
		"as kubectl writes it": {
			"apiVersion: v1 # hunter2\nclusters:\n- cluster:\n    certificate-authority-data: eA==\n    server: https://a.example\n  name: a\n" +
				"current-context: c\npreferences: {}\nusers:\n- name: b\n  user:\n    # token: hunter2\n    client-key-data: hunter2=\n    token: hunter2\n    username: me\n",
			"apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: eA==\n    server: https://a.example\n  name: a\n" +
				"current-context: c\npreferences: {}\nusers:\n- name: b\n  user:\n    client-key-data: (not shown)\n    token: (not shown)\n    username: me\n",
		},
		"JSON": {
			`{"users":[{"name":"a","user":{"token":"hunter2","client-key-data":"hunter2=","password":"hunter2"}},{"name":"b"}]}`,
			"{\n  \"users\": [\n    {\n      \"name\": \"a\",\n      \"user\": {\n        \"token\": \"(not shown)\",\n        \"client-key-data\": \"(not shown)\",\n" +
				"        \"password\": \"(not shown)\"\n      }\n    },\n    {\n      \"name\": \"b\"\n    }\n  ]\n}\n",
		},
		"flow style": {
			"users: [{name: a, user: {auth-provider: {name: oidc, config: {refresh-token: hunter2, client-secret: hunter2, client-id: b}}}}]",
			"users: [{name: a, user: {auth-provider: {name: oidc, config: {refresh-token: (not shown), client-secret: (not shown), client-id: b}}}}]\n",
		},
		"texts of several lines": {
			"users:\n- user:\n    token: |\n      hunter2\n\n      hunter2\n    client-key-data: >-\n      hunter2\n    password: hunter2\n      hunter2\n    username: \"a\\\n      b\"\n",
			"users:\n- user:\n    token: (not shown)\n    client-key-data: (not shown)\n    password: (not shown)\n    username: \"ab\"\n",
		},
		"arguments of this plugin": {
			"users:\n- user:\n    exec:\n      command: kubectl\n      args: [oidc-login, get-token, --oidc-client-secret, hunter2, --oidc-client-id, a, -v1, --password=hunter2, --force-refresh," +
				" --oidc-request-header=, hunter2, --oidc-request-header, X=hunter2, hunter2, --oidc-client-secret hunter2, -password=hunter2, --password,\n" +
				"        --oidc-client-secret=hunter2, --oidc-issuer-url=https://a.example, --oidc-client-secret-file=b, '--oidc-resource=https://a:hunter2@b']\n",
			"users:\n- user:\n    exec:\n      command: kubectl\n      args: [oidc-login, get-token, --oidc-client-secret, (not shown), --oidc-client-id, a, -v1, --password=(not shown), --force-refresh," +
				" --oidc-request-header=, (not shown), --oidc-request-header, (not shown), (not shown), (not shown), (not shown), --password," +
				" (not shown), '--oidc-issuer-url=https://a.example', --oidc-client-secret-file=b, (not shown)]\n",
		},
		"arguments and variables of another program": {
			"users:\n- user:\n    exec:\n      command: aws\n      args:\n      - eks\n      - hunter2\n      env:\n      - name: AWS_SECRET_ACCESS_KEY\n        value: hunter2\n      - name: EMPTY\n        value: \"\"\n",
			"users:\n- user:\n    exec:\n      command: aws\n      args:\n      - (not shown)\n      - (not shown)\n      env:\n      - name: AWS_SECRET_ACCESS_KEY\n        value: (not shown)\n      - name: EMPTY\n        value: \"\"\n",
		},
		"what is not known": {
			"hunter2: hunter2\nusers:\n- user: {token:hunter2}\n- user: {? [hunter2] : 1}\n- user: hunter2\n- hunter2\n- user: {username: [hunter2], extensions: [{name: hunter2}]}\nclusters: hunter2\nkind: !hunter2 Config\n",
			"(not shown): (not shown)\nusers:\n- user: {(not shown): null}\n- user: {(not shown): (not shown)}\n- user: (not shown)\n- (not shown)\n- user: {username: (not shown), extensions: (not shown)}\nclusters: (not shown)\nkind: (not shown)\n",
		},
		"anchors and aliases": {
			"users:\n- name: &hunter2 hunter2\n  user: {token: *hunter2}\n- name: a\n  user: &b {token: hunter2}\n- name: c\n  user: {<<: *b, username: d}\n",
			"users:\n- name: (not shown)\n  user: {token: (not shown)}\n- name: a\n  user: (not shown)\n- name: c\n  user: {(not shown): (not shown), username: d}\n",
		},
		"passwords in addresses": {
			"clusters:\n- cluster: {proxy-url: 'http://me:hunter2@proxy', server: https://a.example}\n",
			"clusters:\n- cluster: {proxy-url: (not shown), server: 'https://a.example'}\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after, err := Written{Before: []byte(test.text), After: []byte(test.text)}.Redacted()
			if err != nil || string(before) != test.shown || string(after) != test.shown {
				t.Errorf("got %v\n%s", err, before)
			}
			if strings.Contains(string(before), "hunter2") {
				t.Error("there is a secret")
			}
		})
	}
}

// A secret that changes is seen to change.
func TestRedactedChange(t *testing.T) {
	t.Parallel()
	const text = "users:\n- user:\n    token: one\n    password: two\n    exec: {command: kubectl-oidc_login, args: [get-token, --oidc-request-header=X=one]}\n"
	before, after, err := Written{Before: []byte(text), After: []byte(strings.ReplaceAll(text, "one", "three"))}.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	removed, added := linesOf(string(before), string(after))
	const shown = "    exec: {command: kubectl-oidc_login, args: [get-token, --oidc-request-header=(not shown)]}\n"
	if removed != "    token: (not shown)\n"+shown {
		t.Errorf("removed\n%s", removed)
	}
	if added != strings.NewReplacer("(not shown)]", "(new, not shown)']", "--oidc", "'--oidc", "(not shown)", "(new, not shown)").Replace(removed) {
		t.Errorf("added\n%s", added)
	}
}

// However a kubeconfig is written: what kubectl takes for a secret, and what it does not know, is not shown.
func FuzzRedacted(f *testing.F) {
	for _, text := range []string{
		"users: [{name: a, user: {token: hunter2, password: 'hunter2', client-key-data: \"hunter2=\"}}]",
		`{"users":[{"name":"a","user":{"token":"hunter2","client-key-data":"hunter2="}},{"name":"b","user":{"password":"hunter2"}}]}`,
		"users:\n- name: a\n  user:\n    token: |\n      hunter2\n    password: >-\n      hunter2\n\n      hunter2\n    client-key-data: >\n      hunter2=\n",
		"users:\n- name: a\n  user:\n    exec:\n      apiVersion: v\n      command: kubectl-oidc_login\n      args:\n      - get-token\n      - --oidc-client-secret\n      - hunter2\n      - --password=hunter2\n" +
			"      - \"--oidc-request-header=X=\\\n        hunter2\"\n      env:\n      - name: A\n        value: hunter2\n",
		"users:\n- name: a\n  user: {exec: {command: kubelogin, args: [--oidc-issuer-url=x, --password, hunter2], env: [{name: A, value: hunter2}]}}\n",
		"users:\n- name: a\n  user: {exec: {command: aws, args: [eks, --token, hunter2]}, auth-provider: {name: oidc, config: {id-token: hunter2, x: hunter2}}}\n",
		"x: &t hunter2\nusers:\n- name: a\n  user: {token: *t}\n- name: b\n  user: &u\n    password: hunter2\n- name: c\n  user:\n    <<: *u\n",
		"# hunter2\nusers: # hunter2\n# hunter2\n- name: a #hunter2\n  user: {token: hunter2, # hunter2\n  }\n",
		"users:\r\n- {name: a, user: {? token : hunter2\u2028}} # hunter2\r\n", "clusters:\n- name: a\n  cluster: {proxy-url: 'http://u:hunter2@p', extensions: [{name: hunter2}]}\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read, err := clientcmd.Load([]byte(text))
		if err != nil {
			return
		}
		if after, err := json.Marshal(withoutSecrets(*read)); err != nil || strings.Contains(string(after), "hunter2") {
			return // it stands where there is no secret
		}
		after, err := Change{Users: []User{alice()}}.Apply([]byte(text))
		if err != nil {
			return
		}
		shownBefore, shownAfter, err := Written{Before: []byte(text), After: after}.Redacted()
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if strings.Contains(string(shownBefore)+string(shownAfter), "hunter2") {
			t.Fatalf("a secret is shown\n%s\nof\n%s", shownAfter, text)
		}
	})
}

// withoutSecrets leaves what may be shown.
func withoutSecrets(config clientcmdapi.Config) any {
	password := regexp.MustCompile(`//.*@`)
	secretFlag := regexp.MustCompile(`(?s)^--(?:oidc-client-secret|oidc-request-header|password)(?:=.*)?$`)
	secretIsNext := regexp.MustCompile(`^--(?:oidc-client-secret|oidc-request-header|password)$`)
	type user struct {
		Info      clientcmdapi.AuthInfo
		Exec      clientcmdapi.ExecConfig
		Arguments []string
		Config    map[string]string
	}
	users := map[string]user{}
	for name, info := range config.AuthInfos {
		shown := user{Info: *info, Config: map[string]string{}}
		shown.Info.Token, shown.Info.Password, shown.Info.ClientKeyData, shown.Info.ClientCertificateData = "", "", nil, nil
		shown.Info.Extensions, shown.Info.ImpersonateUserExtra, shown.Info.AuthProvider, shown.Info.Exec = nil, nil, nil, nil
		if info.AuthProvider != nil {
			shown.Config["name"] = info.AuthProvider.Name
			for _, known := range []string{"client-id", "extra-scopes", "idp-issuer-url", "idp-certificate-authority", "idp-certificate-authority-data"} {
				shown.Config[known] = info.AuthProvider.Config[known]
			}
		}
		if info.Exec != nil {
			shown.Exec = *info.Exec
			shown.Exec.Args, shown.Exec.Env = nil, nil
			for _, variable := range info.Exec.Env {
				shown.Arguments = append(shown.Arguments, variable.Name)
			}
			if regexp.MustCompile(`^kube(ctl-oidc_)?login$|^kubectl-oidc_login$|kubectl`).MatchString(info.Exec.Command) {
				isValue := false
				for _, argument := range info.Exec.Args {
					if !isValue && !secretFlag.MatchString(argument) {
						shown.Arguments = append(shown.Arguments, argument)
					}
					isValue = !isValue && secretIsNext.MatchString(argument)
				}
			}
		}
		users[name] = shown
	}
	for _, cluster := range config.Clusters {
		cluster.Extensions = nil
		cluster.ProxyURL = password.ReplaceAllString(cluster.ProxyURL, "")
	}
	for _, context := range config.Contexts {
		context.Extensions = nil
	}
	return []any{users, config.Clusters, config.Contexts, config.CurrentContext}
}
