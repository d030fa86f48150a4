package cli

import (
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// What a stranger wrote moves no cursor and turns no text around, and a message is one line.
func FuzzOneLine(f *testing.F) {
	f.Add("plain é 漢")
	f.Add("\x1b[31mred\x07\r\n\t\x00")
	f.Add("right\u202eleft\u2066\u200b")
	f.Add("\x9b31m broken \xff utf-8")
	f.Add("\n\n one \n two \n")
	f.Fuzz(func(t *testing.T, text string) {
		commands := func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
		line := oneLine(text)
		if strings.ContainsFunc(line, commands) || !utf8.ValidString(line) {
			t.Errorf("a terminal would obey %q", line)
		}
		block := harmless(text)
		if strings.ContainsFunc(strings.ReplaceAll(block, "\n", ""), commands) || !utf8.ValidString(block) {
			t.Errorf("a terminal would obey %q", block)
		}
		if strings.Count(block, "\n") != strings.Count(text, "\n") {
			t.Errorf("lines were lost: %q", block)
		}
		strange := func(r rune) bool { return !unicode.IsPrint(r) }
		if utf8.ValidString(text) && !strings.ContainsFunc(text, strange) && line != strings.TrimSpace(text) {
			t.Errorf("%q became %q", text, line)
		}
	})
}

func hostileWords() []string {
	return []string{
		"", "plain", "--flag=value", "two words", "$HOME", "`id`", "$(id)", "it's", "'", "''", `\`, `\'`, `"`, "a;b", "a&b", "a|b",
		"~", "*", "?", "[a]", "{a,b}", "!", "#", "a\nb", "\t", "é 漢", "\xff", "=ls", "%1", "--a=%b%", `a b\`, "“”", "-a.b",
	}
}

// A word that is quoted is that word again for the shell, and never more than one.
func FuzzQuote(f *testing.F) {
	for _, word := range hostileWords() {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		quoted := quoteFor("linux", word)
		words, err := readWords(quoted + " " + quoted)
		if err != nil || len(words) != 2 || words[0] != word || words[1] != word {
			t.Errorf("%q was quoted as %s, which reads as %q, %v", word, quoted, words, err)
		}
		// On Windows it is that word, or one to be replaced by hand.
		quoted = quoteFor("windows", word)
		if !safeOnWindows.MatchString(quoted) {
			t.Errorf("%q was quoted as %s", word, quoted)
		}
		if got := strings.Trim(quoted, `"`); got != word && !strings.HasSuffix(got, "VALUE") {
			t.Errorf("%q became %s", word, quoted)
		}
	})
}

// safeOnWindows is what cmd.exe and PowerShell both read as one word: without quotes nothing that means anything to either,
// and between double quotes nothing that means something there, nor a backslash before the last quote.
// (https://learn.microsoft.com/en-us/powershell/module/microsoft.powershell.core/about/about_quoting_rules,
// https://learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments)
var safeOnWindows = regexp.MustCompile(`^((--|[A-Za-z0-9])[-A-Za-z0-9_./:=+\\]*|"[^\x00-\x1f\x7f"%$` + "`" + `!“”„‟＂]*[^\x00-\x1f\x7f"%$` + "`" + `!“”„‟＂\\]")$`)

func TestQuoteForWindows(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"plain":                         "plain",
		"--context=a.b/c:d":             "--context=a.b/c:d",
		`C:\bin\`:                       `C:\bin\`,
		`C:\Program Files\x.exe`:        `"C:\Program Files\x.exe"`,
		`C:\Program Files\`:             "VALUE",
		"--user=a&calc":                 `"--user=a&calc"`,
		"--user=a,b":                    `"--user=a,b"`,
		"--user=it's":                   `"--user=it's"`,
		"--user=Jürgen":                 `"--user=Jürgen"`,
		"--user=%PATH%":                 "--user=VALUE",
		"--user=$(calc)":                "--user=VALUE",
		"--user=a`nb":                   "--user=VALUE",
		`--user=a" & calc & "`:          "--user=VALUE",
		"--user=a\nb":                   "--user=VALUE",
		"--user=a” ; calc":              "--user=VALUE",
		"--user=!x!":                    "--user=VALUE",
		"--us$er=a$":                    "VALUE",
		"-a.b":                          `"-a.b"`,
		"@a":                            `"@a"`,
		"":                              "VALUE",
		"--oidc-extra-scope=\u202egpj.": "--oidc-extra-scope=VALUE",
	} {
		if got := quoteFor("windows", word); got != want {
			t.Errorf("%q: expected %s, got %s", word, want, got)
		}
	}
}

// readWords reads the part of the shell's language that is safe without thought: single quotes, an escaped single quote,
// and characters that mean nothing anywhere
// (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02).
func readWords(line string) ([]string, error) {
	var words []string
	for line != "" {
		var word strings.Builder
		for line != "" && line[0] != ' ' {
			switch {
			case line[0] == '\'':
				text, rest, closed := strings.Cut(line[1:], "'")
				if !closed {
					return nil, errors.New("an open quote")
				}
				word.WriteString(text)
				line = rest
			case strings.HasPrefix(line, `\'`):
				word.WriteByte('\'')
				line = line[2:]
			case strings.IndexByte("|&;<>()$`\\\"\t\n*?[]#~!{}", line[0]) < 0 && line[0] > ' ' && line[0] < 0x7f:
				word.WriteByte(line[0])
				line = line[1:]
			default:
				return nil, errors.New("a bare special character")
			}
		}
		words = append(words, word.String())
		line = strings.TrimPrefix(line, " ")
	}
	return words, nil
}

// The same with a real shell.
func TestQuoteForTheShell(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("this machine has no POSIX shell")
	}
	for _, word := range hostileWords() {
		output, err := exec.Command(shell, "-c", "printf %s. "+quoteFor("linux", word)).Output()
		if err != nil || string(output) != word+"." {
			t.Errorf("the shell reads %s as %q, %v", quoteFor("linux", word), output, err)
		}
	}
}
