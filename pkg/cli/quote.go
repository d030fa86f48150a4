package cli

import (
	"runtime"
	"strings"
	"unicode"
)

// quote makes a word for a command that a person may paste into a shell of this system.
func quote(word string) string { return quoteFor(runtime.GOOS, word) }

func quoteAll(words []string) string {
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, quote(word))
	}
	return strings.Join(quoted, " ")
}

// quoteFor makes a word that the shells of a system read as one word. Everywhere but on Windows they read it as it is.
func quoteFor(system, word string) string {
	if system == "windows" {
		return quoteForWindows(word)
	}
	return quoteForPOSIX(word)
}

func quoteForPOSIX(word string) string {
	if word != "" && strings.TrimFunc(word, isPlain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// isPlain recognises characters that mean nothing to a POSIX shell.
func isPlain(r rune) bool { return isAlphanumeric(r) || strings.ContainsRune("-_./:=,@+%", r) }

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// standIn takes the place of a value that the person has to type.
const standIn = "VALUE"

// quoteForWindows makes a word that cmd.exe and PowerShell read alike, since nobody knows into which it is pasted. Both know
// double quotes alone, and neither a way to escape in them that the other takes. Where a word has characters in it that
// mean something even there, the person is shown where it belongs.
func quoteForWindows(word string) string {
	if strings.TrimFunc(word, isPlainForWindows) == "" && (strings.HasPrefix(word, "--") || strings.IndexFunc(word, isAlphanumeric) == 0) {
		return word
	}
	if word != "" && strings.TrimFunc(word, isQuotableForWindows) == "" && !strings.HasSuffix(word, `\`) {
		return `"` + word + `"`
	}
	if flag, _, hasValue := strings.Cut(word, "="); hasValue && strings.HasPrefix(flag, "--") && strings.TrimFunc(flag, isPlainForWindows) == "" {
		return flag + "=" + standIn
	}
	return standIn
}

// isPlainForWindows leaves out the comma and the at sign, which make lists in PowerShell.
func isPlainForWindows(r rune) bool { return isAlphanumeric(r) || strings.ContainsRune(`-_./:=+\`, r) }

// isQuotableForWindows recognises characters that mean nothing between double quotes. Of other writing systems it takes
// letters alone: PowerShell takes curly quotes for quotes, and older programs are given what looks similar.
func isQuotableForWindows(r rune) bool {
	if r <= unicode.MaxASCII {
		return r >= ' ' && r < 0x7f && !strings.ContainsRune("\"%$`!", r)
	}
	return r != unicode.ReplacementChar && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
}
