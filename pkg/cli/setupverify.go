package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// verify asks the cluster whom it sees. What it says is no failure of the setup: the API server may still have to be told.
func (s *setup) verify(ctx context.Context, session *session, plan *plan, evidence cluster.Evidence, authentication cluster.Authentication) error {
	if plan.cluster.Server == "" {
		s.page.section("Try it, once the API server knows the provider")
		s.page.block("kubectl " + quote("--user="+plan.Users[0].Name) + " auth whoami")
		return s.page.err
	}
	s.page.section("What the cluster %s says", plan.cluster.Name)
	s.page.findings(s.askCluster(ctx, session, plan, evidence, authentication))
	s.page.section("Try it")
	s.page.block(tryCommand(plan.Contexts, plan.Users))
	return s.page.err
}

func tryCommand(contexts []kubeconfig.Context, users []kubeconfig.User) string {
	if len(contexts) > 0 {
		return "kubectl " + quote("--context="+contexts[0].Name) + " get pods"
	}
	return "kubectl " + quote("--user="+users[0].Name) + " get pods"
}

func (s *setup) askCluster(ctx context.Context, session *session, plan *plan, evidence cluster.Evidence,
	authentication cluster.Authentication) []cluster.Finding {
	session.source.MayAsk = func() error { return errors.New("the session that was just begun cannot be renewed") }
	seen, err := session.whoAmI(ctx, s.env, plan.cluster)
	var unauthorized *cluster.UnauthorizedError
	switch {
	case errors.As(err, &unauthorized):
		refused := cluster.Finding{Severity: cluster.Error, Subject: "cluster", Text: err.Error()}
		return append([]cluster.Finding{refused}, cluster.Explain(evidence, authentication, unauthorized.Clock)...)
	case err != nil:
		return []cluster.Finding{{Severity: cluster.Warning, Subject: "cluster", Text: err.Error(),
			Remedy: strings.Join(hintsOf(err), " ")}}
	}
	findings := []cluster.Finding{{Subject: "cluster", Text: seenAs(seen)}}
	if predicted, err := authentication.Identity(evidence.Claims); err == nil {
		findings = append(findings, cluster.Compare(predicted, seen)...)
	}
	return findings
}

// whoAmI asks with a token that is good now: the person may have taken their time.
func (s *session) whoAmI(ctx context.Context, env Env, described kubeconfig.Cluster) (cluster.Identity, error) {
	server, err := serverOf(env, described)
	if err != nil {
		return cluster.Identity{}, err
	}
	idToken, err := s.goodToken(ctx)
	if err != nil {
		return cluster.Identity{}, err
	}
	return cluster.WhoAmI(ctx, server, idToken.Raw)
}

func (s *session) goodToken(ctx context.Context) (token.IDToken, error) {
	if idToken, ok := s.source.Stored(ctx, s.key); ok {
		return idToken, nil
	}
	return s.source.Obtain(ctx, s.key)
}

// seenAs says whom an API server sees.
func seenAs(seen cluster.Identity) string {
	text := "It sees the user " + seen.Username
	if len(seen.Groups) > 0 {
		text += " in the groups " + strings.Join(seen.Groups, ", ")
	}
	return text + "."
}

func hintsOf(err error) []string {
	var failure *token.Error
	if errors.As(err, &failure) {
		return failure.Hint
	}
	return nil
}
