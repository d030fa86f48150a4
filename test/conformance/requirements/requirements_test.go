package requirements

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestAll(t *testing.T) {
	t.Parallel()
	sections, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range sections {
		if section.Title == "" || len(section.Rows) == 0 {
			t.Errorf("the section %q is not complete", section.Title)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := parse("# First\nA-1\tRFC 1\tMUST\tdo it\t\nA-2\tRFC 1\tMAY (ours)\tdo that\tnot yet\n# Second\nB-1\tx\tSHOULD\ty\t\n")
	want := []Section{
		{"First", []Row{{"A-1", "RFC 1", "MUST", "do it", ""}, {"A-2", "RFC 1", "MAY (ours)", "do that", "not yet"}}},
		{"Second", []Row{{"B-1", "x", "SHOULD", "y", ""}}},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("expected %v, got %v, %v", want, got, err)
	}
	for text, problem := range map[string]string{
		"# S\nA-1\tRFC 1\tMUST\tdo it\n":                                    "line 2: expected 5 columns, got 4",
		"# S\nA-1\tRFC 1\tOUGHT\tdo it\t\n":                                 `unknown strength "OUGHT"`,
		"# S\nA-1\tRFC 1\tMUST\t\t\n":                                       "is not complete",
		"# S\nA 1\tRFC 1\tMUST\tdo it\t\n":                                  "is not complete",
		"A-1\tRFC 1\tMUST\tdo it\t\n":                                       "before the first section",
		"# S\nA-1\tRFC 1\tMUST\tdo it\t\nA-1\tRFC 1\tMUST\tdo it again\t\n": "A-1 is there twice",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q: expected %q, got %v", text, problem, err)
		}
	}
}

// recorder is a test that writes down what is said to it.
type recorder struct{ said []string }

func (r *recorder) Helper()                {}
func (r *recorder) Attr(key, value string) { r.said = append(r.said, key+"="+value) }
func (r *recorder) Fatal(arguments ...any) { r.said = append(r.said, fmt.Sprint(arguments...)) }

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		ids  []string
		said string
	}{
		{[]string{"IDT-06", "IDT-07"}, "covers=IDT-06 IDT-07"},
		{[]string{"IDT-06", "NONE-1"}, `there is no requirement "NONE-1"`},
		{nil, "no requirement is named"},
	} {
		var recorder recorder
		Covers(&recorder, test.ids...)
		if !slices.Equal(recorder.said, []string{test.said}) {
			t.Errorf("%v: expected %q, got %q", test.ids, test.said, recorder.said)
		}
	}
}
