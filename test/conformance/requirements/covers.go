package requirements

import (
	"errors"
	"fmt"
	"strings"
)

// Test is what Covers needs of a test.
type Test interface {
	Helper()
	Attr(key, value string)
	Fatal(arguments ...any)
}

// Covers says that the test fails if one of these requirements is broken.
func Covers(t Test, ids ...string) {
	t.Helper()
	if err := Check(ids...); err != nil {
		t.Fatal(err)
		return
	}
	t.Attr(Attribute, strings.Join(ids, " "))
}

// Check returns an error if one of the IDs is not in the list, or none is given.
func Check(ids ...string) error {
	sections, err := All()
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return errors.New("no requirement is named")
	}
	known := map[string]bool{}
	for _, section := range sections {
		for _, row := range section.Rows {
			known[row.ID] = true
		}
	}
	for _, id := range ids {
		if !known[id] {
			return fmt.Errorf("there is no requirement %q", id)
		}
	}
	return nil
}
