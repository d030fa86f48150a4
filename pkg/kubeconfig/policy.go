package kubeconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v4"
)

// Policy says which plugins kubectl may call, from 1.35 on
// (https://kubernetes.io/docs/reference/kubectl/kuberc/).
type Policy struct {
	Name    string   // "", AllowAll, DenyAll or Allowlist
	Entries []string // of an Allowlist: paths, or names to be found in PATH
}

// LoadPolicy reads a kuberc; without the file there is no policy.
func LoadPolicy(path string) (Policy, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Policy{}, nil
	}
	if err != nil {
		return Policy{}, fmt.Errorf("kuberc: %w", err)
	}
	var read struct {
		Policy    string `yaml:"credentialPluginPolicy"`
		Allowlist []struct {
			Name    string // kubectl 1.35
			Command string // from 1.36 on
		} `yaml:"credentialPluginAllowlist"`
	}
	if err := yaml.Unmarshal(text, &read); err != nil {
		return Policy{}, fmt.Errorf("kuberc %s: %w", path, harmless(err))
	}
	policy := Policy{Name: read.Policy}
	for _, entry := range read.Allowlist {
		if entry.Name != "" && entry.Command != "" && entry.Name != entry.Command {
			return Policy{}, fmt.Errorf("kuberc %s: an entry of credentialPluginAllowlist has a name and another command", path)
		}
		if entry.Command == "" {
			entry.Command = entry.Name
		}
		policy.Entries = append(policy.Entries, entry.Command)
	}
	return policy, policy.check(path)
}

// check refuses what kubectl refuses.
func (p Policy) check(path string) error {
	switch {
	case !slices.Contains([]string{"", "AllowAll", "DenyAll", "Allowlist"}, p.Name):
		return fmt.Errorf("kuberc %s: credentialPluginPolicy %q is not known to kubectl", path, p.Name)
	case p.Name == "Allowlist" && len(p.Entries) == 0:
		return fmt.Errorf("kuberc %s: the policy is Allowlist, but credentialPluginAllowlist is empty", path)
	case p.Name != "Allowlist" && len(p.Entries) > 0:
		return fmt.Errorf("kuberc %s: there is a credentialPluginAllowlist, but the policy is not Allowlist", path)
	}
	for _, entry := range p.Entries {
		if entry == "" || entry != filepath.Clean(entry) {
			return fmt.Errorf("kuberc %s: the entry %q of credentialPluginAllowlist is empty, or not in its shortest form", path, entry)
		}
	}
	return nil
}

// Allows reports whether kubectl may call a command. LookPath finds a program as kubectl does, or returns "".
func (p Policy) Allows(command string, lookPath func(string) string) bool {
	switch p.Name {
	case "DenyAll":
		return false
	case "Allowlist":
		found := lookPath(command)
		return slices.ContainsFunc(p.Entries, func(entry string) bool {
			return entry == filepath.Clean(command) || found != "" && (entry == found || lookPath(entry) == found)
		})
	}
	return true
}
