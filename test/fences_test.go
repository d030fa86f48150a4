package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/kubectl-oidc-login/kubectl-oidc-login/"

// allowedImports are what a package of the product may import besides the standard library. A missing package has no
// rule yet, which fails too.
func allowedImports() map[string][]string {
	return map[string][]string{
		"cmd/kubectl-oidc_login": {modulePath + "pkg/cli"},
		// kubectl waits for this package on each call.
		"plugin":        {},
		"pkg/token":     {},
		"pkg/loopback":  {},
		"pkg/browser":   {"github.com/pkg/browser"},
		"pkg/untrusted": {},
		"pkg/cluster":   {modulePath + "pkg/token", modulePath + "pkg/untrusted"},
		"pkg/store": {
			modulePath + "pkg/sharedfile", modulePath + "pkg/token", "github.com/gofrs/flock", "github.com/zalando/go-keyring", "golang.org/x/sys/unix",
		},
		"pkg/store/storetest": {modulePath + "pkg/token"},
		"pkg/provider": {
			modulePath + "pkg/loopback", modulePath + "pkg/token", modulePath + "pkg/untrusted",
			"github.com/coreos/go-oidc/v3/oidc", "github.com/go-jose/go-jose/v4", "golang.org/x/oauth2",
			"golang.org/x/oauth2/clientcredentials",
		},
		"pkg/sharedfile": {"golang.org/x/sys/windows"},
		"pkg/kubeconfig": {modulePath + "pkg/sharedfile", modulePath + "pkg/token", "go.yaml.in/yaml/v4"},
		"pkg/cli": {
			modulePath + "pkg/browser", modulePath + "pkg/cluster", modulePath + "pkg/kubeconfig", modulePath + "pkg/provider", modulePath + "pkg/store", modulePath + "pkg/token",
			modulePath + "pkg/untrusted", modulePath + "plugin", "github.com/rogpeppe/go-internal/diff", "github.com/spf13/cobra", "github.com/spf13/pflag",
			"golang.org/x/net/http/httpproxy", "golang.org/x/sys/unix", "golang.org/x/sys/windows", "rsc.io/qr",
		},
		"test":                {},
		"test/bench":          {modulePath + "test/idp"},
		"test/bench/floor":    {},
		"test/reference":      {modulePath + "pkg/cli"},
		"test/release/render": {},
		"test/idp":            {"github.com/go-jose/go-jose/v4"},
		"test/conformance":    {modulePath + "test/conformance/requirements"},
		// Every test package imports it.
		"test/conformance/requirements": {},
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	allowed := allowedImports()
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports ","}}`, "./...") {
		path, imports, _ := strings.Cut(line, " ")
		name := strings.TrimPrefix(path, modulePath)
		rule, ok := allowed[name]
		if !ok {
			t.Errorf("%s has no rule in allowedImports", name)
		}
		for imported := range strings.SplitSeq(imports, ",") {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") && !slices.Contains(rule, imported) {
				t.Errorf("%s may not import %s", name, imported)
			}
		}
	}
}

// What is linked into the program is initialised on each call, so the costly is kept out of it altogether.
func TestLinkedPackages(t *testing.T) {
	t.Parallel()
	for forbidden, reason := range map[string]string{
		"k8s.io/":            "its initialisation takes longer than all else that a call does",
		"sigs.k8s.io/":       "its YAML makes each call some 8 % slower",
		"go.yaml.in/yaml/v2": "it makes each call some 8 % slower",
		"go.yaml.in/yaml/v3": "it makes each call some 4 % slower; v4 does not",
		"html/template":      "it keeps every exported method in the binary",
		"net/http/test":      "it is for tests",
		"testing":            "it is for tests",
	} {
		for _, linked := range goList(t, "-deps", "./cmd/kubectl-oidc_login") {
			if linked == forbidden || strings.HasSuffix(forbidden, "/") && strings.HasPrefix(linked, forbidden) {
				t.Errorf("%s is linked, but must not be: %s", linked, reason)
			}
		}
	}
}

// House rules that a parser can see.
func TestHouseRules(t *testing.T) {
	t.Parallel()
	for _, folder := range goList(t, "-f", "{{.Dir}}", "./cmd/...", "./plugin/...", "./pkg/...", "./test/idp/...") {
		comments := 0
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if file.Doc != nil {
				comments++
			}
			checkFile(t, path, file)
		}
		if comments != 1 {
			t.Errorf("%s has %d package comments, not one", folder, comments)
		}
	}
}

func checkFile(t *testing.T, path string, file *ast.File) {
	t.Helper()
	outermost := strings.Contains(path, "/pkg/cli/") || strings.Contains(path, "/cmd/")
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			if node.Recv == nil && node.Name.Name == "init" {
				t.Errorf("%s has an init function; start-up order must be visible", path)
			}
			if node.Name.IsExported() && node.Doc == nil && isExportedReceiver(node.Recv) {
				t.Errorf("%s: %s has no doc comment", path, node.Name.Name)
			}
		case *ast.SelectorExpr:
			identifier, _ := node.X.(*ast.Ident)
			if identifier == nil || identifier.Name != "os" || outermost {
				return true
			}
			if slices.Contains([]string{"Exit", "Getenv", "LookupEnv", "Environ", "Stdin", "Stdout", "Stderr", "Args"}, node.Sel.Name) {
				t.Errorf("%s uses os.%s, which is for pkg/cli alone", path, node.Sel.Name)
			}
		}
		return true
	})
}

// isExportedReceiver is true for functions too.
func isExportedReceiver(receiver *ast.FieldList) bool {
	if receiver == nil {
		return true
	}
	of := receiver.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	name, ok := of.(*ast.Ident)
	return ok && name.IsExported()
}

func goList(t *testing.T, arguments ...string) []string {
	t.Helper()
	command := exec.Command("go", append([]string{"list"}, arguments...)...)
	command.Dir = ".."
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(output)), "\n")
}
