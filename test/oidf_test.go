package test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

const oidfScripts = "testdata/oidf"

// TestOIDF plays the server of the OpenID Foundation's conformance suite for clients (https://openid.net/certification):
// a script for each of its modules, of the same name, ends as the module asks. Its server gives refresh tokens in the
// modules about them alone; this one gives them in all, since it is after a refresh that the program asks UserInfo.
func TestOIDF(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scripts(t, oidfScripts))
}

// TestOIDFIsComplete wants a script for each module of the list that can be played, which says that it proves just that.
func TestOIDFIsComplete(t *testing.T) {
	t.Parallel()
	sections, err := requirements.All()
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, section := range sections {
		for _, row := range section.Rows {
			if strings.Contains(row.ID, "-client-test") && row.NotApplicable == "" {
				modules = append(modules, row.ID)
			}
		}
	}
	if len(modules) < 30 {
		t.Errorf("only %d modules in the list", len(modules))
	}
	files, err := filepath.Glob(filepath.Join(oidfScripts, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(modules, name) || !strings.Contains(string(text), "\ncovers "+name+"\n") {
			t.Errorf("%s is not named after the module that it covers", file)
		}
		modules = slices.DeleteFunc(modules, func(module string) bool { return module == name })
	}
	if len(modules) > 0 {
		t.Errorf("modules without a script: %v", modules)
	}
}
