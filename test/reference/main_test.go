package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/reference says what the commands say.
func TestReference(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "docs", "reference")
	pages, err := makePages()
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 9 {
		t.Errorf("there are %d pages", len(pages))
	}
	for name, page := range pages {
		if text, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(text) != page {
			t.Errorf("docs/reference/%s is not what the command says (%v); run: make docs", name, err)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if pages[file.Name()] == "" {
			t.Errorf("docs/reference/%s is of no command", file.Name())
		}
	}
}

// Every command shows how it is used, as people type it.
func TestExamples(t *testing.T) {
	t.Parallel()
	pages, err := makePages()
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range pages {
		if name == "README.md" {
			continue
		}
		title, _, _ := strings.Cut(strings.TrimPrefix(page, "# kubectl oidc-login "), "\n")
		_, examples, found := strings.Cut(page, "\nExamples:\n")
		examples, _, _ = strings.Cut(examples, "\n\n")
		if !found || !strings.Contains(examples, "  kubectl oidc-login "+title) {
			t.Errorf("%s has no example that begins with kubectl oidc-login:\n%s", name, examples)
		}
		if regexp.MustCompile(`\btype (string|int|stringArray|strings)\b| (string|strings|stringArray) {2,}`).MatchString(page) {
			t.Errorf("%s names a flag's value by its type in Go", name)
		}
	}
}
