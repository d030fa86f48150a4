package e2e

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// isExamined sees that doctor finds nothing wrong where nothing is, and names the cause of each deliberate fault.
func isExamined(t *testing.T, computer *Workstation, apiServer *APIServer, configuration string) {
	t.Helper()
	healthy := *computer
	healthy.Path = filepath.Dir(programs.Plugin) + ":" + filepath.Dir(programs.Kubectl) + ":" + computer.Path
	if output := healthy.Plugin(t, "doctor"); output.ExitCode != 0 || regexp.MustCompile("(?m)^  (warning|error) ").MatchString(output.Stdout) {
		t.Fatalf("doctor, where nothing is wrong: %s", output)
	}
	kubeconfig := readFile(t, computer.kubeconfigFile)
	listenAddress := regexp.MustCompile("--listen-address=(.*)").FindStringSubmatch(kubeconfig)[1]

	for name, fault := range map[string]struct {
		old, new string // in the kubeconfig
		change   func(*Workstation)
		finding  string
	}{
		"an exec API that is gone":    {old: "k8s.io/v1\n", new: "k8s.io/v1alpha1\n", finding: "kubectl does not know its exec apiVersion"},
		"no interactiveMode":          {old: "interactiveMode: IfAvailable", finding: "It has no interactiveMode"},
		"the plugin is gone":          {old: "command: /", new: "command: /nowhere/", finding: "kubectl does not find its command /nowhere/"},
		"another credential":          {old: "    exec:\n", new: "    token: x\n    exec:\n", finding: "It has another credential too, so kubectl never calls the plugin"},
		"an authority of nobody":      {old: "      - --certificate-authority=" + apiServer.CA.File + "\n", finding: "provider: discovery: cannot reach .*its certificate is signed by an authority"},
		"a cluster that is not there": {old: "server: https://127.0.0.1:", new: "server: https://127.0.0.1:1/", finding: "cluster: .*cannot reach"},
		"the policy DenyAll": {change: func(w *Workstation) {
			writeFile(t, w.Home+"/denying", "credentialPluginPolicy: DenyAll\n")
			w.Environment = append(w.Environment, "KUBERC="+w.Home+"/denying")
		}, finding: "has the policy DenyAll, so kubectl calls no plugin"},
		"a keychain that is gone": {change: func(w *Workstation) {
			w.Environment = append(w.Environment, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere")
		}, finding: "warning  keychain: "},
		"another plugin before it": {change: func(w *Workstation) {
			folder := t.TempDir()
			writeFile(t, folder+"/kubectl-oidc_login", "#!/bin/sh\n")
			if err := os.Chmod(folder+"/kubectl-oidc_login", 0o755); err != nil {
				t.Fatal(err)
			}
			w.Path = folder + ":" + w.Path
		}, finding: "kubectl finds another program first"},
	} {
		sick := healthy
		sick.Environment = append([]string(nil), computer.Environment...)
		if fault.change != nil {
			fault.change(&sick)
		}
		if fault.old != "" && !strings.Contains(kubeconfig, fault.old) {
			t.Fatalf("%s: the kubeconfig has no %q:\n%s", name, fault.old, kubeconfig)
		}
		sick.kubeconfigFile = filepath.Join(t.TempDir(), "kubeconfig")
		writeFile(t, sick.kubeconfigFile, strings.Replace(kubeconfig, fault.old, fault.new, 1))
		names(t, name, sick.Plugin(t, "doctor"), fault.finding)
	}

	taken, err := net.Listen("tcp", listenAddress)
	if err != nil {
		t.Fatal(err)
	}
	names(t, "a port that is taken", healthy.Plugin(t, "doctor"), "error    port: No port is free")
	_ = taken.Close()

	cache := filepath.Join(computer.Home, ".kube", "cache", "oidc-login")
	if err := os.Chmod(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	names(t, "files for everybody", healthy.Plugin(t, "doctor"), "error    files: Others can read")
	if err := os.Chmod(cache, 0o700); err != nil {
		t.Fatal(err)
	}

	apiServer.Authenticate(t, strings.Replace(configuration, ClientID, "somebody-else", 1))
	eventually(t, 2*time.Minute, "the API server to refuse the audience", func() error {
		output := healthy.Plugin(t, "doctor")
		if !regexp.MustCompile("error +cluster: the API server does not take the token").MatchString(output.Stdout) ||
			!strings.Contains(output.Stdout, "audience") {
			return errors.New(output.String())
		}
		return nil
	})
	apiServer.Authenticate(t, configuration)
	eventually(t, 2*time.Minute, "the API server to take the token again", func() error { return healthy.Plugin(t, "doctor").failure() })
}

func names(t *testing.T, fault string, output Output, finding string) {
	t.Helper()
	if !regexp.MustCompile(finding).MatchString(output.Stdout) {
		t.Errorf("doctor does not find %s (%q): %s", fault, finding, output)
	}
}
