package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// Whoever builds the same commit gets the same bytes: the program, the archives, the packages and the bills of materials.
func TestBuildsAreReproducible(t *testing.T) {
	t.Parallel()
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(t.TempDir(), "first")
	second := filepath.Join(t.TempDir(), "another", "folder")
	checksums := [2]string{}
	for i, folder := range []string{first, second} {
		runGit(t, ".", "clone", "--quiet", "file://"+repository, folder)
		runGit(t, folder, "tag", "v1.2.3")
		checksums[i] = release(t, folder, t.TempDir()) // each with a cache of its own
	}
	if checksums[0] != checksums[1] {
		t.Errorf("the same commit was built to\n%s\nand to\n%s", checksums[0], checksums[1])
	}

	built, err := filepath.Glob(filepath.Join(first, "dist", "kubectl-oidc_login_linux_*", "kubectl-oidc_login"))
	if err != nil || len(built) != 1 {
		t.Fatalf("built: %q, %v", built, err)
	}
	version, err := exec.Command(built[0], "version").Output()
	if err != nil || !strings.HasPrefix(string(version), "kubectl-oidc_login v1.2.3 (") {
		t.Errorf("version: %q, %v", version, err)
	}
}

// release builds all that a release has for this machine's platform, and returns the checksums of it.
func release(t *testing.T, folder, cache string) string {
	t.Helper()
	configuration, err := os.ReadFile(filepath.Join(folder, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	oneTarget := regexp.MustCompile(`(?m)^  targets:\n(  - .*\n)+`).ReplaceAll(configuration,
		[]byte("  targets: [linux_"+runtime.GOARCH+"]\n"))
	configurationFile := filepath.Join(t.TempDir(), "goreleaser.yaml") // beside the clone, which stays as it was committed
	writeFile(t, configurationFile, string(oneTarget))
	build := exec.Command("make", "snapshot", "GORELEASER_FLAGS=--config="+configurationFile)
	build.Dir = folder
	build.Env = append(os.Environ(), "GOCACHE="+cache, "TZ=Pacific/Chatham", "LC_ALL=C")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, output)
	}
	checksums, err := os.ReadFile(filepath.Join(folder, "dist", "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(checksums)
}
