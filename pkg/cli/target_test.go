package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
)

// Whom a token may be shown to: the cluster of the context that was named, or of one that the user is in, and no other.
func TestChooseCluster(t *testing.T) {
	t.Parallel()
	const text = `current-context: here
contexts:
- {name: here, context: {cluster: one, user: alice}}
- {name: there, context: {cluster: two, user: bob}}
clusters:
- {name: one, cluster: {server: https://one}}
- {name: two, cluster: {server: https://two}}
users:
- {name: alice}
- {name: bob}
- {name: carol}
`
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := kubeconfig.Load(kubeconfig.Find(path, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	for chosen, want := range map[targetOptions][2]string{
		{}:                             {"alice", "one"},
		{context: "there"}:             {"bob", "two"},
		{user: "alice"}:                {"alice", "one"},
		{user: "bob"}:                  {"bob", "two"},
		{user: "carol"}:                {"carol", ""},
		{user: "bob", context: "here"}: {"bob", "one"}, // as kubectl has it
	} {
		user, cluster, err := chosen.choose(config)
		if err != nil || user.Name != want[0] || cluster.Name != want[1] {
			t.Errorf("%+v: got user %q at cluster %q, %v", chosen, user.Name, cluster.Name, err)
		}
	}
}
