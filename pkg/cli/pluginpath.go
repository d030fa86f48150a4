package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// pluginName is the file name by which kubectl finds the plugin.
func pluginName() string {
	if runtime.GOOS == "windows" {
		return "kubectl-oidc_login.exe"
	}
	return "kubectl-oidc_login"
}

// pluginPath is the absolute path that a kubeconfig should name, so that it works where PATH is another, as in editors.
// If a folder of PATH leads to this program, it is the path there: what lies behind a symbolic link, as of krew, moves
// with each release.
func pluginPath(env Env) (string, error) {
	executable, err := env.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot find the path of this program: %w", err)
	}
	for _, candidate := range pluginsInPath(env) {
		if isSameFile(candidate, executable) {
			return candidate, nil
		}
	}
	return executable, nil
}

// pluginsInPath are all that kubectl could find, the first first.
func pluginsInPath(env Env) []string {
	var found []string
	for _, folder := range filepath.SplitList(env.getenv("PATH")) {
		candidate := filepath.Join(folder, pluginName())
		if filepath.IsAbs(candidate) && executableAt(candidate) != "" {
			found = append(found, candidate)
		}
	}
	return found
}

func isSameFile(one, other string) bool {
	oneInfo, oneErr := os.Stat(one)
	otherInfo, otherErr := os.Stat(other)
	return oneErr == nil && otherErr == nil && os.SameFile(oneInfo, otherInfo)
}
