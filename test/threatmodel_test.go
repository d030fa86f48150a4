package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// Each claim of the threat model names what shows it, and that is there: a script, a Go test, or a requirement, which
// has tests of its own.
func TestThreatModel(t *testing.T) {
	t.Parallel()
	sections, err := requirements.All()
	if err != nil {
		t.Fatal(err)
	}
	proven := map[string]bool{}
	for _, section := range sections {
		for _, row := range section.Rows {
			proven[row.ID] = row.NotApplicable == ""
		}
	}
	naming := regexp.MustCompile("`[a-z/]+` \\w+|`[^`]*`|\\[.*?\\]\\(.*?\\)")
	script := regexp.MustCompile(`^\[([\w-]+)\]\(\.\./(test/testdata/[\w-]+)\.txtar\)$`)
	row, goTest := regexp.MustCompile("^`([A-Z]+-[0-9]+)`$"), regexp.MustCompile("^`([a-z/]+)` (\\w+)$")
	claims := 0
	for _, claim := range claimsOf(readPage(t, "docs/threat-model.md")) {
		claims++
		named := naming.FindAllString(claim.shownBy, -1)
		if len(named) == 0 {
			t.Errorf("%q: nothing shows it", claim.threat)
		}
		for _, name := range named {
			switch {
			case script.MatchString(name):
				path := script.FindStringSubmatch(name)
				expectFile(t, "docs/threat-model.md", path[2]+".txtar")
				if filepath.Base(path[2]) != path[1] {
					t.Errorf("%q: %s has another name", claim.threat, name)
				}
			case row.MatchString(name):
				if id := row.FindStringSubmatch(name)[1]; !proven[id] {
					t.Errorf("%q: the requirement %s is not there, or not applicable", claim.threat, id)
				}
			case goTest.MatchString(name):
				if match := goTest.FindStringSubmatch(name); !hasTest(t, match[1], match[2]) {
					t.Errorf("%q: the folder %s has no %s", claim.threat, match[1], match[2])
				}
			default:
				t.Errorf("%q: %s is neither a script, a test nor a requirement", claim.threat, name)
			}
		}
		if rest := strings.Trim(naming.ReplaceAllString(claim.shownBy, ""), " ,"); rest != "" {
			t.Errorf("%q: %q is no name of a test", claim.threat, rest)
		}
	}
	if claims == 0 {
		t.Error("there is no claim")
	}
}

type claim struct{ threat, shownBy string }

// claimsOf are the rows of the tables whose last column is "shown by".
func claimsOf(page string) []claim {
	var claims []claim
	inTable := false
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		switch {
		case !strings.HasPrefix(line, "|"):
			inTable = false
		case strings.TrimSpace(cells[len(cells)-1]) == "shown by":
			inTable = true
		case inTable && !strings.HasPrefix(line, "|-"):
			claims = append(claims, claim{strings.TrimSpace(cells[0]), cells[len(cells)-1]})
		}
	}
	return claims
}

// hasTest reports whether a folder has a test, or a fuzz target, of this name, on whatever system.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			isTest := strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz")
			if ok && isTest && function.Recv == nil && function.Name.Name == name {
				return true
			}
		}
	}
	return false
}
