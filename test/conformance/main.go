// Command conformance reads what "go test -json" says, shows what a person wants to see of it, and writes a table of all
// requirements with the tests that prove them. It fails if a test failed, or a requirement is without a verdict.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

func main() {
	document := flag.String("write", "", "`file` to write the table to")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *document); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(events io.Reader, shown io.Writer, document string) error {
	sections, err := requirements.All()
	if err != nil {
		return err
	}
	results, err := follow(events, shown)
	if err != nil {
		return err
	}
	report := judge(sections, results)
	if document != "" {
		if err := write(document, report.markdown()); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintln(shown, report.summary())
	return report.problems()
}

// write leaves a file alone that has the text already: tests that look at it keep their cached results.
func write(path, text string) error {
	if present, err := os.ReadFile(path); err == nil && string(present) == text {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // it is for all to read
}
