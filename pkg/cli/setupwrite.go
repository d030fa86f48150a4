package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
)

// plan is what setup writes: a user, and a context and a cluster where they are asked for.
type plan struct {
	kubeconfig.Change
	config  *kubeconfig.Config // as it is before
	cluster kubeconfig.Cluster // whom to ask afterwards; without a name where none is known
}

// installHint is what kubectl shows where the plugin is not found.
const installHint = "kubectl-oidc_login is missing. It logs you in to this cluster: install it from " +
	"https://github.com/kubectl-oidc-login/kubectl-oidc-login, or run setup again where it has moved."

// plan reads the kubeconfig, and refuses what cannot be meant before anybody logs in.
func (s *setup) plan() (*plan, error) {
	chosen := targetOptions{kubeconfig: s.wanted.kubeconfig}
	paths, err := chosen.paths(s.env)
	if err != nil {
		return nil, err
	}
	paths.Explicit = false // it may be made
	config, err := kubeconfig.Load(paths)
	if err != nil {
		return nil, err
	}
	plan := &plan{config: config}
	if plan.cluster, err = s.cluster(config); err != nil {
		return nil, err
	}
	if s.wanted.server != "" {
		plan.Clusters = []kubeconfig.Cluster{plan.cluster}
	}
	command, err := pluginPath(s.env)
	if err != nil {
		return nil, err
	}
	user, err := s.user(command, plan.cluster)
	if err != nil {
		return nil, err
	}
	if old, found := config.User(user.Name); found && s.wanted.user == "" && !isSameLogin(old, user) {
		return nil, misused(fmt.Errorf("the kubeconfig has another user %q; name it with --user to replace it, or another", user.Name))
	}
	plan.Users = []kubeconfig.User{user}
	return plan, s.addContext(plan)
}

// cluster is the one that is meant.
func (s *setup) cluster(config *kubeconfig.Config) (kubeconfig.Cluster, error) {
	if s.wanted.server != "" {
		return s.newCluster()
	}
	context, _ := config.Context(config.CurrentContext)
	name := cmp.Or(s.wanted.cluster, context.Cluster)
	found, ok := config.Cluster(name)
	if !ok && s.wanted.cluster != "" {
		return found, misused(fmt.Errorf("the kubeconfig has no cluster %q; --cluster-server writes one", name))
	}
	return found, nil
}

func (s *setup) newCluster() (kubeconfig.Cluster, error) {
	server, err := url.Parse(s.wanted.server)
	if err != nil || server.Scheme != "https" || server.Host == "" {
		return kubeconfig.Cluster{}, misused(fmt.Errorf("--cluster-server=%s: must be an https URL", oneLine(s.wanted.server)))
	}
	described := kubeconfig.Cluster{Name: cmp.Or(s.wanted.cluster, server.Hostname()), Server: s.wanted.server}
	if s.wanted.authority == "" {
		return described, nil
	}
	path, err := expandHome(s.env, s.wanted.authority)
	if err != nil {
		return described, err
	}
	if described.CertificateAuthorityData, err = os.ReadFile(path); err != nil {
		return described, unreadFile("--cluster-certificate-authority", err)
	}
	return described, nil
}

// user is what kubectl will call.
func (s *setup) user(command string, described kubeconfig.Cluster) (kubeconfig.User, error) {
	arguments, err := writtenArguments(s.flags)
	if err != nil {
		return kubeconfig.User{}, err
	}
	return kubeconfig.User{
		Name: cmp.Or(s.wanted.user, userName(described.Name, s.options.provider.issuerURL)),
		Exec: &kubeconfig.Exec{
			APIVersion:      "client.authentication.k8s.io/v1",
			Command:         command,
			Args:            append([]string{"get-token"}, arguments...),
			InstallHint:     installHint,
			InteractiveMode: "IfAvailable", // Always would fail where kubectl reads stdin
		},
	}, nil
}

// userName tells clusters and issuers apart.
func userName(clusterName, issuer string) string {
	host := issuer
	if parsed, err := url.Parse(issuer); err == nil && parsed.Host != "" {
		host = parsed.Host + strings.TrimSuffix(parsed.Path, "/")
	}
	if clusterName == "" {
		return "oidc-" + host
	}
	return "oidc-" + clusterName + "-" + host
}

// writtenArguments are those for the kubeconfig, which many programs read: no secret may be among them.
func writtenArguments(flags *pflag.FlagSet) ([]string, error) {
	for _, name := range []string{"oidc-client-secret", "password"} {
		if flags.Changed(name) {
			return nil, misused(fmt.Errorf("--%s does not belong in a kubeconfig, which many programs can read; %s", name, map[string]string{
				"oidc-client-secret": "say where the secret is, with --oidc-client-secret-file, -env or -keychain",
				"password":           "leave it out, and type it when asked",
			}[name]))
		}
	}
	arguments := getTokenArguments(flags)
	for i, argument := range arguments {
		name, path, _ := strings.Cut(argument, "=")
		if name == "--oidc-request-header" { // it is of no use without its values
			arguments[i] = name + "=" + revealedPairs(flags, "oidc-request-header")
			continue
		}
		if !slices.Contains(fileFlags(), strings.TrimPrefix(name, "--")) || strings.HasPrefix(path, "~") {
			continue
		}
		absolute, err := filepath.Abs(path) // kubectl will call it from anywhere
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		arguments[i] = name + "=" + absolute
	}
	return arguments, nil
}

// fileFlags are those of get-token that name files.
func fileFlags() []string {
	return []string{
		"certificate-authority", "client-assertion-file", "local-server-cert", "local-server-key", "oidc-client-secret-file",
		"token-cache-dir",
	}
}

// isSameLogin reports whether a user logs in at the same issuer as the same client.
func isSameLogin(old, wanted kubeconfig.User) bool {
	one, err := loginOf(old)
	if err != nil {
		return false
	}
	other, err := loginOf(wanted)
	return err == nil && one.options.provider.issuerURL == other.options.provider.issuerURL &&
		one.options.provider.clientID == other.options.provider.clientID
}

func (s *setup) addContext(plan *plan) error {
	if s.wanted.context == "" {
		return nil
	}
	if plan.cluster.Name == "" {
		return misused(errors.New("--context: of which cluster? Name one with --cluster, or write one with --cluster-server"))
	}
	context := kubeconfig.Context{Name: s.wanted.context, Cluster: plan.cluster.Name, User: plan.Users[0].Name}
	if old, found := plan.config.Context(context.Name); found {
		context.Namespace = old.Namespace
	}
	plan.Contexts = []kubeconfig.Context{context}
	if s.wanted.useContext || plan.config.CurrentContext == "" {
		plan.CurrentContext = context.Name
	}
	return nil
}

// write asks first, where somebody can be asked.
func (s *setup) write(ctx context.Context, plan *plan) (written bool, err error) {
	parts := plan.config.Distribute(plan.Change)
	if len(parts) == 0 {
		s.page.section("%s has it all", plan.config.Paths.ForNew())
	}
	var changes []kubeconfig.FileChange // that change something
	for _, change := range parts {
		preview, err := kubeconfig.Preview(change.Path, change.Change)
		if err != nil {
			return false, err
		}
		if slices.Equal(preview.Before, preview.After) {
			s.page.section("%s has it all", change.Path)
			continue
		}
		shown, err := difference(preview)
		if err != nil {
			return false, err
		}
		changes = append(changes, change)
		s.page.section("What is to be written to %s", change.Path)
		s.page.block(shown)
	}
	if len(changes) == 0 {
		return true, s.page.err
	}
	if sure, err := s.isSure(ctx, changes); err != nil || !sure {
		return false, errors.Join(err, s.page.err)
	}
	writer := kubeconfig.Writer{Now: s.env.Now, Sleep: s.env.Sleep}
	for _, change := range changes {
		done, err := writer.Write(ctx, change.Path, change.Change)
		if err != nil {
			return false, err
		}
		s.page.section("Written to %s", change.Path)
		if done.Backup != "" {
			s.page.line("  what was there before is in %s", done.Backup)
		}
	}
	return true, s.page.err
}

func (s *setup) isSure(ctx context.Context, changes []kubeconfig.FileChange) (bool, error) {
	switch {
	case s.wanted.yes:
		return true, nil
	case s.wanted.dryRun, !s.env.HasKeyboard():
		s.page.line("Nothing was written; --yes does it.")
		return false, nil
	}
	var paths []string
	for _, change := range changes {
		paths = append(paths, change.Path)
	}
	answer, err := s.ask(ctx, "write this to "+strings.Join(paths, " and ")+"? yes or no", "no")
	sure := slices.Contains([]string{"y", "yes"}, strings.ToLower(answer))
	if err == nil && !sure {
		s.page.line("Nothing was written.")
	}
	return sure, err
}

// difference shows which lines go and come. Secrets are not among them.
func difference(written kubeconfig.Written) (string, error) {
	before, after, err := written.Redacted()
	if err != nil {
		return "", err
	}
	_, hunks, differ := strings.Cut(string(diff.Diff("", before, "", after)), "\n@@")
	if !differ {
		return "only what is not shown: where a secret stands, or how it is written\n", nil
	}
	numbers := regexp.MustCompile(`(?m)^@@ .* @@$`) // are not those of the file
	return numbers.ReplaceAllString("@@"+hunks, "@@"), nil
}

// showPolicy is for people who let kubectl call only some plugins
// (https://kubernetes.io/docs/reference/kubectl/kuberc/).
func (s *setup) showPolicy(command string) {
	s.page.section("If your kuberc has a credentialPluginPolicy, allow the plugin there (kubectl 1.35 and newer)")
	s.page.block(fmt.Sprintf("apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\ncredentialPluginPolicy: Allowlist\n"+
		"credentialPluginAllowlist:\n- command: %q # kubectl 1.35 calls this member name\n", command))
}
