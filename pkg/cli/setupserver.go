package cli

import (
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
)

// Where the file lies on the machine of an API server, in the snippets.
const (
	configurationFolder = "/etc/kubernetes/authentication"
	configurationFile   = configurationFolder + "/oidc.yaml"
)

// showServer tells what the API server must be told, in the forms in which that can be done.
func (s *setup) showServer(authentication cluster.Authentication, evidence cluster.Evidence) error {
	configuration, err := authentication.Configuration()
	if err != nil {
		return err
	}
	s.page.section("Tell the API server, by a file for --authentication-config; it is read again within a minute of a change")
	s.page.block(configuration)
	s.page.section("Or, where you cannot give it a file, by flags; never by both")
	if flags, err := authentication.Flags(configurationFolder + "/ca.crt"); err != nil {
		s.page.line("  %s", strings.Join(append([]string{err.Error() + "."}, hintsOf(err)...), " "))
	} else {
		s.page.block(strings.Join(flags, "\n"))
	}
	for _, snippet := range []struct {
		title string
		text  func() (string, error)
	}{
		{"With kubeadm, in its ClusterConfiguration", func() (string, error) { return cluster.KubeadmConfiguration(configurationFile) }},
		{"With k3s, in /etc/rancher/k3s/config.yaml", func() (string, error) { return cluster.K3sConfiguration(configurationFile) }},
		{"With kind, in its configuration", func() (string, error) { return cluster.KindConfiguration("./authentication", configurationFile) }},
	} {
		text, err := snippet.text()
		if err != nil {
			return err
		}
		s.page.section("%s", snippet.title)
		s.page.block(text)
	}
	return s.showBinding(authentication, evidence)
}

// showBinding gives a role to a group of the person's, or to the person where there is none.
func (s *setup) showBinding(authentication cluster.Authentication, evidence cluster.Evidence) error {
	var binding string
	var err error
	groups := textsOf(evidence.Claims[authentication.GroupsClaim])
	user := strings.Join(textsOf(evidence.Claims[authentication.UsernameClaim]), "")
	switch {
	case authentication.GroupsClaim != "" && len(groups) > 0:
		s.page.section("Give a group a role; yours are %s", strings.Join(groups, ", "))
		binding, err = authentication.GroupBinding(groups[0], s.wanted.role)
	case user != "":
		s.page.section("Give yourself a role; better give it to a group, once your tokens name some")
		binding, err = authentication.UserBinding(user, s.wanted.role)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	s.page.block(binding)
	return s.page.err
}
