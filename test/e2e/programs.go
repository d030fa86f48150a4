package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programs are what the tests of this package run. TestMain sets it, once.
var programs Programs

// Programs are the absolute paths of the programs that the tests run.
type Programs struct {
	Plugin string // the product, kubectl-oidc_login

	// Built from source by servers/build.
	APIServer string
	Etcd      string
	Dex       string
	Zitadel   string
	Kubectl   string
	Krew      string
	Validator string // krew's, of manifests

	// Installed from Debian's packages.
	Chromium           string
	DBusDaemon         string
	KeyringDaemon      string
	SecretTool         string
	Wine               string
	WineServer         string
	SetArch            string
	CompilerForWindows string // of C
}

// PreparePrograms builds the product into the folder, and the servers into a cache, and finds everything else.
func PreparePrograms(folder string) (Programs, error) {
	var prepared Programs
	if err := prepared.findInstalled(); err != nil {
		return Programs{}, err
	}
	if err := prepared.buildServers(); err != nil {
		return Programs{}, err
	}
	if err := prepared.buildPlugin(folder); err != nil {
		return Programs{}, err
	}
	return prepared, nil
}

func (p *Programs) findInstalled() error {
	var missing []string
	for _, program := range []struct {
		path                *string
		name, debianPackage string
	}{
		{&p.Chromium, "chromium", "chromium"},
		{&p.DBusDaemon, "dbus-daemon", "dbus"},
		{&p.KeyringDaemon, "gnome-keyring-daemon", "gnome-keyring"},
		{&p.SecretTool, "secret-tool", "libsecret-tools"},
		{&p.Wine, "/usr/lib/wine/wine64", "wine64"}, // Debian does not put these into PATH
		{&p.WineServer, "/usr/lib/wine/wineserver64", "wine64"},
		{&p.SetArch, "setarch", "util-linux"},
		{&p.CompilerForWindows, "x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64"},
	} {
		path, err := exec.LookPath(program.name)
		if err != nil {
			missing = append(missing, program.debianPackage)
		}
		*program.path = path
	}
	if len(missing) > 0 {
		return fmt.Errorf("the end-to-end tests need more programs; run: apt-get install --no-install-recommends %s",
			strings.Join(missing, " "))
	}
	return nil
}

func (p *Programs) buildServers() error {
	build := exec.Command("servers/build")
	build.Stderr = os.Stderr // a first build takes minutes: show what it does
	output, err := build.Output()
	if err != nil {
		return fmt.Errorf("servers/build: %w", err)
	}
	folder := strings.TrimSpace(string(output))
	p.APIServer = filepath.Join(folder, "kube-apiserver")
	p.Etcd = filepath.Join(folder, "etcd")
	p.Dex = filepath.Join(folder, "dex")
	p.Zitadel = filepath.Join(folder, "zitadel")
	p.Kubectl = filepath.Join(folder, "kubectl")
	p.Krew = filepath.Join(folder, "krew")
	p.Validator = filepath.Join(folder, "validate-krew-manifest")
	return nil
}

func (p *Programs) buildPlugin(folder string) error {
	p.Plugin = filepath.Join(folder, "kubectl-oidc_login")
	build := exec.Command("go", "build", "-trimpath", "-o", p.Plugin, "./cmd/kubectl-oidc_login")
	build.Dir = "../.."
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", build, err, output)
	}
	return nil
}
