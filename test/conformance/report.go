package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// fewestProven guards against a run that forgets packages.
const fewestProven = 150

type verdict string

const (
	pass          verdict = "pass"
	fail          verdict = "fail"
	notApplicable verdict = "not applicable"
	unproven      verdict = "no proof"
)

// judged is a requirement with its verdict.
type judged struct {
	requirements.Row
	verdict verdict
	proofs  []test // sorted
}

// group is a section of requirements with their verdicts.
type group struct {
	title string
	rows  []judged
}

// report is what a run shows about all requirements.
type report struct {
	groups []group
	results
	unknown []string // claimed, but not in the list
	skipped []test   // claim requirements
}

func judge(sections []requirements.Section, results results) *report {
	r := &report{results: results}
	proofs := r.proofs()
	for _, section := range sections {
		g := group{title: section.Title}
		for _, row := range section.Rows {
			g.rows = append(g.rows, judgeRow(row, proofs[row.ID], results.outcomes))
			delete(proofs, row.ID)
		}
		r.groups = append(r.groups, g)
	}
	r.unknown = slices.Sorted(maps.Keys(proofs))
	return r
}

// proofs are the tests that claim each requirement and were not skipped.
func (r *report) proofs() map[string][]test {
	proofs := map[string][]test{}
	for _, claimant := range slices.SortedFunc(maps.Keys(r.claims), compare) {
		if r.outcomes[claimant] == "skip" {
			r.skipped = append(r.skipped, claimant)
			continue
		}
		for _, id := range slices.Compact(slices.Sorted(slices.Values(r.claims[claimant]))) {
			proofs[id] = append(proofs[id], claimant)
		}
	}
	return proofs
}

func compare(a, b test) int {
	return strings.Compare(a.pkg+" "+a.name, b.pkg+" "+b.name)
}

func judgeRow(row requirements.Row, proofs []test, outcomes map[test]string) judged {
	j := judged{Row: row, proofs: proofs, verdict: pass}
	switch {
	case slices.ContainsFunc(proofs, func(proof test) bool { return outcomes[proof] != "pass" }):
		j.verdict = fail
	case len(proofs) > 0:
	case row.NotApplicable != "":
		j.verdict = notApplicable
	default:
		j.verdict = unproven
	}
	return j
}

// with returns the requirements of a verdict.
func (r *report) with(verdict verdict) []judged {
	var found []judged
	for _, group := range r.groups {
		for _, row := range group.rows {
			if row.verdict == verdict {
				found = append(found, row)
			}
		}
	}
	return found
}

// contradictions are requirements that have both a proof and a reason not to apply.
func (r *report) contradictions() []judged {
	var found []judged
	for _, row := range append(r.with(pass), r.with(fail)...) {
		if row.NotApplicable != "" {
			found = append(found, row)
		}
	}
	return found
}

// problems returns all that is wrong, or nil.
func (r *report) problems() error {
	var all []error
	add := func(wrong bool, format string, arguments ...any) {
		if wrong {
			all = append(all, fmt.Errorf(format, arguments...))
		}
	}
	add(len(r.failed) > 0, "packages failed: %s", strings.Join(slices.Compact(slices.Sorted(slices.Values(r.failed))), ", "))
	add(len(r.failed) == 0 && r.passed == 0, "no test was run; pipe the output of go test -json in")
	add(len(r.with(fail)) > 0, "requirements failed: %s", names(r.with(fail)))
	add(len(r.skipped) > 0, "tests claim requirements, but were skipped: %s", testNames(r.skipped))
	add(len(r.unknown) > 0, "tests claim requirements that are not in the list: %s", strings.Join(r.unknown, " "))
	add(len(r.contradictions()) > 0, "requirements are proven and said not to apply: %s", names(r.contradictions()))
	add(len(r.with(unproven)) > 0, "requirements without proof or reason: %s", names(r.with(unproven)))
	proven := len(r.with(pass))
	add(proven < fewestProven, "expected at least %d proven requirements, got %d", fewestProven, proven)
	return errors.Join(all...)
}

func names(rows []judged) string {
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	return strings.Join(ids, " ")
}

func testNames(tests []test) string {
	var all []string
	for _, t := range tests {
		all = append(all, t.pkg+" "+t.name)
	}
	return strings.Join(all, ", ")
}

func (r *report) summary() string {
	return fmt.Sprintf("conformance: %d pass, %d fail, %d not applicable, %d without proof",
		len(r.with(pass)), len(r.with(fail)), len(r.with(notApplicable)), len(r.with(unproven)))
}
