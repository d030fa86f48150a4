// Package requirements is the list of what standards, client-go and this project ask of the program, and the words with
// which a test says which of it it proves.
package requirements

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// Attribute is the key of the test attribute that names the rows a test proves.
const Attribute = "covers"

//go:embed requirements.tsv
var list string

// Section is a group of rows about one subject.
type Section struct {
	Title string
	Rows  []Row
}

// Row is one requirement.
type Row struct {
	ID            string
	Source        string
	Strength      string
	Text          string
	NotApplicable string // why, or empty
}

// All returns the requirements in their order.
func All() ([]Section, error) { return parse(list) }

// parse reads a line for each requirement, whose columns are separated by tabs, and a line "# TITLE" for each section.
func parse(list string) ([]Section, error) {
	var sections []Section
	seen := map[string]bool{}
	for number, line := range slices.Collect(strings.Lines(list)) {
		line = strings.TrimSuffix(line, "\n")
		if title, ok := strings.CutPrefix(line, "# "); ok {
			sections = append(sections, Section{Title: title})
			continue
		}
		row, err := parseRow(line)
		if err == nil && seen[row.ID] {
			err = fmt.Errorf("the requirement %s is there twice", row.ID)
		}
		if err == nil && len(sections) == 0 {
			err = fmt.Errorf("the requirement %s comes before the first section", row.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("requirements, line %d: %w", number+1, err)
		}
		seen[row.ID] = true
		last := &sections[len(sections)-1]
		last.Rows = append(last.Rows, row)
	}
	return sections, nil
}

func parseRow(line string) (Row, error) {
	columns := strings.Split(line, "\t")
	if len(columns) != 5 {
		return Row{}, fmt.Errorf("expected 5 columns, got %d", len(columns))
	}
	row := Row{columns[0], columns[1], columns[2], columns[3], columns[4]}
	if !slices.Contains([]string{"MUST", "SHOULD", "MAY", "MUST (ours)", "SHOULD (ours)", "MAY (ours)"}, row.Strength) {
		return Row{}, fmt.Errorf("unknown strength %q", row.Strength)
	}
	if row.ID == "" || row.Source == "" || row.Text == "" || strings.Contains(row.ID, " ") {
		return Row{}, fmt.Errorf("the row %q is not complete", line)
	}
	return row, nil
}
