package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A workflow may do little, and runs no code of others but what it names by its hash.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	workflows, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(workflows) == 0 {
		t.Fatalf("workflows: %q, %v", workflows, err)
	}
	uses := regexp.MustCompile(`(?m)uses: *(.*)$`)
	pinned := regexp.MustCompile(`^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, path := range workflows {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range uses.FindAllStringSubmatch(string(text), -1) {
			if !pinned.MatchString(match[1]) && !strings.HasPrefix(match[1], "./") {
				t.Errorf("%s uses %s, which is not pinned", path, match[1])
			}
		}
		if !strings.Contains(string(text), "\npermissions:\n  contents: read\n") {
			t.Errorf("%s may do more than read", path)
		}
		if strings.Count(string(text), "actions/checkout@") != strings.Count(string(text), "persist-credentials: false") {
			t.Errorf("%s leaves credentials in a clone", path)
		}
		if strings.Count(string(text), "runs-on:") != strings.Count(string(text), "timeout-minutes:") {
			t.Errorf("%s has a job that may run for ever", path)
		}
	}
}
