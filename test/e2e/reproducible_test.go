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
	// Not in parallel: it takes both processors, and other tests have people who wait.
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(t.TempDir(), "first")
	second := filepath.Join(t.TempDir(), "another", "folder")
	checksums := [2]string{}
	for i, clone := range []struct{ folder, environment string }{
		{first, "TZ=UTC"},
		{second, "GOCACHE=" + t.TempDir()}, // with nothing that was built before
	} {
		runGit(t, ".", "clone", "--quiet", "file://"+repository, clone.folder)
		runGit(t, clone.folder, "tag", "v1.2.3")
		checksums[i] = buildRelease(t, clone.folder, clone.environment)
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

// buildRelease builds all that a release has for two platforms, and returns the checksums of it.
func buildRelease(t *testing.T, folder, environment string) string {
	t.Helper()
	configuration, err := os.ReadFile(filepath.Join(folder, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	twoTargets := regexp.MustCompile(`(?m)^  targets:\n(  - .*\n)+`).ReplaceAll(configuration,
		[]byte("  targets: [linux_"+runtime.GOARCH+", windows_amd64]\n"))
	configurationFile := filepath.Join(t.TempDir(), "goreleaser.yaml") // beside the clone, which stays as it was committed
	writeFile(t, configurationFile, string(twoTargets))
	build := exec.Command("make", "release-files", "GORELEASER_FLAGS=--config="+configurationFile)
	build.Dir = folder
	build.Env = append(os.Environ(), "TZ=Pacific/Chatham", environment)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, output)
	}
	checksums, err := os.ReadFile(filepath.Join(folder, "dist", "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(checksums)
}
