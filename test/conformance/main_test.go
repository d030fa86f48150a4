package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// many is one row more than must be proven; IT-1 to IT-150 are.
func many(more ...requirements.Row) []requirements.Section {
	section := requirements.Section{Title: "Many"}
	for number := range fewestProven {
		section.Rows = append(section.Rows, row(fmt.Sprintf("IT-%d", number+1), ""))
	}
	return []requirements.Section{section, {Title: "More", Rows: more}}
}

func row(id, notApplicable string) requirements.Row {
	return requirements.Row{ID: id, Source: "RFC 1", Strength: "MUST", Text: "do a|b", NotApplicable: notApplicable}
}

// stream is a run in which TestMany proves the many rows, with other events of the same package before its end.
func stream(more ...string) string {
	claims := ""
	for number := range fewestProven {
		claims += fmt.Sprintf(" IT-%d", number+1)
	}
	lines := append([]string{
		`{"Action":"start","Package":"p"}`,
		`{"Action":"attr","Package":"p","Test":"TestMany","Key":"covers","Value":"` + claims + `"}`,
		`{"Action":"output","Package":"p","Test":"TestMany","Output":"=== RUN   TestMany\n"}`,
		`{"Action":"output","Package":"p","Test":"TestMany","Output":"--- PASS: TestMany (0.1s)\n"}`,
		`{"Action":"pass","Package":"p","Test":"TestMany"}`,
	}, more...)
	return strings.Join(append(lines,
		`{"Action":"output","Package":"p","Output":"PASS\n"}`,
		`{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}`,
		`{"Action":"pass","Package":"p"}`,
	), "\n") + "\n"
}

func claim(test, ids, outcome string) []string {
	return []string{
		`{"Action":"attr","Package":"p","Test":"` + test + `","Key":"covers","Value":"` + ids + `"}`,
		`{"Action":"` + outcome + `","Package":"p","Test":"` + test + `"}`,
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	const packageFails = `{"Action":"fail","Package":"q"}`
	for name, test := range map[string]struct {
		rows    []requirements.Row
		events  string
		problem string // empty: none
	}{
		"all is proven":           {nil, stream(), ""},
		"the rest has a reason":   {[]requirements.Row{row("B-1", "not offered")}, stream(), ""},
		"another attribute":       {nil, stream(`{"Action":"attr","Package":"p","Test":"TestMany","Key":"x","Value":"y"}`), ""},
		"a test was skipped":      {nil, stream(`{"Action":"skip","Package":"p","Test":"TestOther"}`), ""},
		"a package without tests": {nil, stream(`{"Action":"skip","Package":"q"}`), ""},
		"a row without a verdict": {
			[]requirements.Row{row("B-1", ""), row("B-2", "")}, stream(), "requirements without proof or reason: B-1 B-2",
		},
		"proof and reason": {
			[]requirements.Row{row("B-1", "not offered")}, stream(claim("TestB", "B-1", "pass")...),
			"requirements are proven and said not to apply: B-1",
		},
		"a claim without row": {nil, stream(claim("TestB", "B-9", "pass")...), "claim requirements that are not in the list: B-9"},
		"a skipped proof": {
			[]requirements.Row{row("B-1", "")}, stream(claim("TestB", "B-1", "skip")...),
			"tests claim requirements, but were skipped: p TestB",
		},
		"a failed proof beside a good one": {
			[]requirements.Row{row("B-1", "")}, stream(append(claim("TestB", "B-1", "fail"), claim("TestC", "B-1", "pass")...)...),
			"requirements failed: B-1",
		},
		"a proof that has no end": {
			[]requirements.Row{row("B-1", "")}, stream(claim("TestB", "B-1", "pause")...), "requirements failed: B-1",
		},
		"a package fails": {nil, stream(packageFails), "packages failed: q"},
		"a package does not build": {
			nil, stream(`{"Action":"build-fail","ImportPath":"q [q.test]"}`), "packages failed: q [q.test]",
		},
		"nothing was run": {nil, "", "no test was run"},
		"too few": {
			nil, strings.ReplaceAll(stream(), " IT-7 ", " "), "expected at least 150 proven requirements, got 149",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results, err := follow(strings.NewReader(test.events), &strings.Builder{})
			if err != nil {
				t.Fatal(err)
			}
			err = judge(many(test.rows...), results).problems()
			if test.problem == "" && err != nil {
				t.Errorf("expected no problem, got %v", err)
			}
			if test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)) {
				t.Errorf("expected %q, got %v", test.problem, err)
			}
		})
	}
}

// A person sees what "go test" would have printed.
func TestShown(t *testing.T) {
	t.Parallel()
	events := stream(
		`{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:1: broken\n"}`,
		`{"Action":"output","Package":"p","Test":"TestB","Output":"--- FAIL: TestB (0.1s)\n"}`,
		`{"Action":"fail","Package":"p","Test":"TestB"}`,
		`{"Action":"build-output","ImportPath":"q","Output":"q.go:1: syntax error\n"}`,
		`{"Action":"output","Package":"r","Test":"TestC","Output":"=== RUN   TestC\n"}`,
		`{"Action":"output","Package":"r","Test":"TestC","Output":"panic: test timed out\n"}`,
		`{"Action":"output","Package":"r","Output":"FAIL\tr\t9s\n"}`,
		`{"Action":"fail","Package":"r"}`,
		`words of somebody else`,
	)
	var shown strings.Builder
	if _, err := follow(strings.NewReader(events), &shown); err != nil {
		t.Fatal(err)
	}
	want := `    b_test.go:1: broken
--- FAIL: TestB (0.1s)
q.go:1: syntax error
FAIL	r	9s
panic: test timed out
words of somebody else
ok  	p	0.1s
`
	if shown.String() != want {
		t.Errorf("expected:\n%s\ngot:\n%s", want, shown.String())
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	sections := []requirements.Section{
		{Title: "First", Rows: []requirements.Row{row("A-1", ""), row("A-2", "not a|b"), row("A-3", "")}},
		{Title: "Second", Rows: []requirements.Row{row("B-1", "")}},
	}
	pkg := modulePath + "test"
	results := results{
		outcomes: map[test]string{{pkg, "TestScripts/login"}: "pass", {pkg, "TestOIDF/module"}: "pass", {pkg, "TestX/a_b"}: "pass", {"other", "TestY"}: "fail"},
		claims: map[test][]string{
			{pkg, "TestScripts/login"}: {"A-1", "A-1"}, {pkg, "TestOIDF/module"}: {"A-1"}, {pkg, "TestX/a_b"}: {"A-1"},
			{"other", "TestY"}: {"B-1"},
		},
	}
	text := judge(sections, results).markdown()
	for _, want := range []string{
		"\n| MUST | 1 | 1 | 1 | 1 |\n| all | 1 | 1 | 1 | 1 |\n",
		"\n## First\n\n| ID |",
		"| A-1 | MUST | do a\\|b | RFC 1 | pass | [module](../test/testdata/oidf/module.txtar), [login](../test/testdata/login.txtar), `test` TestX/a_b |\n",
		"| A-2 | MUST | do a\\|b | RFC 1 | not applicable: not a\\|b |  |\n",
		"| A-3 | MUST | do a\\|b | RFC 1 | no proof |  |\n",
		"\n## Second\n\n",
		"| B-1 | MUST | do a\\|b | RFC 1 | fail | `other` TestY |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

// The document is written even if something is wrong, so that it shows what.
func TestRunWritesTheDocument(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "conformance.md")
	if err := run(strings.NewReader(""), &strings.Builder{}, path); err == nil {
		t.Error("expected an error")
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), "# Conformance\n") {
		t.Errorf("got %.20q, %v", text, err)
	}
}
