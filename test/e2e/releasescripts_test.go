package e2e

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// test/release/check lets a tag through that can be released, and says what is in the way of any other.
func TestReleaseCheck(t *testing.T) {
	t.Parallel()
	const notPublished = "echo 'gh: Not Found (HTTP 404)' >&2; exit 1"
	const page = "# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2027-01-31\n"
	for _, tag := range []struct {
		name, changelog, readme string
		aside                   bool   // its commit is not on main
		gitHub                  string // what its program does; empty: it finds no release
		refused                 string
	}{
		{name: "v1.2.3", changelog: page},
		{name: "v1.2.4-rc.1", changelog: page, readme: "There is no release yet"},
		{name: "v1.2", changelog: page, refused: "it is no version"},
		{name: "v01.2.3", changelog: page, refused: "it is no version"},
		{name: "v1.2.3+more", changelog: page, refused: "it is no version"},
		{name: "v1.2.3", changelog: page, aside: true, refused: "not on main"},
		{name: "v1.2.4", changelog: page, refused: `no part "## 1.2.4 - YYYY-MM-DD"`},
		{name: "v1.2.3", changelog: page, readme: "There is no release yet", refused: "says: README.md"},
		{name: "v1.2.3", changelog: page, gitHub: "exit 0", refused: "it is published"},
		{name: "v1.2.3", changelog: page, gitHub: "echo 'gh: Bad Gateway (HTTP 502)' >&2; exit 1", refused: "does not say whether it is published: gh: Bad"},
		{name: "v1.2.4-rc.1", changelog: page, gitHub: "exit 0", refused: "it is published"},
	} {
		folder := t.TempDir()
		for file, text := range map[string]string{
			"test/release/check": readFile(t, "../release/check"),
			"CHANGELOG.md":       tag.changelog,
			"README.md":          tag.readme,
			"docs/install.md":    "",
			"bin/gh":             "#!/bin/sh\n" + cmp.Or(tag.gitHub, notPublished) + "\n",
		} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, file)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		runGit(t, folder, "init", "--quiet")
		commit(t, folder)
		runGit(t, folder, "update-ref", "refs/remotes/origin/main", "HEAD")
		if tag.aside {
			commit(t, folder)
		}
		check := exec.Command(filepath.Join(folder, "test/release/check"), tag.name)
		check.Env = append(gitEnvironment(), "PATH="+filepath.Join(folder, "bin")+":"+os.Getenv("PATH"))
		output, err := check.CombinedOutput()
		if refused := err != nil; refused != (tag.refused != "") || !strings.Contains(string(output), tag.refused) {
			t.Errorf("%+v: %v, %s", tag, err, output)
		}
	}
}

func commit(t *testing.T, folder string) {
	t.Helper()
	runGit(t, folder, "commit", "--quiet", "--allow-empty", "--message=A commit")
}

// test/release/publish gives each repository what is in dist, once, however often it runs.
func TestReleaseIsPublished(t *testing.T) {
	t.Parallel()
	gitHub, home := t.TempDir(), t.TempDir()
	files := map[string]string{
		"homebrew-tap": "Formula/kubectl-oidc-login.rb",
		"krew-index":   "plugins/oidc-login.yaml",
		"scoop-bucket": "bucket/kubectl-oidc-login.json",
	}
	for repository := range files {
		runGit(t, gitHub, "init", "--quiet", "--bare", "--initial-branch=main", repository+".git")
	}
	for range 2 {
		publish := exec.Command("../release/publish", "v1.2.3")
		publish.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + home, "PACKAGES_TOKEN=test", "GIT_CONFIG_COUNT=1",
			"GIT_CONFIG_KEY_0=url.file://" + gitHub + "/.insteadOf",
			"GIT_CONFIG_VALUE_0=https://x-access-token@github.com/kubectl-oidc-login/",
		}
		if output, err := publish.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
	for repository, file := range files {
		folder := filepath.Join(t.TempDir(), repository)
		runGit(t, gitHub, "clone", "--quiet", repository+".git", folder)
		if readFile(t, filepath.Join(folder, file)) != readFile(t, filepath.Join(dist, repository, file)) {
			t.Errorf("%s has another %s than dist", repository, file)
		}
		if log := runGit(t, folder, "log", "--format=%s"); log != "kubectl-oidc_login v1.2.3" {
			t.Errorf("%s has the commits %q", repository, log)
		}
	}
}
