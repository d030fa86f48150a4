package test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The arrows of the picture of packages are the imports among the program's packages, all of them and no others.
func TestArchitecturePicture(t *testing.T) {
	t.Parallel()
	_, picture, _ := strings.Cut(readPage(t, "docs/architecture.md"), "\nflowchart TD\n")
	picture, _, _ = strings.Cut(picture, "```")
	names := map[string]string{}
	for _, node := range regexp.MustCompile(`(\w+)\["([^"]+)"\]`).FindAllStringSubmatch(picture, -1) {
		names[node[1]] = node[2]
	}
	var drawn []string
	for _, arrow := range regexp.MustCompile(`(?m)^ *(\w+)(?:\["[^"]+"\])? --> (\w+)`).FindAllStringSubmatch(picture, -1) {
		drawn = append(drawn, names[arrow[1]]+" imports "+names[arrow[2]])
	}

	var imports []string
	for _, line := range goList(t, "-deps", "-f", `{{.ImportPath}} {{join .Imports ","}}`, "./cmd/kubectl-oidc_login") {
		path, imported, _ := strings.Cut(line, " ")
		name, ours := strings.CutPrefix(path, modulePath)
		for path := range strings.SplitSeq(imported, ",") {
			if other, also := strings.CutPrefix(path, modulePath); ours && also {
				imports = append(imports, name+" imports "+other)
			}
		}
	}
	for _, arrow := range drawn {
		if !slices.Contains(imports, arrow) {
			t.Errorf("the picture shows that %s, which is not so", arrow)
		}
	}
	for _, arrow := range imports {
		if !slices.Contains(drawn, arrow) {
			t.Errorf("the picture lacks that %s", arrow)
		}
	}
	if len(imports) == 0 {
		t.Error("no package was found")
	}
}
