package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each claim of the threat model names what shows it, and that is there: a script, a test, or a requirement that is met.
func TestThreatModel(t *testing.T) {
	t.Parallel()
	page := readPage(t, "docs/threat-model.md")
	conformance := readPage(t, "docs/conformance.md")
	tests := testFunctions(t)
	claims := 0
	for _, table := range strings.Split(page, "| shown by |\n")[1:] {
		for line := range strings.Lines(table) {
			if !strings.HasPrefix(line, "|") {
				break
			}
			if strings.HasPrefix(line, "|---") {
				continue
			}
			claims++
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			proofs := cells[len(cells)-1]
			found := 0
			for _, match := range regexp.MustCompile(`\b[A-Z]{3}-\d\d\b`).FindAllString(proofs, -1) {
				found++
				if !regexp.MustCompile(`(?m)^\| ` + match + ` \|.*\| pass \|`).MatchString(conformance) {
					t.Errorf("%s is not among the requirements that are met: %s", match, line)
				}
			}
			for _, match := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(proofs, -1) {
				found++
				if !tests[match[1]] {
					t.Errorf("there is no %s: %s", match[1], line)
				}
			}
			found += strings.Count(proofs, ".txtar)") // that these are there, TestDocsLinks says
			if found == 0 {
				t.Errorf("nothing shows this: %s", line)
			}
		}
	}
	if claims < 30 {
		t.Errorf("only %d claims were found", claims)
	}
}

// testFunctions are the names of all tests in the repository, those of other modules too.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(filepath.Join("..", path))
		for _, match := range function.FindAllStringSubmatch(string(text), -1) {
			found[match[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
