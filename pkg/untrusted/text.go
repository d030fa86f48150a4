package untrusted

import (
	"fmt"
	"strings"
	"unicode"
)

// Printable makes a text fit for a line of a terminal: harmless, and cut at 300 characters, a length that still tells.
func Printable(text string) string {
	const longest = 300
	text = Harmless(text)
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "..."
	}
	return text
}

// Harmless drops what a terminal would obey, line feeds among it, and what is no UTF-8. It cuts nothing.
func Harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if IsObeyed(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
}

// IsObeyed reports whether a terminal would do something else than show a character: it is a control character, or it is for
// formatting, as those are that turn the writing direction.
func IsObeyed(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// Quoted shows a text as Go would write it, printable.
func Quoted(text string) string { return fmt.Sprintf("%q", Printable(text)) }

// QuotedList shows texts, the first ten of many, and how many more there are.
func QuotedList(texts []string) string {
	const most = 10
	if len(texts) == 0 {
		return "none"
	}
	var shown []string
	for _, text := range texts[:min(len(texts), most)] {
		shown = append(shown, Quoted(text))
	}
	if more := len(texts) - most; more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(shown, ", ")
}
