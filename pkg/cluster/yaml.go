package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// YAML is written by hand: a library is initialised on each call of kubectl, which makes all of them slower. There are
// just the kinds of values that the documents here have.
type (
	object []member
	member struct {
		name  string // a plain word
		value any    // a string, a bool, or one of these types
	}
	list []any
	// literal is a text of whole lines, written as it is (https://yaml.org/spec/1.2.2/#812-literal-style).
	literal string
)

// document writes a YAML document.
func document(o object) string { return o.lines("") }

func (o object) lines(indent string) string {
	var out strings.Builder
	for _, member := range o {
		out.WriteString(indent + member.name + ":" + after(member.value, indent))
	}
	return out.String()
}

func (l list) lines(indent string) string {
	var out strings.Builder
	for _, item := range l {
		if object, ok := item.(object); ok { // its first member stands behind the dash
			out.WriteString(indent + "- " + strings.TrimPrefix(object.lines(indent+"  "), indent+"  "))
			continue
		}
		out.WriteString(indent + "-" + after(item, indent))
	}
	return out.String()
}

// after writes what comes after a colon or a dash, to the end of the line or of more lines.
func after(value any, indent string) string {
	switch value := value.(type) {
	case object:
		return "\n" + value.lines(indent+"  ")
	case list:
		return "\n" + value.lines(indent)
	case literal:
		var out strings.Builder
		for line := range strings.Lines(string(value)) {
			out.WriteString(indent + "  " + line)
		}
		return " |\n" + out.String()
	case bool:
		return " " + strconv.FormatBool(value) + "\n"
	case string:
		return " " + yamlString(value) + "\n"
	}
	panic(fmt.Sprintf("no YAML for %T", value))
}

// yamlString quotes all but plain words that no version of YAML takes for anything else. Go's escapes are YAML's too
// (https://yaml.org/spec/1.2.2/#57-escaped-characters).
func yamlString(text string) string {
	isLetter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	isOther := func(r rune) bool { return !isLetter(r) && !strings.ContainsRune("0123456789_-./", r) }
	// https://yaml.org/type/bool.html and https://yaml.org/type/null.html
	words := []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
	if text != "" && isLetter(rune(text[0])) && !strings.ContainsFunc(text, isOther) &&
		!slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	return strconv.Quote(text)
}

func texts(values []string) list {
	var items list
	for _, value := range values {
		items = append(items, value)
	}
	return items
}
