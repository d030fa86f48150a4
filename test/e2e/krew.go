package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// manifestFile is the krew manifest of the release in dist.
const manifestFile = dist + "/krew-index/plugins/oidc-login.yaml"

// gitHub is where our index and our releases are.
const gitHub = "github.com:443"

// GetKubectl puts kubectl into PATH.
func (w *Workstation) GetKubectl(tb testing.TB) {
	tb.Helper()
	w.putIntoPath(tb, "kubectl", programs.Kubectl)
}

// GetKrew puts kubectl into PATH, with krew as a plugin.
func (w *Workstation) GetKrew(tb testing.TB) {
	tb.Helper()
	w.GetKubectl(tb)
	w.putIntoPath(tb, "kubectl-krew", programs.Krew)
	w.Path = filepath.Join(w.Home, ".krew", "bin") + ":" + w.Path
}

func (w *Workstation) putIntoPath(tb testing.TB, name, program string) {
	tb.Helper()
	folder := tb.TempDir()
	if err := os.Symlink(program, filepath.Join(folder, name)); err != nil {
		tb.Fatal(err)
	}
	w.Path = folder + ":" + w.Path
}

// KrewIndex is our custom index of krew, as a git repository on a server of the test, which has our own beside it.
type KrewIndex struct {
	folder string // the work tree
	served string // the repository that is served
	source string // our own repository, served too
}

// NewKrewIndex makes the index that `make krew` has written a repository.
func NewKrewIndex(tb testing.TB) *KrewIndex {
	tb.Helper()
	index := &KrewIndex{folder: filepath.Join(tb.TempDir(), "index"), served: filepath.Join(tb.TempDir(), "krew-index.git"),
		source: filepath.Join(tb.TempDir(), "source.git")}
	index.copySource(tb)
	if err := os.CopyFS(index.folder, os.DirFS(dist+"/krew-index")); err != nil {
		tb.Fatal(err)
	}
	runGit(tb, index.folder, "init", "--quiet", "--initial-branch=main")
	runGit(tb, index.folder, "init", "--quiet", "--bare", "--initial-branch=main", index.served)
	index.publish(tb)
	return index
}

// copySource copies what is checked out, without its history, which a shallow clone does not have.
func (i *KrewIndex) copySource(tb testing.TB) {
	tb.Helper()
	repository, err := filepath.Abs("../..")
	if err != nil {
		tb.Fatal(err)
	}
	runGit(tb, ".", "init", "--quiet", "--bare", "--initial-branch=main", i.source)
	runGit(tb, i.source, "fetch", "--quiet", "--depth=1", "file://"+repository, "HEAD")
	commit := runGit(tb, i.source, "commit-tree", "-m", "As it is", "FETCH_HEAD^{tree}")
	runGit(tb, i.source, "update-ref", "refs/heads/main", commit)
	runGit(tb, i.source, "update-server-info")
}

// Release gives the plugin another version.
func (i *KrewIndex) Release(tb testing.TB, version string) {
	tb.Helper()
	file := filepath.Join(i.folder, "plugins", "oidc-login.yaml")
	manifest, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	writeFile(tb, file, regexp.MustCompile(`(?m)^  version: .*$`).ReplaceAllString(string(manifest), "  version: "+version))
	i.publish(tb)
}

func (i *KrewIndex) publish(tb testing.TB) {
	tb.Helper()
	runGit(tb, i.folder, "add", "--all")
	runGit(tb, i.folder, "commit", "--quiet", "--message=A version")
	runGit(tb, i.folder, "push", "--quiet", i.served, "HEAD:main")
	runGit(tb, i.served, "update-server-info") // for servers that know nothing of git
}

// GitHub answers as github.com does for the index, for our repository, and for the files of the release, whatever its version.
func (i *KrewIndex) GitHub(tb testing.TB) http.Handler {
	tb.Helper()
	site := http.NewServeMux()
	for _, repository := range []string{"/kubectl-oidc-login/krew-index.git/", "/kubernetes-sigs/krew-index.git/"} { // krew wants its own, too
		site.Handle(repository, http.StripPrefix(repository, http.FileServer(http.Dir(i.served))))
	}
	const source = "/kubectl-oidc-login/kubectl-oidc-login.git/"
	site.Handle(source, http.StripPrefix(source, http.FileServer(http.Dir(i.source))))
	site.HandleFunc("/kubectl-oidc-login/kubectl-oidc-login/releases/download/", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(dist, path.Base(r.URL.Path)))
	})
	return site
}

// runGit returns what git prints.
func runGit(tb testing.TB, folder string, args ...string) string {
	tb.Helper()
	unsigned := []string{"-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false", "-c", "user.name=test", "-c", "user.email=test@example.com"}
	command := exec.Command("git", append(unsigned, args...)...)
	command.Dir, command.Env = folder, gitEnvironment()
	output, err := command.CombinedOutput()
	if err != nil {
		tb.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return strings.TrimSpace(string(output))
}

// gitEnvironment leaves out what git tells its hooks, which may run the tests: the repository would be the caller's.
func gitEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "GIT_") && !strings.HasPrefix(variable, "GIT_CONFIG_")
	})
}
