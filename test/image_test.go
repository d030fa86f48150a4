package test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// The container image is built on one that nobody can exchange, and of files that goreleaser gives to the build.
func TestImageIsPinnedAndComplete(t *testing.T) {
	t.Parallel()
	var configuration struct {
		Dockers []struct {
			Dockerfile string   `yaml:"dockerfile"`
			ExtraFiles []string `yaml:"extra_files"`
		} `yaml:"dockers_v2"`
	}
	if err := yaml.Unmarshal([]byte(readPage(t, ".goreleaser.yaml")), &configuration); err != nil {
		t.Fatal(err)
	}
	if len(configuration.Dockers) != 1 {
		t.Fatalf("there are %d container images", len(configuration.Dockers))
	}
	image := configuration.Dockers[0]
	dockerfile := readPage(t, image.Dockerfile)
	bases := regexp.MustCompile(`(?m)^FROM (.*)$`).FindAllStringSubmatch(dockerfile, -1)
	if len(bases) != 1 || !regexp.MustCompile(`^[\w./-]+:\w+@sha256:[0-9a-f]{64}$`).MatchString(bases[0][1]) {
		t.Errorf("it is built on %q, want one image with its tag and its digest", bases)
	}
	copied := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^COPY (.*) \S+$`).FindAllStringSubmatch(dockerfile, -1) {
		for file := range strings.FieldsSeq(match[1]) {
			copied[file] = true
			if !strings.HasPrefix(file, "$TARGETPLATFORM/") && !slices.Contains(image.ExtraFiles, file) {
				t.Errorf("%s copies %s, which is not among extra_files", image.Dockerfile, file)
			}
		}
	}
	for _, file := range []string{"LICENSE", "bin/extras/THIRD_PARTY_LICENSES"} {
		if !copied[file] {
			t.Errorf("%s is not in the image, and what is linked asks that it goes with it", file)
		}
	}
}
