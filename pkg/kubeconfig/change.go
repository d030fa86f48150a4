package kubeconfig

import (
	"encoding/base64"
	"errors"

	"go.yaml.in/yaml/v4"
)

// Change is what one file gets. What has the same name is replaced; members that this program does not know stay.
type Change struct {
	Clusters       []Cluster
	Contexts       []Context
	Users          []User // with exec plugins; any other credential of theirs is taken away, since kubectl would prefer it
	CurrentContext string // empty: as it is
}

// entry is one thing of a change.
type entry struct {
	list, member, name string
	edit               func(value *yaml.Node) // of the member
}

// entries are in the order in which kubectl writes them.
func (c Change) entries() []entry {
	var all []entry
	for _, one := range c.Clusters {
		all = append(all, entry{"clusters", "cluster", one.Name, one.edit})
	}
	for _, one := range c.Contexts {
		all = append(all, entry{"contexts", "context", one.Name, one.edit})
	}
	for _, one := range c.Users {
		all = append(all, entry{"users", "user", one.Name, one.edit})
	}
	return all
}

func (c Cluster) edit(value *yaml.Node) {
	authority, data := c.CertificateAuthority, ""
	if len(c.CertificateAuthorityData) > 0 {
		authority, data = "", base64.StdEncoding.EncodeToString(c.CertificateAuthorityData)
	}
	update(value, mapping(
		"certificate-authority", authority,
		"certificate-authority-data", data,
		"insecure-skip-tls-verify", c.InsecureSkipTLSVerify,
		"proxy-url", c.ProxyURL,
		"server", c.Server,
		"tls-server-name", c.TLSServerName,
	), "certificate-authority", "certificate-authority-data", "insecure-skip-tls-verify", "proxy-url", "tls-server-name")
}

func (c Context) edit(value *yaml.Node) {
	update(value, mapping("cluster", c.Cluster, "namespace", c.Namespace, "user", c.User))
}

func (u User) edit(value *yaml.Node) {
	var variables *yaml.Node
	for _, variable := range u.Exec.Env {
		if variables == nil {
			variables = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		}
		variables.Content = append(variables.Content, mapping("name", variable.Name, "value", text(variable.Value)))
	}
	update(value, mapping("exec", mapping(
		"apiVersion", u.Exec.APIVersion,
		"args", u.Exec.Args,
		"command", u.Exec.Command,
		"env", variables,
		"installHint", u.Exec.InstallHint,
		"interactiveMode", u.Exec.InteractiveMode,
		"provideClusterInfo", u.Exec.ProvideClusterInfo,
	)), "auth-provider", "client-certificate", "client-certificate-data", "client-key", "client-key-data",
		"password", "token", "tokenFile", "username")
}

// update sets the new members, and takes those away that are outdated.
func update(value, members *yaml.Node, outdated ...string) {
	for i := 0; i < len(members.Content); i += 2 {
		setMember(value, members.Content[i].Value, members.Content[i+1])
	}
	for _, name := range outdated {
		if member(members, name) == nil {
			removeMember(value, name)
		}
	}
}

// apply changes the nodes of a file.
func (e entry) apply(root *yaml.Node) error {
	list := member(root, e.list)
	if list == nil || isNull(list) {
		list = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		setMember(root, e.list, list)
	}
	if list.Kind != yaml.SequenceNode {
		return errors.New(e.list + " is no list")
	}
	found := named(list, e.name)
	if found == nil {
		found = mapping("name", text(e.name), e.member, &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"})
		list.Content = append(list.Content, found)
		if len(list.Content) == 1 { // [] would stay in one line
			list.Style = 0
			found.HeadComment, list.LineComment = list.LineComment, ""
		}
	}
	value := member(found, e.member)
	if value == nil || isNull(value) {
		value = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		setMember(found, e.member, value)
	}
	if value.Kind != yaml.MappingNode {
		return errors.New(e.member + " " + e.name + " is no group of members")
	}
	e.edit(value)
	return nil
}
