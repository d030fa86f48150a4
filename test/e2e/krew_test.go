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
	assertContains(t, version.Stdout, releasedVersion(t)+" (", "linux/"+runtime.GOARCH)

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

// releasedVersion is how the programs in dist call themselves.
func releasedVersion(t *testing.T) string {
	t.Helper()
	for _, archive := range ReleaseArtifacts(t, "Archive") {
		if archive.GoOS == "linux" && archive.GoArch == runtime.GOARCH {
			return "kubectl-oidc_login " + archive.Program(t, archive.Open(t)).Main.Version
		}
	}
	t.Fatal("dist has no archive for this machine")
	return ""
}

// A version that our index has is installed, and the next one takes its place. A kubeconfig that setup wrote before leads to it.
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
	assertContains(t, computer.Kubectl(t, "oidc-login", "version").Stdout, releasedVersion(t)+" (")
	old := installedByKrew(t, computer)
	takeOverKubeconfig(t, computer)

	index.Release(t, "v99.0.0")
	expectSuccess(t, computer.Kubectl(t, "krew", "upgrade", "oidc-login"))
	if installed := installedByKrew(t, computer); !strings.Contains(installed, "/v99.0.0/") {
		t.Errorf("after the upgrade, %s is installed", installed)
	}
	if _, err := os.Stat(old); err == nil {
		t.Errorf("%s is still there, so the kubeconfig proves nothing", old)
	}
	assertContains(t, computer.Kubectl(t, "krew", "list").Stdout, "oidc-login/oidc-login")
	expectSuccess(t, computer.Kubectl(t, "oidc-login", "version"))

	command := computer.Kubectl(t, "config", "view", "--output=jsonpath={.users[0].user.exec.command}").Stdout
	expectSuccess(t, computer.run(t, command, "version"))
	computer.Environment = append(computer.Environment, "CI=true") // where nobody is asked
	assertContains(t, computer.Kubectl(t, "get", "namespaces").Stderr, "oidc-login: error: login needed")
}

// installedByKrew is the program to which krew's link leads.
func installedByKrew(t *testing.T, computer *Workstation) string {
	t.Helper()
	program, err := filepath.EvalSymlinks(filepath.Join(computer.Home, ".krew", "bin", "kubectl-oidc_login"))
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// takeOverKubeconfig makes the computer's kubeconfig of one that an administrator has handed out.
func takeOverKubeconfig(t *testing.T, computer *Workstation) {
	t.Helper()
	handedOut := computer.Kubectl(t, "oidc-login", "setup", "--output=kubeconfig", "--cluster-server=https://cluster.example.com:6443",
		"--oidc-issuer-url=https://issuer.example.com", "--oidc-client-id=kubernetes")
	expectSuccess(t, handedOut)
	file := filepath.Join(computer.Home, "for-everybody.yaml")
	writeFile(t, file, handedOut.Stdout)
	expectSuccess(t, computer.Kubectl(t, "oidc-login", "setup", "--from="+file, "--yes"))
}
