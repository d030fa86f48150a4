package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	t.Parallel()
	dist := t.TempDir()
	for name, text := range map[string]string{
		"metadata.json": `{"version": "1.2.3"}`,
		"checksums.txt": "aa11  a.zip\nbb22  b.tar.gz\n",
		"good":          `v{{ version }} {{ sha256 "b.tar.gz" }}`,
		"bad":           `{{ sha256 "c.tar.gz" }}`,
	} {
		if err := os.WriteFile(filepath.Join(dist, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var rendered strings.Builder
	if err := render(&rendered, dist, filepath.Join(dist, "good")); err != nil || rendered.String() != "v1.2.3 bb22" {
		t.Errorf("rendered %q, %v", rendered.String(), err)
	}
	if err := render(&rendered, dist, filepath.Join(dist, "bad")); err == nil || !strings.Contains(err.Error(), "c.tar.gz") {
		t.Errorf("a file that was not built: %v", err)
	}
}
