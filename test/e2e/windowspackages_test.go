package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wineCannot are tests of what Windows does and wine 8 does not. docs/windows.md says so.
func wineCannot() []string {
	return []string{
		"TestDiskReplacesWhileOthersRead",        // it renames over no file that is open
		"TestWriteThroughLink",                   // it cannot read a symbolic link that it has made
		"TestParentArguments",                    // it tells nobody the command line of another process,
		"TestScripts$/^interactive",              // by which completion is recognised
		"TestScripts$/^storm",                    // it starts a hundred processes in ten seconds, not in one
		"TestArchitecturePicture", "TestImports", // there is no go command
		"TestHouseRules", "TestLinkedPackages", "TestTroubleshooting",
		"TestTokenForPackagesIsKeptApart", // nor a shell
	}
}

// TestWindowsPackages runs the product's own tests for Windows, package by package: paths, locks, files that are replaced, consoles,
// the suite of stores on the Credential Manager, and the scripts that Windows can run.
func TestWindowsPackages(t *testing.T) {
	t.Parallel()
	computer := NewWindowsComputer(t)
	skip := "^" + strings.Join(wineCannot(), "$|^") + "$"
	for _, program := range computer.BuildTests(t, "./plugin", "./pkg/...", "./test") {
		t.Run(program.Name, func(t *testing.T) {
			output := computer.RunTests(t, program, "-test.v", "-test.skip="+skip)
			shown := map[string]string{
				"store": "--- PASS: TestSystemKeychainConformance/keyring",
				"test":  "--- PASS: TestScripts/login-context",
			}
			assertContains(t, output, "\nPASS", "--- PASS: ", shown[program.Name])
		})
	}
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
	// A file, since a browser that was left behind would keep a pipe open.
	printed, err := os.Create(filepath.Join(t.ArtifactDir(), program.Name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer printed.Close()
	command := w.command(programs.Wine, append([]string{program.file, "-test.timeout=10m"}, flags...)...)
	command.Dir, command.Stdout, command.Stderr = program.folder, printed, printed
	failure := command.Run()
	text, err := os.ReadFile(printed.Name())
	if err != nil {
		t.Fatal(err)
	}
	if failure != nil && !isOnlyLeftBehind(string(text)) {
		t.Fatalf("%s: %v\n%s", program.Name, failure, text)
	}
	return string(text)
}

// isOnlyLeftBehind recognises tests that have passed, and then could not remove programs: under wine a process whose parent ends while
// it starts waits for ever, and its file cannot be removed.
func isOnlyLeftBehind(printed string) bool {
	_, after, passed := strings.Cut(printed, "\nPASS\n")
	return passed && strings.Contains(after, "cannot delete temporary directory") && strings.Count(after, "\n") == 1
}
