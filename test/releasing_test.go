package test

import (
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const releaseWorkflow = ".github/workflows/release.yml"

// A release is a draft until all of it is there, signed and attested. Publishing is the last that the job does, so that whatever
// fails can be run again.
func TestReleaseIsPublishedLast(t *testing.T) {
	t.Parallel()
	job := parseWorkflow(t, releaseWorkflow, readPage(t, releaseWorkflow)).Jobs["release"]
	want := []string{"test/release/check", "cosign verify", "make release", "dist/checksums.txt", "dist/digests.txt", "--draft=false"}
	for _, step := range job.Steps {
		checksums, _ := step.With["subject-checksums"].(string)
		if len(want) > 0 && strings.Contains(step.Run+checksums, want[0]) {
			want = want[1:]
		}
	}
	if len(want) > 0 {
		t.Errorf("the job release has no %q, or not in this order", want)
	}
	if last := job.Steps[len(job.Steps)-1].Run; !strings.Contains(last, "--draft=false") {
		t.Errorf("after it is published, the job release still does: %s", last)
	}

	var configuration struct {
		Release struct {
			Draft                    bool `yaml:"draft"`
			UseExistingDraft         bool `yaml:"use_existing_draft"`
			ReplaceExistingArtifacts bool `yaml:"replace_existing_artifacts"`
		} `yaml:"release"`
		Scoops []struct {
			SkipUpload string `yaml:"skip_upload"`
		} `yaml:"scoops"`
	}
	if err := yaml.Unmarshal([]byte(readPage(t, ".goreleaser.yaml")), &configuration); err != nil {
		t.Fatal(err)
	}
	if release := configuration.Release; !release.Draft || !release.UseExistingDraft || !release.ReplaceExistingArtifacts {
		t.Errorf("goreleaser publishes, or cannot run again: %+v", release)
	}
	for _, bucket := range configuration.Scoops {
		if bucket.SkipUpload != "true" {
			t.Error("goreleaser tells Scoop of a release that is not published")
		}
	}
}

// The token for other repositories is read by one script of ours, not by the programs of others that build a release.
func TestTokenForPackagesIsKeptApart(t *testing.T) {
	t.Parallel()
	before, packages, found := strings.Cut(readPage(t, releaseWorkflow), "\n  packages:\n")
	if !found || strings.Contains(before, "PACKAGES_TOKEN") {
		t.Error("the job packages is not the only one that has the token")
	}
	if !strings.Contains(packages, "if: ${{ !contains(github.ref_name, '-') }}") {
		t.Error("candidates are offered by package managers")
	}
	for path, text := range readWorkflows(t) {
		if path != releaseWorkflow && strings.Contains(text, "PACKAGES_TOKEN") {
			t.Errorf("%s has the token, too", path)
		}
	}
}

// The page for maintainers names each environment, secret and repository that a release needs.
func TestReleasingNamesWhatIsNeeded(t *testing.T) {
	t.Parallel()
	page, text := readPage(t, "docs/releasing.md"), readPage(t, releaseWorkflow)
	needed := []string{}
	for _, match := range regexp.MustCompile(`environment: (\w+)|secrets\.(\w+)`).FindAllStringSubmatch(text, -1) {
		if name := match[1] + match[2]; name != "GITHUB_TOKEN" { // GitHub gives it to each run
			needed = append(needed, name)
		}
	}
	repositories := regexp.MustCompile(`for repository in (.*);`).FindStringSubmatch(readPage(t, "test/release/publish"))
	if repositories == nil || len(needed) == 0 {
		t.Fatal("nothing is needed")
	}
	for _, name := range append(needed, strings.Fields(repositories[1])...) {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/releasing.md does not name `%s`", name)
		}
	}
}
