package kubeconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Paths are the kubeconfigs that count, the most important first.
type Paths struct {
	Files    []string
	Explicit bool // the person named the one file
}

// Find does what kubectl does with --kubeconfig, $KUBECONFIG and the home directory
// (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/).
func Find(flag, variable, home string) Paths {
	if flag != "" {
		return Paths{Files: []string{flag}, Explicit: true}
	}
	var files []string
	for _, file := range filepath.SplitList(variable) {
		if file != "" && !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		files = []string{filepath.Join(home, ".kube", "config")}
	}
	return Paths{Files: files}
}

// unread says what to do about a file that cannot be read.
func (p Paths) unread(cause error) error {
	err := fmt.Errorf("kubeconfig: %w", cause)
	if p.Explicit {
		return &token.Error{Kind: token.Misused, Err: err, Hint: []string{"Correct --kubeconfig, or leave it out."}}
	}
	return token.WithHint(err, "Check who may read that file, or name another with --kubeconfig.")
}

// ForNew is the file that new things are written to: the first that is there, else the last.
func (p Paths) ForNew() string {
	for _, file := range p.Files {
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return p.Files[len(p.Files)-1]
}

// AreMissing reports whether none of the files is there.
func (p Paths) AreMissing() bool {
	return !slices.ContainsFunc(p.Files, func(file string) bool {
		_, err := os.Stat(file)
		return !errors.Is(err, fs.ErrNotExist)
	})
}
