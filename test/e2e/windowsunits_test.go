package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// wineCannot are tests of what Windows does and wine 8 does not. docs/windows.md says so.
func wineCannot() []string {
	return []string{
		"TestDiskReplacesWhileOthersRead", // it renames over no file that is open
		"TestWriteThroughLink",            // it cannot read a symbolic link that it has made
	}
}

// TestWindowsPackages runs the product's own tests for Windows, package by package: paths, locks, files that are replaced, consoles,
// and the suite of stores on the Credential Manager.
func TestWindowsPackages(t *testing.T) {
	t.Parallel()
	computer := NewWindowsComputer(t)
	for _, program := range computer.BuildTests(t, "./plugin", "./pkg/...") {
		t.Run(program.Name, func(t *testing.T) {
			output := computer.RunTests(t, program, "-test.v", "-test.skip=^("+strings.Join(wineCannot(), "|")+")$")
			if passed := strings.Count(output, "\n--- PASS: "); passed == 0 {
				t.Errorf("no test has passed:\n%s", output)
			}
			if program.Name == "store" {
				assertContains(t, output, "--- PASS: TestSystemKeychainConformance/keyring")
			}
		})
	}
}

// TestWindowsScripts runs the scripts that need no POSIX shell and none of its programs.
func TestWindowsScripts(t *testing.T) {
	t.Parallel()
	computer := NewWindowsComputer(t)
	output := computer.RunTests(t, computer.BuildTests(t, "./test")[0], "-test.v",
		"-test.run=^TestScripts$/^("+strings.Join(scriptsWithoutShell(t), "|")+")$")
	if passed := strings.Count(output, "    --- PASS: TestScripts/"); passed != len(scriptsWithoutShell(t)) {
		t.Errorf("%d of %d scripts have passed:\n%s", passed, len(scriptsWithoutShell(t)), output)
	}
}

// scriptsWithoutShell are the names of the scripts that start no program of POSIX, but on Unix.
func scriptsWithoutShell(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../test/testdata/*.txtar")
	if err != nil || len(files) < 50 {
		t.Fatalf("scripts: %q, %v", files, err)
	}
	startsOne := regexp.MustCompile(`(?m)^(! )?exec (sh|cp|chmod|ln|touch|cat|sed|grep)\b`)
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !startsOne.Match(text) {
			names = append(names, strings.TrimSuffix(filepath.Base(file), ".txtar"))
		}
	}
	return names
}

// TestProgram is a package's tests, built for Windows.
type TestProgram struct {
	Name   string // of the package
	file   string
	folder string // of the package
}

// BuildTests builds the tests of packages of the product.
func (w *WindowsComputer) BuildTests(t *testing.T, packages ...string) []TestProgram {
	t.Helper()
	list := goForWindows(append([]string{"list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}"}, packages...)...)
	folders, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	expectRun(t, goForWindows(append([]string{"test", "-c", "-overlay=" + removalForWine(t), "-o", w.folder + "/"}, packages...)...))
	var built []TestProgram
	for _, folder := range strings.Fields(string(folders)) {
		name := filepath.Base(folder)
		built = append(built, TestProgram{name, filepath.Join(w.folder, name+".test.exe"), folder})
	}
	return built
}

// removalForWine makes tests remove their folders as Go does on older Windows, since wine 8 knows no other way. It returns a file
// for the flag -overlay.
func removalForWine(t *testing.T) string {
	t.Helper()
	goroot, err := goForWindows("env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(strings.TrimSpace(string(goroot)), "src/internal/syscall/windows/at_windows.go")
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "var TestDeleteatFallback bool", "var TestDeleteatFallback = true", 1)
	if changed == string(text) {
		t.Fatalf("%s has another shape", original)
	}
	folder := t.TempDir()
	replacement, file := filepath.Join(folder, "at_windows.go"), filepath.Join(folder, "overlay.json")
	writeFile(t, replacement, changed)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, string(overlay))
	return file
}

// RunTests runs tests in the folder of their package, and returns what they print.
func (w *WindowsComputer) RunTests(t *testing.T, program TestProgram, flags ...string) string {
	t.Helper()
	command := w.command(programs.Wine, append([]string{program.file, "-test.timeout=10m"}, flags...)...)
	command.Dir = program.folder
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program.Name, err, output)
	}
	return string(output)
}
