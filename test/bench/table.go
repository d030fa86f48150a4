package main

import (
	"fmt"
	"os"
	"strings"
)

// table is what was measured, in Markdown.
type table struct {
	rows   []string
	missed []string
}

// add notes a measurement; target is what it should be, and met whether it is.
func (t *table) add(what, value, target string, met bool) {
	t.rows = append(t.rows, fmt.Sprintf("| %s | %s | %s |", what, value, target))
	if !met {
		t.missed = append(t.missed, what+": "+value)
	}
}

func (t *table) String() string {
	return "| what | measured | target |\n|---|---|---|\n" + strings.Join(t.rows, "\n") + "\n"
}

func (t *table) verdict() error {
	if len(t.missed) > 0 {
		return fmt.Errorf("targets missed: %s", strings.Join(t.missed, "; "))
	}
	return nil
}

// writeInto replaces what stands between the marks of a document.
func (t *table) writeInto(path string) error {
	const begin, end = "<!-- bench: begin -->\n", "<!-- bench: end -->"
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, foundEnd := strings.Cut(rest, end)
	if !found || !foundEnd {
		return fmt.Errorf("%s has no marks for the table", path)
	}
	return os.WriteFile(path, []byte(before+begin+t.String()+end+after), 0o600)
}
