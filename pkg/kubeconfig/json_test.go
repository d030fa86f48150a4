package kubeconfig

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
	"k8s.io/client-go/tools/clientcmd"
)

// A kubeconfig in JSON stays one, and only the lines of what changes are others.
func TestApplyToJSON(t *testing.T) {
	t.Parallel()
	const bobs = `{
    "kind": "Config",
    "clusters": null,
    "users": [
        {
            "name": "b\u006fb#1",
            "user": {"token": "x#y" , "note": 1e3}
        }
    ],
    "current-context": "there"
}
`
	const alices = `        },
        {
            "name": "alice",
            "user": {
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "args": [
                        "get-token",
                        "--oidc-issuer-url=https://issuer.example",
                        "--oidc-extra-scope=a b"
                    ],
                    "command": "/usr/local/bin/kubectl-oidc_login",
                    "interactiveMode": "IfAvailable"
                }
            }
`
	for name, test := range map[string]struct {
		before  string
		change  Change
		removed string
		added   string
	}{
		"among others": {before: bobs, change: Change{Users: []User{alice()}}, added: alices},
		"line ends of Windows": {
			before: strings.ReplaceAll(bobs, "\n", "\r\n"),
			change: Change{Users: []User{alice()}},
			added:  strings.ReplaceAll(alices, "\n", "\r\n"),
		},
		"no such list": {
			before: "{\n\t\"kind\": \"Config\"\n}\n", change: Change{CurrentContext: "here"},
			removed: "\t\"kind\": \"Config\"\n",
			added:   "\t\"kind\": \"Config\",\n\t\"current-context\": \"here\"\n",
		},
		"a list that is null": {
			before: bobs, change: Change{Clusters: []Cluster{{Name: "a", Server: "https://a.example", InsecureSkipTLSVerify: true}}},
			removed: "    \"clusters\": null,\n",
			added: "    \"clusters\": [\n        {\n            \"name\": \"a\",\n            \"cluster\": {\n                \"insecure-skip-tls-verify\": true,\n" +
				"                \"server\": \"https://a.example\"\n            }\n        }\n    ],\n",
		},
		"other credentials of the same user, and a member of others": {
			before:  strings.ReplaceAll(bobs, `b\u006fb#1`, "alice"),
			change:  Change{Users: []User{alice()}},
			removed: "            \"user\": {\"token\": \"x#y\" , \"note\": 1e3}\n",
			added: `            "user": { "note": 1e3, "exec":{"apiVersion":"client.authentication.k8s.io/v1","args":["get-token",` +
				`"--oidc-issuer-url=https://issuer.example","--oidc-extra-scope=a b"],"command":"/usr/local/bin/kubectl-oidc_login",` +
				`"interactiveMode":"IfAvailable"}}` + "\n",
		},
		"the current context": {
			before: bobs, change: Change{CurrentContext: "<here>"},
			removed: "    \"current-context\": \"there\"\n", added: "    \"current-context\": \"<here>\"\n",
		},
		"nothing in it": {
			before: "{}\n", change: Change{Contexts: []Context{{Name: "a", Cluster: "b", User: "c"}}},
			removed: "{}\n",
			added: "{\n  \"contexts\": [\n    {\n      \"name\": \"a\",\n      \"context\": {\n        \"cluster\": \"b\",\n        \"user\": \"c\"\n" +
				"      }\n    }\n  ]\n}\n",
		},
		"all in one line": {
			before: `{"users":[]}` + "\n", change: Change{Contexts: []Context{{Name: "a", Cluster: "b", User: "c"}}},
			removed: `{"users":[]}` + "\n",
			added:   `{"users":[],"contexts":[{"name":"a","context":{"cluster":"b","user":"c"}}]}` + "\n",
		},
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
			if _, err := clientcmd.Load(after); err != nil || !json.Valid(after) {
				t.Errorf("kubectl: %v", err)
			}
			again, err := test.change.Apply(after)
			if err != nil || string(again) != string(after) {
				t.Errorf("the second time: %v\n%s", err, diff.Diff("once", after, "twice", again))
			}
		})
	}
}
