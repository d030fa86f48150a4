package e2e

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// krew's own judge of manifests installs the plugin for each of its platforms.
func TestKrewManifest(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	internet := StartInternet(t, ca)
	internet.Add(t, gitHub, NewKrewIndex(t).GitHub(t))
	computer := NewWorkstation(t, &Keychain{})
	computer.GetKrew(t)
	// The validator starts krew without the variables that lead to the test's internet.
	folder := t.TempDir()
	script := "#!/bin/sh\nexport " + strings.Join(internet.Variables(), " ") + "\nexec " + programs.Krew + ` "$@"` + "\n"
	if err := os.WriteFile(filepath.Join(folder, "kubectl-krew"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	computer.Path = folder + ":" + computer.Path
	expectSuccess(t, computer.run(t, programs.Validator, "-manifest="+manifestFile))
}

// The archive of a release is installed as somebody does who has downloaded it, logs in, and is removed again.
func TestKrewInstallsAnArchive(t *testing.T) {
	t.Parallel()
	newcomer := newNewcomer(t)
	computer := newcomer.computer
	computer.GetKrew(t)
	internet := StartInternet(t, newcomer.apiServer.CA)
	internet.Add(t, gitHub, NewKrewIndex(t).GitHub(t))
	computer.Environment = internet.Variables()
	expectSuccess(t, computer.Kubectl(t, "krew", "update"))
	expectSuccess(t, computer.Kubectl(t, "krew", "install", "--manifest="+manifestFile,
		"--archive="+filepath.Join(dist, "kubectl-oidc_login_linux_"+runtime.GOARCH+".tar.gz")))
	version := computer.Kubectl(t, "oidc-login", "version")
	expectSuccess(t, version)
	assertContains(t, version.Stdout, "kubectl-oidc_login v", "linux/"+runtime.GOARCH)

	computer.WriteKubeconfig(t, newcomer.apiServer, ExecUser{
		APIVersion:      "client.authentication.k8s.io/v1",
		InteractiveMode: "IfAvailable",
		Command:         filepath.Join(computer.Home, ".krew", "bin", "kubectl-oidc_login"),
		Args:            newcomer.getToken,
	})
	newcomer.logsIn(t)

	expectSuccess(t, computer.Kubectl(t, "krew", "uninstall", "oidc-login"))
	if gone := computer.Kubectl(t, "oidc-login", "version"); gone.ExitCode == 0 || !strings.Contains(gone.Stderr, "unknown command") {
		t.Errorf("the plugin is there after it was removed: %s", gone)
	}
}

// A version that our index has is installed, and the next one takes its place.
func TestKrewUpgrades(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	index := NewKrewIndex(t)
	internet := StartInternet(t, ca)
	internet.Add(t, gitHub, index.GitHub(t))
	computer := NewWorkstation(t, &Keychain{})
	computer.GetKrew(t)
	computer.Environment = internet.Variables()

	expectSuccess(t, computer.Kubectl(t, "krew", "index", "add", "oidc-login", "https://github.com/kubectl-oidc-login/krew-index.git"))
	expectSuccess(t, computer.Kubectl(t, "krew", "install", "oidc-login/oidc-login"))
	expectSuccess(t, computer.Kubectl(t, "oidc-login", "version"))

	index.Release(t, "v99.0.0")
	upgrade := computer.Kubectl(t, "krew", "upgrade", "oidc-login")
	expectSuccess(t, upgrade)
	list := computer.Kubectl(t, "krew", "list")
	if _, err := filepath.EvalSymlinks(filepath.Join(computer.Home, ".krew", "bin", "kubectl-oidc_login")); err != nil {
		t.Errorf("%v: %s", err, upgrade)
	}
	info := computer.Kubectl(t, "krew", "info", "oidc-login/oidc-login")
	assertContains(t, info.Stdout, "v99.0.0")
	assertContains(t, list.Stdout, "oidc-login/oidc-login")
	expectSuccess(t, computer.Kubectl(t, "oidc-login", "version"))
}
