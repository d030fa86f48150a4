package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
)

// page is what a verb shows on stdout, in sections. Strangers' words in it are harmless.
type page struct {
	writer io.Writer
	begun  bool
	err    error
}

func (p *page) print(text string) {
	if p.err == nil {
		if _, err := io.WriteString(p.writer, text); err != nil {
			p.err = fmt.Errorf("cannot write to stdout: %w", err)
		}
	}
}

// section begins with a title, after an empty line.
func (p *page) section(format string, arguments ...any) {
	if p.begun {
		p.print("\n")
	}
	p.begun = true
	p.line(format, arguments...)
}

func (p *page) line(format string, arguments ...any) {
	p.print(harmless(strings.ReplaceAll(fmt.Sprintf(format, arguments...), "\n", "; ")) + "\n")
}

// block shows lines as they are to be copied.
func (p *page) block(text string) {
	for line := range strings.Lines(strings.TrimRight(harmless(text), "\n") + "\n") {
		p.print(strings.TrimRight("    "+line, " \n") + "\n")
	}
}

// findings are shown a line each: how it is, what was looked at, and below it what to do.
func (p *page) findings(findings []cluster.Finding) {
	for _, finding := range findings {
		p.finding(finding)
	}
}

func (p *page) finding(finding cluster.Finding) {
	p.print(fmt.Sprintf("  %-8s %s\n", finding.Severity, oneLine(finding.Subject+": "+finding.Text)))
	if finding.Remedy != "" {
		p.print("           -> " + oneLine(finding.Remedy) + "\n")
	}
}
