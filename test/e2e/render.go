package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"text/template"
)

// render fills a YAML template. The function quote writes a string as JSON, which is YAML too.
func render(tb testing.TB, text string, data any) string {
	tb.Helper()
	quote := func(value string) (string, error) {
		quoted, err := json.Marshal(value)
		return string(quoted), err
	}
	parsed, err := template.New("").Funcs(template.FuncMap{"quote": quote}).Option("missingkey=error").Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	var rendered strings.Builder
	if err := parsed.Execute(&rendered, data); err != nil {
		tb.Fatal(err)
	}
	return rendered.String()
}
