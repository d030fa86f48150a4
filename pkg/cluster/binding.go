package cluster

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// GroupBinding writes the ClusterRoleBinding that gives a role, view where it is empty, to a group, which is named as in
// the token; the API server sees it behind the prefix
// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects).
func (a Authentication) GroupBinding(group, role string) (string, error) {
	if a.GroupsClaim == "" {
		return "", misused("group: the API server is told no groups claim, so nobody is in one")
	}
	return binding("Group", a.GroupsPrefix, group, role)
}

// UserBinding does the same for a user, who is named as in the claim.
func (a Authentication) UserBinding(user, role string) (string, error) {
	return binding("User", a.UsernamePrefix, user, role)
}

func binding(kind, prefix, name, role string) (string, error) {
	role = cmp.Or(role, "view")
	noun, subject := strings.ToLower(kind), prefix+name
	if name == "" || checkText(subject) != nil {
		return "", misused("%s: its name is empty, has a control character in it, or is not UTF-8", noun)
	}
	if strings.HasPrefix(subject, systemPrefix) {
		return "", misused("%s: %s is for Kubernetes itself", noun, untrusted.Quoted(subject))
	}
	// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names
	if role == "." || role == ".." || strings.ContainsAny(role, "/%") || checkText(role) != nil {
		return "", misused("role: %s is not the name of a ClusterRole", untrusted.Quoted(role))
	}
	const rbac = "rbac.authorization.k8s.io"
	return document(object{
		{"apiVersion", rbac + "/v1"},
		{"kind", "ClusterRoleBinding"},
		{"metadata", object{{"name", bindingName(noun, subject, role)}}},
		{"roleRef", object{{"apiGroup", rbac}, {"kind", "ClusterRole"}, {"name", role}}},
		{"subjects", list{object{{"apiGroup", rbac}, {"kind", kind}, {"name", subject}}}},
	}), nil
}

// bindingName is readable and always the same. Where letters had to go, a hash keeps names apart.
func bindingName(noun, subject, role string) string {
	const longest = 200
	wanted := role + "-" + noun + "-" + subject
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, wanted)
	name = "oidc-" + strings.Trim(name[:min(len(name), longest)], "-")
	if name == "oidc-"+wanted {
		return name
	}
	sum := sha256.Sum256([]byte(wanted))
	return name + "-" + hex.EncodeToString(sum[:4])
}
