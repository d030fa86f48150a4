package kubeconfig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	person := certificateOf(t, now.Add(time.Hour), "alice", "developers")
	master := certificateOf(t, now.Add(time.Hour), "admin", "system:masters")
	ended := certificateOf(t, now.Add(-time.Hour), "alice", "developers")
	jwt := func(claims string) string {
		return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".hunter2"
	}
	const ours = `exec: {command: kubectl-oidc_login, apiVersion: client.authentication.k8s.io/v1, interactiveMode: IfAvailable, args: [get-token, --oidc-issuer-url=https://a%s]}`
	for user, wanted := range map[string]string{
		fmt.Sprintf(ours, ""):                                                                                      "ok|this plugin||",
		fmt.Sprintf(ours, ", --oidc-client-secret=hunter2"):                                                        "warning|this plugin|a secret among its arguments|",
		strings.Replace(ours, "%s", ", --oidc-client-secret, hunter2", 1):                                          "warning|this plugin|a secret among its arguments|",
		strings.Replace(ours, "%s", ", --oidc-client-secret-file=/x", 1):                                           "ok|this plugin||",
		strings.Replace(ours, "k8s.io/v1", "k8s.io/v1alpha1", 1):                                                   "error|this plugin|does not know its apiVersion|",
		strings.Replace(ours, "interactiveMode: IfAvailable, ", "", 1):                                             "error|this plugin|refuses it without interactiveMode|",
		strings.NewReplacer("kubectl-oidc_login", "kubectl", "[get-token", "[oidc-login, get-token").Replace(ours): "note|this plugin|by way of kubectl|",
		strings.Replace(fmt.Sprintf(ours, ""), "get-token", "get-tokn", 1):                                         "error|this plugin|gets no token by it: no verb.|",
		"exec: {command: kubectl-oidc_login, apiVersion: client.authentication.k8s.io/v1beta1}":                    "error|this plugin|gets no token by it: no verb.|",
		"exec: {command: /usr/bin/aws, args: [eks, get-token]}":                                                    "ok|the plugin aws||",
		"{token: hunter2, exec: {command: aws}}":                                                                   "error|a plugin and another credential|never calls the plugin|",
		"token: hunter2":                                                                                           "warning|a token in plain text|whoever reads it is you|https://issuer.example.com",
		"token: " + jwt(`{"sub":"system:serviceaccount:ns:robot"}`):                                                "error|the service account ns:robot|It never ends|setup",
		"token: " + jwt(`{"sub":"system:serviceaccount:ns:robot","exp":1900000000}`):                               "warning|the service account ns:robot|for a machine.*2030-03-17|setup",
		"token: " + jwt(`{"sub":"system:serviceaccount:ns:robot","exp":1}`):                                        "error|the service account ns:robot|It has ended|setup",
		"token: " + jwt(`{"iss":"https://op.example","sub":"a","aud":"kube","exp":1900000000}`):                    "warning|of the issuer https://op.example|until it ends|--oidc-issuer-url=https://op.example --oidc-client-id=kube",
		"token: " + jwt(`{"iss":"https://op.example","sub":"a","aud":"kube","exp":1}`):                             "error|of the issuer https://op.example|It has ended|--oidc-client-id=kube",
		"tokenFile: there":                      "warning|a token in a file|whoever reads|setup",
		"tokenFile: /none":                      "error|a token in a file|cannot be read|",
		"client-certificate-data: " + person:    `warning|a client certificate of "alice" in the groups ["developers"], until 2030-01-02|Nobody can revoke it|setup`,
		"client-certificate-data: " + master:    `error|system:masters|can do everything|setup`,
		"client-certificate-data: " + ended:     `error|a client certificate|It has ended|setup`,
		"client-certificate-data: aHVudGVyMg==": "error|a client certificate|no PEM certificate|setup",
		"client-certificate: /none":             "error|a client certificate|cannot be read|setup",
		"{username: alice, password: hunter2}":  "error|a username and a password|since 1.19|setup",
		"as: bob":                               "note|no credential||",
		"{}":                                    "note|no credential||",
		"auth-provider: {name: gcp, config: {access-token: hunter2}}": "error|the auth-provider gcp|since 1.26|",
		"auth-provider: {name: oidc, config: {idp-issuer-url: https://a, client-id: b, client-secret: hunter2, extra-scopes: 'groups,email', refresh-token: hunter2, idp-certificate-authority: /ca}}": "warning|the auth-provider oidc|tokens in the kubeconfig.*refresh at once|setup --user=me --oidc-issuer-url=https://a --oidc-client-id=b --oidc-extra-scope=groups --oidc-extra-scope=email --certificate-authority=/ca",
	} {
		if !strings.HasPrefix(user, "{") {
			user = "{" + user + "}"
		}
		config, err := Parse("/home/config", []byte("users: [{name: me, user: "+strings.ReplaceAll(user, "%s", "")+"}]\ncontexts: [{name: here, context: {user: me}}]\n"))
		if err != nil {
			t.Errorf("%s: %v", user, err)
			continue
		}
		readFile := func(name string) ([]byte, error) {
			if filepath.ToSlash(name) == "/home/there" {
				return []byte("hunter2\n"), nil
			}
			return nil, errors.New("hunter2")
		}
		got := Judge{config, now, readFile, refuseVerb}.Users()[0]
		parts := strings.Split(wanted, "|")
		if string(got.Severity) != parts[0] || !strings.Contains(got.What, parts[1]) || !matches(got.Why, parts[2]) ||
			!strings.Contains(strings.Join(got.Migration, " "), parts[3]) || parts[3] == "" && got.Migration != nil {
			t.Errorf("%s:\ngot    %+v\nwanted %s", user, got, wanted)
		}
		if text, err := json.Marshal(got); err != nil || strings.Contains(string(text), "hunter2") || got.Contexts[0] != "here" {
			t.Errorf("%s: got %s, %v", user, text, err)
		}
	}
}

// A client certificate stays for breaking glass: the command that is named writes over nothing, and there is none where its
// cluster has a login already.
func TestJudgeCertificate(t *testing.T) {
	t.Parallel()
	for contexts, wanted := range map[string]string{
		"": "setup --user=admin-oidc-2 --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes",
		"{name: x, context: {cluster: c, user: admin}}, {name: x-oidc, context: {cluster: c, user: admin-oidc}}":                      "setup --user=admin-oidc-2 --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes --cluster=c --context=x-oidc-2",
		"{name: x, context: {cluster: gone, user: admin}}":                                                                            "setup --user=admin-oidc-2 --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes",
		"{name: x, context: {cluster: c, user: admin}}, {name: y, context: {cluster: c, user: me}}":                                   "",
		"{name: x, context: {cluster: c, user: admin}}, {name: y, context: {cluster: d, user: me}}, {name: z, context: {cluster: c}}": "setup --user=admin-oidc-2 --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes --cluster=c --context=x-oidc",
	} {
		config, err := Parse("config", []byte(`users:
- {name: admin, user: {client-certificate: gone}}
- {name: admin-oidc, user: {token: hunter2}}
- {name: me, user: {exec: {command: kubectl-oidc_login, args: [get-token]}}}
clusters: [{name: c, cluster: {server: https://c}}, {name: d, cluster: {server: https://d}}]
contexts: [`+contexts+"]\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := Judge{config, time.Now(), func(string) ([]byte, error) { return nil, errors.New("gone") }, refuseVerb}.Users()[0]
		if strings.Join(got.Migration, " ") != wanted || (wanted == "") != strings.Contains(got.Remedy, "The context y does that.") {
			t.Errorf("%s: got %+v", contexts, got)
		}
	}
}

func refuseVerb(exec *Exec) error {
	if slices.Contains(exec.Args, "get-token") {
		return nil
	}
	return errors.New("no verb")
}

// matches takes ".*" for anything.
func matches(text, wanted string) bool {
	for part := range strings.SplitSeq(wanted, ".*") {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return true
}

// certificateOf is base64 of PEM.
func certificateOf(t *testing.T, until time.Time, name, group string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{group}},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Strangers' kubeconfigs make no judge fall.
func FuzzJudge(f *testing.F) {
	f.Add("users: [{name: a, user: {token: a.e30.c}}]", "x")
	f.Add("users: [{name: a, user: {client-certificate: f}}]", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
	f.Add("users: [{name: a, user: {auth-provider: {name: oidc}}}]", "")
	f.Fuzz(func(_ *testing.T, text, file string) {
		if config, err := Parse("config", []byte(text)); err == nil {
			Judge{config, time.Unix(0, 0), func(string) ([]byte, error) { return []byte(file), nil }, refuseVerb}.Users()
		}
	})
}
