package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// Whoever builds the same tag gets the same bytes: the program, the archives, the packages and the bills of materials. The
// program says that version wherever it names itself.
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
		runGit(t, ".", "clone", "--quiet", "--no-tags", "file://"+repository, clone.folder)
		runGit(t, clone.folder, "tag", "v1.2.3-rc.1") // goreleaser would take this one
		runGit(t, clone.folder, "tag", "v1.2.3")
		checksums[i] = buildRelease(t, clone.folder, "v1.2.3", clone.environment)
	}
	if checksums[0] != checksums[1] {
		t.Errorf("the same commit was built to\n%s\nand to\n%s", checksums[0], checksums[1])
	}

	built, err := filepath.Glob(filepath.Join(first, "dist", "kubectl-oidc_login_linux_*", "kubectl-oidc_login"))
	if err != nil || len(built) != 1 {
		t.Fatalf("built: %q, %v", built, err)
	}
	assertCallsItself(t, built[0], "v1.2.3")
}

// assertCallsItself asks the program for its version, and a provider whom it has met.
func assertCallsItself(t *testing.T, program, version string) {
	t.Helper()
	userAgents := make(chan string, 1)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case userAgents <- r.UserAgent():
		default:
		}
		http.NotFound(w, r)
	}))
	defer provider.Close()
	computer := NewWorkstation(t, &Keychain{})
	if said := computer.run(t, program, "version"); !strings.HasPrefix(said.Stdout, "kubectl-oidc_login "+version+" (") {
		t.Errorf("want the version %s: %s", version, said)
	}
	turnedAway := computer.run(t, program, "get-token", "--oidc-issuer-url="+provider.URL, "--oidc-client-id=test",
		"--oidc-client-secret=test", "--grant-type=client-credentials", "--token-cache-storage=none")
	select {
	case userAgent := <-userAgents:
		if userAgent != "kubectl-oidc_login/"+version {
			t.Errorf("the provider was asked by %q, want the version %s", userAgent, version)
		}
	default:
		t.Errorf("the provider was asked nothing: %s", turnedAway)
	}
}

// buildRelease builds all that the tag's release has for two platforms, as the workflow does, and returns the checksums of it. Nothing
// is signed, and nothing leaves the machine.
func buildRelease(t *testing.T, folder, tag, environment string) string {
	t.Helper()
	configuration := readFile(t, filepath.Join(folder, ".goreleaser.yaml"))
	twoTargets := regexp.MustCompile(`(?m)^  targets:\n(  - .*\n)+`).ReplaceAllString(configuration,
		"  targets: [linux_"+runtime.GOARCH+", windows_amd64]\n")
	configurationFile := filepath.Join(t.TempDir(), "goreleaser.yaml") // beside the clone, which stays as it was committed
	writeFile(t, configurationFile, twoTargets)
	build := exec.Command("make", "release-files", "GORELEASER_FLAGS=--skip=publish,sign --config="+configurationFile)
	build.Dir = folder
	build.Env = append(os.Environ(), "GORELEASER_CURRENT_TAG="+tag, "TZ=Pacific/Chatham", environment)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, output)
	}
	return readFile(t, filepath.Join(folder, "dist", "checksums.txt"))
}
