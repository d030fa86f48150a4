package cli

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// showClaims shows what the API server will see, and gathers what there is to be judged.
func (s *setup) showClaims(ctx context.Context, session *session, idToken token.IDToken, report provider.Report) (cluster.Evidence, error) {
	evidence := evidenceOf(idToken, s.env.Now())
	evidence.Keys = report.Keys
	evidence.Session = s.tryRefresh(ctx, session)
	s.page.section("You are logged in. Your %s has these claims", servedToken(session.key))
	if evidence.Claims == nil {
		s.page.line("  none: it is no JWT, so kube-apiserver cannot read it")
	}
	for _, name := range slices.Sorted(maps.Keys(evidence.Claims)) {
		if slices.Contains([]string{"nonce", "at_hash", "c_hash"}, name) {
			continue // they are between provider and client
		}
		s.page.line("  %-20s %s", name, readableClaim(name, evidence.Claims[name]))
	}
	return evidence, s.page.err
}

// readableClaim shows times as such.
func readableClaim(name string, value any) string {
	seconds, isNumber := value.(float64)
	if isNumber && slices.Contains([]string{"exp", "iat", "nbf", "auth_time"}, name) {
		return time.Unix(int64(seconds), 0).Format(time.DateTime)
	}
	return showClaim(value)
}

// evidenceOf reads a token that was verified.
func evidenceOf(idToken token.IDToken, now time.Time) cluster.Evidence {
	evidence := cluster.Evidence{Size: len(idToken.Raw.Reveal()), Now: now, Lifetime: idToken.Expiry.Sub(idToken.Issued)}
	header, _, _ := strings.Cut(idToken.Raw.Reveal(), ".")
	if claims, err := idToken.Claims(); err == nil {
		evidence.Claims = claims
		if text, err := base64.RawURLEncoding.DecodeString(header); err == nil {
			_ = json.Unmarshal(text, &evidence.Header) // verified before, so it can be read
		}
	}
	return evidence
}

// tryRefresh uses the refresh token once, as the next call in a minute would, to see that it works and whether it rotates.
func (s *setup) tryRefresh(ctx context.Context, session *session) cluster.Session {
	switch _, err := session.store.Session(ctx, session.key); {
	case errors.Is(err, token.ErrNotFound):
		return cluster.SessionNone
	case err != nil:
		return cluster.SessionUnknown
	}
	refreshing := *session.source
	refreshing.ForceRefresh = true
	refreshing.Began = s.env.Now()
	refreshing.MayAsk = func() error { return errors.New("the session that was just begun cannot be renewed") }
	if _, err := refreshing.Obtain(ctx, session.key); err != nil {
		s.terminal.warn(err)
		return cluster.SessionUnknown
	}
	switch renewed, err := session.store.Session(ctx, session.key); {
	case err != nil:
		return cluster.SessionUnknown
	case renewed.Static:
		return cluster.SessionStatic
	}
	return cluster.SessionRotates
}

// noClaim is what a person types for no groups.
const noClaim = "none"

// authentication is what the API server will be told, as the person chooses.
func (s *setup) authentication(ctx context.Context, key token.Key, evidence cluster.Evidence) (cluster.Authentication, error) {
	authorities, err := s.options.tls.authorities(s.env)
	if err != nil {
		return cluster.Authentication{}, err
	}
	algorithm, _ := evidence.Header["alg"].(string)
	chosen := cluster.Authentication{
		Issuer:               key.Issuer,
		Audiences:            s.options.audiences(evidence.Claims),
		CertificateAuthority: strings.Join(authorities, "\n"),
		UsernameClaim:        s.wanted.usernameClaim,
		UsernamePrefix:       s.wanted.usernamePrefix,
		GroupsClaim:          s.wanted.groupsClaim,
		GroupsPrefix:         s.wanted.groupsPrefix,
		SigningAlgorithm:     algorithm,
	}
	if chosen.UsernameClaim == "" {
		chosen.UsernameClaim, err = s.ask(ctx, "which claim is the user name? An e-mail address can change hands", "sub")
	}
	if err == nil && chosen.GroupsClaim == "" {
		suggested := noClaim
		if evidence.Claims["groups"] != nil {
			suggested = "groups"
		}
		chosen.GroupsClaim, err = s.ask(ctx, "which claim has the groups? Type none for no groups", suggested)
	}
	if chosen.GroupsClaim == noClaim {
		chosen.GroupsClaim = ""
	}
	return chosen, err
}

// ask takes the suggestion where nobody can or need be asked.
func (s *setup) ask(ctx context.Context, question, suggestion string) (string, error) {
	if s.wanted.yes || s.wanted.dryRun || !s.env.HasKeyboard() {
		return suggestion, nil
	}
	s.terminal.say("%s [%s]", question, suggestion)
	answer, err := typed(s.env.ReadLine(ctx))
	if errors.Is(err, context.Canceled) {
		err = errors.New("setup: interrupted; nothing was written") // all questions come before that
	}
	return cmp.Or(strings.TrimSpace(answer), suggestion), err
}
