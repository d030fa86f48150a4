package cluster

import (
	"fmt"
	"slices"
)

// Severity says how bad a Finding is.
type Severity int

const (
	// OK is as it should be.
	OK Severity = iota
	// Note is good to know, and may be meant so.
	Note
	// Warning works, and will hurt: now and then, or once somebody abuses it.
	Warning
	// Error is what the API server refuses.
	Error
)

// String returns the word for people and programs.
func (s Severity) String() string {
	words := []string{"ok", "note", "warning", "error"}
	if int(s) < 0 || int(s) >= len(words) {
		return fmt.Sprintf("severity %d", int(s))
	}
	return words[s]
}

// MarshalText makes JSON say the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Finding is one thing that was looked at. Its texts are sentences of one line, without secrets, and harmless on a terminal.
type Finding struct {
	Severity Severity `json:"severity"`
	Subject  string   `json:"subject"` // what was looked at, such as "audience"
	Text     string   `json:"text"`
	Remedy   string   `json:"remedy,omitempty"` // what to do; may be empty
}

// Worst returns the highest severity among the findings.
func Worst(findings []Finding) Severity {
	worst := OK
	for _, finding := range findings {
		worst = max(worst, finding.Severity)
	}
	return worst
}

// found makes the list of one finding, which most rules end with.
func found(severity Severity, subject, remedy, format string, arguments ...any) []Finding {
	return []Finding{{severity, subject, fmt.Sprintf(format, arguments...), remedy}}
}

// errorsIn keeps what the API server refuses.
func errorsIn(findings []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Severity != Error })
}
