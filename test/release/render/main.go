// Command render fills a template with the version and the checksums of what goreleaser has built, and prints it.
//
//	go run ./test/release/render DIST TEMPLATE
//
// A template has the functions version, which returns 1.2.3, and sha256, which takes a file's name.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: render DIST TEMPLATE")
		os.Exit(2)
	}
	if err := render(os.Stdout, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

// render writes the template that is in the file, filled with what is in the folder dist.
func render(w io.Writer, dist, file string) error {
	version, err := readVersion(filepath.Join(dist, "metadata.json"))
	if err != nil {
		return err
	}
	checksums, err := readChecksums(filepath.Join(dist, "checksums.txt"))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	parsed, err := template.New(filepath.Base(file)).Funcs(template.FuncMap{
		"version": func() string { return version },
		"sha256": func(name string) (string, error) {
			if sum, ok := checksums[name]; ok {
				return sum, nil
			}
			return "", fmt.Errorf("no checksum of %s in %s", name, dist)
		},
	}).Parse(string(text))
	if err != nil {
		return err
	}
	return parsed.Execute(w, nil)
}

// readVersion reads the version from goreleaser's description of its build.
func readVersion(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var metadata struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(text, &metadata); err != nil || metadata.Version == "" {
		return "", fmt.Errorf("%s has no version (%v)", file, err)
	}
	return metadata.Version, nil
}

// readChecksums reads lines as those of sha256sum: a checksum in hex, blanks, a file's name.
func readChecksums(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	checksums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, found := strings.Cut(strings.TrimSpace(line), "  ")
		if !found {
			return nil, fmt.Errorf("%s has the line %q", file, line)
		}
		checksums[name] = sum
	}
	return checksums, nil
}
