package cluster

import (
	"fmt"
	"strings"
	"unicode"
)

// printable makes a stranger's text fit for a terminal and a line: control characters out, cut at a length that still
// tells.
func printable(text string) string {
	const longest = 300
	text = harmless(text)
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "..."
	}
	return text
}

// harmless drops what a terminal would obey, and cuts nothing.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
}

func quoted(text string) string { return `"` + printable(text) + `"` }

// quotedList names a few of the texts, and says how many more there are.
func quotedList(texts []string) string {
	const most = 5
	if len(texts) == 0 {
		return "none"
	}
	var shown []string
	for _, text := range texts[:min(len(texts), most)] {
		shown = append(shown, quoted(text))
	}
	list := strings.Join(shown, ", ")
	if more := len(texts) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}
