package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

func newStatusCommand(env Env, terminal *terminal) *cobra.Command {
	var options options
	var chosen targetOptions
	var output string
	var asks statusQuestions
	command := &cobra.Command{
		Use:     "status",
		Aliases: []string{"whoami"},
		Short:   "Show who you are, and what is stored",
		Long: `Show who you are, and what is stored.

It is for the current context of your kubeconfig, or the one that you name, or the provider of the flags.

It reads the store: no network, no lock, no browser. With --server it asks the API server whom it sees behind your token,
which it renews if it has expired. With --userinfo it renews the session and shows what the provider's UserInfo endpoint
says of you. It ends with code 3 where you are not logged in. No token is ever printed.`,
		Example: `  ` + commandName + ` status
  ` + commandName + ` status --context=production -o json
  ` + commandName + ` status --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes
  ` + commandName + ` status --oidc-issuer-url=https://issuer.example.com --oidc-client-id=kubernetes --userinfo -o json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			return showStatus(command, env, terminal, &options, chosen, output, asks)
		},
	}
	options.addQuietFlags(command.Flags())
	chosen.addFlags(command.Flags())
	command.Flags().BoolVar(&asks.server, "server", false, "ask the API server whom it sees")
	command.Flags().BoolVar(&asks.userInfo, "userinfo", false, "renew the session, and ask the provider's UserInfo endpoint")
	command.Flags().StringVarP(&output, "output", "o", "", "print in a `format` for programs: json or yaml")
	return command
}

func showStatus(command *cobra.Command, env Env, terminal *terminal, options *options, chosen targetOptions, output string, asks statusQuestions) error {
	target, err := chosen.resolve(env, options, command.Flags())
	if err != nil {
		return err
	}
	session, err := newQuietSession(target.flags, target.env, terminal, target.options)
	if err != nil {
		return err
	}
	if asks.userInfo && session.key.Machine {
		return misused(errors.New("--userinfo: a client that logs in for itself has no UserInfo"))
	}
	session.source.LoginHint = loginHint(target.name(chosen))
	answers, err := asks.ask(command.Context(), session, target)
	if err != nil {
		return err
	}
	status, err := session.readStatus(command.Context(), env.Now())
	if err != nil {
		return token.WithLoginHint(err, session.source.LoginHint)
	}
	status.UserInfo, status.Server = answers.userInfo, answers.server
	if status.LoggedIn || output != "" {
		if err := status.write(env, output); err != nil {
			return err
		}
	}
	if !status.LoggedIn {
		return &token.Error{Kind: token.LoginNeeded, Err: errors.New("you are not logged in"),
			Hint: []string{session.source.LoginHint}}
	}
	return nil
}

// statusQuestions say who is asked besides the store.
type statusQuestions struct{ server, userInfo bool }

type statusAnswers struct {
	userInfo map[string]any
	server   *cluster.Identity
}

// ask logs nobody in.
func (q statusQuestions) ask(ctx context.Context, session *session, target *target) (answers statusAnswers, err error) {
	if !q.server && !q.userInfo {
		return answers, nil // and signals need not be watched
	}
	ctx, stop := target.env.Interruptible(ctx)
	defer stop()
	if q.userInfo {
		if answers.userInfo, err = session.source.UserInfo(ctx, session.key); err != nil {
			return answers, err
		}
	}
	if q.server {
		session.source.MayAsk = func() error {
			return &token.Error{Kind: token.LoginNeeded, Err: errors.New("you are not logged in"), Hint: []string{session.source.LoginHint}}
		}
		seen, err := session.whoAmI(ctx, target.kubectl, target.cluster)
		if err != nil {
			return answers, err
		}
		answers.server = &seen
	}
	return answers, nil
}

// status is what -o json and -o yaml print. The names of its members are stable: scripts may rely on them.
type status struct {
	LoggedIn          bool              `json:"loggedIn"` // a session or a good ID token is stored
	Issuer            string            `json:"issuer"`
	ClientID          string            `json:"clientID"`
	Subject           string            `json:"subject,omitempty"` // this and the next are claims of the stored ID token
	Email             string            `json:"email,omitempty"`
	PreferredUsername string            `json:"preferredUsername,omitempty"`
	Name              string            `json:"name,omitempty"`
	Groups            []string          `json:"groups,omitempty"`
	IDToken           *idTokenStatus    `json:"idToken,omitempty"`  // left out where none is stored
	Session           *sessionStatus    `json:"session,omitempty"`  // left out where none is stored
	UserInfo          map[string]any    `json:"userInfo,omitempty"` // the provider's words; with --userinfo
	Server            *cluster.Identity `json:"server,omitempty"`   // whom the API server sees; with --server
}

type idTokenStatus struct {
	Good                bool   `json:"good"`
	ExpirationTimestamp string `json:"expirationTimestamp"` // RFC 3339 in UTC, as the next
	ReceivedTimestamp   string `json:"receivedTimestamp"`   // by the last login or refresh
	expiry, received    time.Time
}

type sessionStatus struct {
	Place store.Place `json:"place"`
	// Rotates is false where the last refresh brought the same refresh token again.
	Rotates bool `json:"rotates"`
}

// readStatus asks nobody but the store.
func (s *session) readStatus(ctx context.Context, now time.Time) (*status, error) {
	found := &status{Issuer: s.key.Issuer, ClientID: s.key.ClientID}
	session, err := s.store.Session(ctx, s.key)
	switch {
	case err == nil:
		found.Subject = session.Subject
		found.Session = &sessionStatus{Place: s.store.PlaceOf(ctx, s.key), Rotates: !session.Static}
	case !errors.Is(err, token.ErrNotFound):
		return nil, err
	}
	idToken, err := s.store.IDToken(ctx, s.key)
	switch {
	case err == nil:
		found.addIDToken(idToken, now)
	case !errors.Is(err, token.ErrNotFound):
		return nil, err
	}
	found.LoggedIn = found.Session != nil || found.IDToken != nil && found.IDToken.Good
	return found, nil
}

func (s *status) addIDToken(idToken token.IDToken, now time.Time) {
	s.IDToken = &idTokenStatus{
		Good:                idToken.LivesAt(now),
		ExpirationTimestamp: idToken.Expiry.UTC().Format(time.RFC3339),
		ReceivedTimestamp:   idToken.Issued.UTC().Format(time.RFC3339),
		expiry:              idToken.Expiry,
		received:            idToken.Issued,
	}
	claims, err := idToken.Claims()
	if err != nil {
		return // what was verified once can be read; the rest is worth showing all the same
	}
	text := func(name string) string { value, _ := claims[name].(string); return value }
	s.Subject = cmp.Or(s.Subject, text("sub"))
	s.Email, s.PreferredUsername, s.Name = text("email"), text("preferred_username"), text("name")
	s.Groups = textsOf(claims["groups"])
}

// textsOf reads a claim that is a text or a list of them.
func textsOf(claim any) []string {
	if one, ok := claim.(string); ok {
		return []string{one}
	}
	list, _ := claim.([]any)
	var texts []string
	for _, one := range list {
		if text, ok := one.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

func (s *status) write(env Env, output string) error {
	text := s.forPeople()
	if output != "" {
		var err error
		if text, err = forPrograms(s, output); err != nil {
			return fmt.Errorf("status: %w", err)
		}
	}
	if _, err := env.Stdout.Write(text); err != nil {
		return fmt.Errorf("cannot write to stdout: %w", err)
	}
	return nil
}

// checkOutput is for verbs whose -o is for programs.
func checkOutput(output string) error {
	if !slices.Contains([]string{"", "json", "yaml"}, output) {
		return misused(fmt.Errorf("--output=%s: must be json or yaml", output))
	}
	return nil
}

// forPrograms writes JSON, or the same as YAML.
func forPrograms(value any, output string) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	safe := []byte(harmless(text.String()))
	if output == "yaml" {
		return toYAML(safe)
	}
	return safe, nil
}

// forPeople writes a line for each thing that is known.
func (s *status) forPeople() []byte {
	var text bytes.Buffer
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&text, "%-10s %s\n", name, oneLine(value))
		}
	}
	line("subject", s.Subject)
	line("email", s.Email)
	line("username", s.PreferredUsername)
	line("name", s.Name)
	line("groups", strings.Join(s.Groups, ", "))
	line("issuer", s.Issuer)
	line("client ID", s.ClientID)
	line("ID token", s.IDToken.describe())
	if s.IDToken != nil {
		line("renewed", s.IDToken.received.Format(time.DateTime))
	}
	line("session", s.Session.describe())
	if s.Server != nil {
		fmt.Fprintf(&text, "\nThe API server sees:\n  username: %s\n  groups: %s\n", oneLine(s.Server.Username),
			oneLine(strings.Join(s.Server.Groups, ", ")))
	}
	if s.UserInfo != nil {
		fmt.Fprintf(&text, "\nThe provider's UserInfo endpoint says:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(s.UserInfo)) {
		fmt.Fprintf(&text, "  %s: %s\n", oneLine(name), oneLine(showClaim(s.UserInfo[name])))
	}
	return text.Bytes()
}

func (s *idTokenStatus) describe() string {
	switch {
	case s == nil:
		return "none stored"
	case s.Good:
		return "good until " + s.expiry.Format(time.DateTime)
	}
	return "expired at " + s.expiry.Format(time.DateTime)
}

func (s *sessionStatus) describe() string {
	if s == nil {
		return "none stored; you log in again when the ID token has expired"
	}
	places := map[store.Place]string{
		store.InKeychain:      "in the keychain of your operating system",
		store.InKernelKeyring: "in the kernel's keyring",
		store.InFile:          "in a file that only you can read",
	}
	if s.Rotates {
		return places[s.Place] + "; its refresh token is replaced each time"
	}
	return places[s.Place] + "; its refresh token stays the same"
}

// showClaim shows texts as they are, and the rest as JSON.
func showClaim(claim any) string {
	if text, ok := claim.(string); ok {
		return text
	}
	text, err := json.Marshal(claim)
	if err != nil {
		return "?" // what was read from JSON can be written again
	}
	return string(text)
}
