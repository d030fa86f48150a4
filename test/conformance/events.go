package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

// event is a line of "go test -json"; see "go doc test2json".
type event struct {
	Action     string
	Package    string
	ImportPath string // in place of Package while a package is built
	Test       string // empty for what concerns the whole package
	Output     string
	Key, Value string
}

// test names one, of all packages.
type test struct{ pkg, name string }

// results are what came of the tests.
type results struct {
	outcomes map[test]string   // "pass", "fail" or "skip"
	claims   map[test][]string // the requirements that a test says it proves
	failed   []string          // packages
	passed   int               // packages
}

// follower shows a run while it goes on.
type follower struct {
	results
	shown  io.Writer
	output map[test]*strings.Builder // of tests that have not ended
	order  []test
}

func follow(events io.Reader, shown io.Writer) (results, error) {
	f := &follower{
		results: results{outcomes: map[test]string{}, claims: map[test][]string{}},
		shown:   shown,
		output:  map[test]*strings.Builder{},
	}
	reader := bufio.NewReader(events) // lines may be long
	for {
		line, err := reader.ReadString('\n')
		if line != "" {
			f.takeLine(line)
		}
		if err == io.EOF {
			return f.results, nil
		}
		if err != nil {
			return results{}, err
		}
	}
}

// takeLine passes on what is not an event.
func (f *follower) takeLine(line string) {
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		f.show(line)
		return
	}
	f.take(e)
}

func (f *follower) take(e event) {
	of := test{e.Package, e.Test}
	switch {
	case e.Action == "attr" && e.Key == requirements.Attribute:
		f.claims[of] = append(f.claims[of], strings.Fields(e.Value)...)
	case e.Action == "build-output":
		f.show(e.Output)
	case e.Action == "build-fail":
		f.failed = append(f.failed, e.ImportPath)
	case e.Action == "output" && e.Test == "":
		if e.Output != "PASS\n" {
			f.show(e.Output)
		}
	case e.Action == "output":
		f.keep(of, e.Output)
	case e.Action == "pass" || e.Action == "fail" || e.Action == "skip":
		f.end(of, e.Action)
	}
}

func (f *follower) end(of test, outcome string) {
	if of.name != "" {
		f.outcomes[of] = outcome
		if outcome == "fail" {
			f.showKept(of)
		}
		delete(f.output, of)
		return
	}
	switch outcome {
	case "fail":
		f.failed = append(f.failed, of.pkg)
		f.showUnended(of.pkg)
	case "pass":
		f.passed++
	}
}

// showUnended shows what the tests said that were under way when their process ended.
func (f *follower) showUnended(pkg string) {
	for _, of := range f.order {
		if of.pkg == pkg && f.output[of] != nil {
			f.showKept(of)
			f.outcomes[of] = "fail"
			delete(f.output, of)
		}
	}
}

func (f *follower) keep(of test, output string) {
	if strings.HasPrefix(output, "=== ") {
		return
	}
	if f.output[of] == nil {
		f.output[of] = &strings.Builder{}
		f.order = append(f.order, of)
	}
	f.output[of].WriteString(output)
}

func (f *follower) showKept(of test) {
	if text := f.output[of]; text != nil {
		f.show(text.String())
	}
}

func (f *follower) show(text string) { _, _ = fmt.Fprint(f.shown, text) }
