package main

import (
	"fmt"
	"slices"
	"strings"
)

const introduction = `# Conformance

What standards, Kubernetes and this project ask of the program, and the tests that prove it.

%s

## How to read it

- Each row is one requirement, in this project's words; the source says where it comes from.
- MUST, SHOULD and MAY are the strength that the source gives it. "(ours)" is where no standard says it, or leaves it to the
  client, and this project asks it of itself.
- *pass*: each test named in the row passed, and would fail if the program broke the requirement. *fail*: one of them
  failed. *not applicable*: the reason is in the row.
- A test is a script of [test/testdata](../test/testdata), or a function in the folder named with it.

## How it is made

` + "`make conformance`" + ` runs all tests and writes this file; do not edit it. The requirements are in
[requirements.tsv](../test/conformance/requirements/requirements.tsv). A test names the rows that it proves: a Go test with
` + "`requirements.Covers(t, \"IDT-01\")`, a script with `covers IDT-01`" + `. The run fails if a requirement has neither a passing
test nor a reason, if it has both, or if a test that names one is skipped.
`

// markdown is the whole document. It has no times in it, so that the same tests make the same text.
func (r *report) markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, introduction, r.counts())
	for _, group := range r.groups {
		fmt.Fprintf(&text, "\n## %s\n\n", group.title)
		text.WriteString("| ID | strength | what is asked | source | verdict | tests |\n|---|---|---|---|---|---|\n")
		for _, row := range group.rows {
			fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s |\n",
				row.ID, row.Strength, escape(row.Text), escape(row.Source), row.shownVerdict(), row.shownProofs())
		}
	}
	return text.String()
}

// counts is a table with a line for each strength.
func (r *report) counts() string {
	verdicts := []verdict{pass, fail, notApplicable, unproven}
	var text strings.Builder
	text.WriteString("| strength | pass | fail | not applicable | no proof |\n|---|---|---|---|---|\n")
	for _, strength := range []string{"MUST", "MUST (ours)", "SHOULD", "SHOULD (ours)", "MAY", "MAY (ours)", "all"} {
		var cells []string
		for _, verdict := range verdicts {
			rows := slices.DeleteFunc(r.with(verdict), func(row judged) bool { return strength != "all" && row.Strength != strength })
			cells = append(cells, fmt.Sprint(len(rows)))
		}
		if strings.Join(cells, "") != "0000" {
			fmt.Fprintf(&text, "| %s | %s |\n", strength, strings.Join(cells, " | "))
		}
	}
	return strings.TrimSuffix(text.String(), "\n")
}

func (j judged) shownVerdict() string {
	if j.verdict == notApplicable {
		return "not applicable: " + escape(j.NotApplicable)
	}
	return string(j.verdict)
}

func (j judged) shownProofs() string {
	var all []string
	for _, proof := range j.proofs {
		all = append(all, proof.shown())
	}
	return strings.Join(all, ", ")
}

const modulePath = "github.com/kubectl-oidc-login/kubectl-oidc-login/"

// shown is a link to a script, or the folder and name of a Go test.
func (t test) shown() string {
	folder := strings.TrimPrefix(t.pkg, modulePath)
	for runner, scripts := range map[string]string{"TestScripts/": "test/testdata", "TestOIDF/": "test/testdata/oidf"} {
		if script, ok := strings.CutPrefix(t.name, runner); ok && folder == "test" {
			return fmt.Sprintf("[%s](../%s/%s.txtar)", script, scripts, script)
		}
	}
	return "`" + folder + "` " + escape(t.name)
}

// escape keeps text in its cell of the table.
func escape(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
