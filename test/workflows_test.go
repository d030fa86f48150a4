package test

import (
	"go/version"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// workflow is what the rules of the house ask of a file of .github/workflows.
type workflow struct {
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]struct {
		Uses           string `yaml:"uses"`
		TimeoutMinutes int    `yaml:"timeout-minutes"`
		Steps          []struct {
			Uses string         `yaml:"uses"`
			Run  string         `yaml:"run"`
			With map[string]any `yaml:"with"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// A tag can be moved to other code, a hash cannot; the version after it is for people, and for who keeps it up to date.
func TestActionsArePinned(t *testing.T) {
	t.Parallel()
	uses := regexp.MustCompile(`(?m)^[ -]*uses:(.*)$`)
	pinned := regexp.MustCompile(`^ [\w-]+(/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	hashes := map[string]string{}
	for path, text := range readWorkflows(t) {
		for _, match := range uses.FindAllStringSubmatch(text, -1) {
			action := match[1]
			if local, ok := strings.CutPrefix(action, " ./"); ok {
				expectFile(t, path, local)
				continue
			}
			if !pinned.MatchString(action) {
				t.Errorf("%s: %q is not pinned by a hash with its version", path, action)
				continue
			}
			hash, version, _ := strings.Cut(action[strings.Index(action, "@")+1:], " # ")
			if known := hashes[hash]; known != "" && known != version {
				t.Errorf("%s: %s is called both %s and %s", path, hash, known, version)
			}
			hashes[hash] = version
		}
	}
	if len(hashes) == 0 {
		t.Error("no action was found")
	}
}

// Each workflow may read the code, and what more a job may do stands at the job. Each job has an end, and leaves no
// credential where programs that it runs could find it.
func TestWorkflowsAreFrugal(t *testing.T) {
	t.Parallel()
	for path, text := range readWorkflows(t) {
		flow := parseWorkflow(t, path, text)
		if len(flow.Permissions) != 1 || flow.Permissions["contents"] != "read" {
			t.Errorf("%s: permissions are %v, not contents: read alone", path, flow.Permissions)
		}
		for name, job := range flow.Jobs {
			if job.Uses == "" && job.TimeoutMinutes == 0 {
				t.Errorf("%s: the job %s has no timeout-minutes", path, name)
			}
			for _, step := range job.Steps {
				if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
					t.Errorf("%s: the job %s keeps credentials after the checkout", path, name)
				}
			}
		}
	}
}

// What workflows call is there.
func TestWorkflowsCallWhatExists(t *testing.T) {
	t.Parallel()
	makefile := readPage(t, "Makefile")
	target, file := regexp.MustCompile(`\bmake ([a-z-]+)`), regexp.MustCompile(`(?m)^(\.?[\w-]+/[\w./-]+)`)
	for path, text := range readWorkflows(t) {
		for _, job := range parseWorkflow(t, path, text).Jobs {
			for _, step := range job.Steps {
				for _, match := range target.FindAllStringSubmatch(step.Run, -1) {
					if !strings.Contains(makefile, "\n"+match[1]+":") {
						t.Errorf("%s calls make %s, which is not there", path, match[1])
					}
				}
				for _, match := range file.FindAllStringSubmatch(step.Run, -1) {
					expectFile(t, path, match[1])
				}
			}
		}
	}
}

// Workflows take the newest patch of one Go release, which every module of the repository can be built with. The version in a
// go.mod is an exact one for setup-go, whose environment lets the go command fetch no newer one.
func TestWorkflowsTakeTheNewestGo(t *testing.T) {
	t.Parallel()
	installed := ""
	for path, text := range readWorkflows(t) {
		for name, job := range parseWorkflow(t, path, text).Jobs {
			for _, step := range job.Steps {
				if !strings.HasPrefix(step.Uses, "actions/setup-go@") {
					continue
				}
				release, _ := step.With["go-version"].(string)
				if !regexp.MustCompile(`^1\.\d+$`).MatchString(release) || step.With["check-latest"] != true {
					t.Errorf("%s: the job %s installs Go with %v, not the newest patch of a release", path, name, step.With)
					continue
				}
				if installed == "" {
					installed = release
				}
				if release != installed {
					t.Errorf("%s: the job %s installs Go %s, and another one %s", path, name, release, installed)
				}
			}
		}
	}
	for _, module := range findModules(t) {
		line := regexp.MustCompile(`(?m)^go (.*)$`).FindStringSubmatch(readPage(t, module+"/go.mod"))
		if line == nil || version.Compare(version.Lang("go"+line[1]), "go"+installed) > 0 {
			t.Errorf("%s asks for %q, and workflows have Go %s", module, line, installed)
		}
	}
}

// Every module is kept up to date, and looked at by make lint.
func TestModulesAreKept(t *testing.T) {
	t.Parallel()
	modules := findModules(t)
	updates := readPage(t, ".github/dependabot.yml")
	variables := regexp.MustCompile(`(?m)^(?:MODULES|PROGRAMS)\s*:= (.*)$`).FindAllStringSubmatch(readPage(t, "Makefile"), -1)
	var linted []string
	for _, variable := range variables {
		linted = append(linted, strings.Fields(variable[1])...)
	}
	for _, module := range modules {
		if !strings.Contains(updates, "\n      - /"+strings.TrimPrefix(module, ".")+"\n") {
			t.Errorf("dependabot.yml does not name the module %s", module)
		}
		if !slices.Contains(linted, module) {
			t.Errorf("make lint does not look at the module %s", module)
		}
	}
	for _, module := range linted {
		if !slices.Contains(modules, module) {
			t.Errorf("make lint looks at %s, which is no module", module)
		}
	}
}

// findModules are the folders of all Go modules.
func findModules(t *testing.T) []string {
	t.Helper()
	var modules []string
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "go.mod" {
			folder, _ := filepath.Rel("..", filepath.Dir(path))
			modules = append(modules, filepath.ToSlash(folder))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return modules
}

func parseWorkflow(t *testing.T, path, text string) workflow {
	t.Helper()
	var flow workflow
	if err := yaml.Unmarshal([]byte(text), &flow); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return flow
}

func readWorkflows(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", ".github", "workflows", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no workflow was found", err)
	}
	texts := map[string]string{}
	for _, path := range paths {
		name, _ := filepath.Rel("..", path)
		texts[name] = readPage(t, name)
	}
	return texts
}

func expectFile(t *testing.T, from, path string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join("..", path)); err != nil {
		t.Errorf("%s calls %s, which is not there", from, path)
	}
}
