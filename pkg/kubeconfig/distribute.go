package kubeconfig

import (
	"cmp"
	"slices"
)

// FileChange is the part of a change that one file gets.
type FileChange struct {
	Path string
	Change
}

// Distribute gives each part of a change to the file that decides, as kubectl does: the one that has the thing already, else
// that for new ones. The file with the current context comes last, when the rest is there.
func (c *Config) Distribute(change Change) []FileChange {
	first := c.Paths.ForNew() // of all that are there, so its current context is the one that counts
	parts := map[string]*Change{}
	in := func(file string) *Change {
		path := cmp.Or(file, first)
		if parts[path] == nil {
			parts[path] = &Change{}
		}
		return parts[path]
	}
	for _, one := range change.Clusters {
		old, _ := c.Cluster(one.Name)
		part := in(old.File)
		part.Clusters = append(part.Clusters, one)
	}
	for _, one := range change.Contexts {
		old, _ := c.Context(one.Name)
		part := in(old.File)
		part.Contexts = append(part.Contexts, one)
	}
	for _, one := range change.Users {
		old, _ := c.User(one.Name)
		part := in(old.File)
		part.Users = append(part.Users, one)
	}
	if change.CurrentContext != "" {
		in(first).CurrentContext = change.CurrentContext
	}
	var all []FileChange
	for _, path := range slices.Backward(c.Paths.Files) {
		if part := parts[path]; part != nil {
			all = append(all, FileChange{path, *part})
		}
	}
	return all
}
