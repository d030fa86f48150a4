package untrusted

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain é 漢":                   "plain é 漢",
		"\x1b[31mred\x07\r\n\t\x00":   "[31mred",
		"right\u202eleft\u2066\u200b": "rightleft",
		"\u009b31m":                   "31m",
		"broken \xff utf-8":           "broken  utf-8",
		strings.Repeat("x", 400):      strings.Repeat("x", 300) + "...",
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: expected %q, got %q", text, want, got)
		}
	}
}

func TestQuotedList(t *testing.T) {
	t.Parallel()
	many := strings.Fields(strings.Repeat("x ", 12))
	for want, texts := range map[string][]string{
		"none":                  nil,
		`"a"`:                   {"a"},
		`"a\", \"b", "[31mred"`: {`a", "b`, "\x1b[31mred"},
		strings.Repeat(`"x", `, 10) + "and 2 more": many,
	} {
		if got := QuotedList(texts); got != want {
			t.Errorf("%q: expected %s, got %s", texts, want, got)
		}
	}
}

// What a stranger's text becomes has nothing that a terminal obeys, and an end.
func FuzzPrintable(f *testing.F) {
	requirements.Covers(f, "OUT-04")
	f.Add("plain é 漢")
	f.Add("\x1b[31mred\x07\r\n\t\x00")
	f.Add("right\u202eleft\u2066\u200b")
	f.Add("\u009b31m broken \xff utf-8 \ufffd")
	f.Add(strings.Repeat("é", 400))
	f.Fuzz(func(t *testing.T, text string) {
		got := Printable(text)
		if strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			t.Errorf("a terminal would obey %q", got)
		}
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 303 {
			t.Errorf("not a short text: %q", got)
		}
		if again := Printable(got); again != got && !strings.HasSuffix(got, "...") {
			t.Errorf("%q became %q the second time", got, again)
		}
	})
}
