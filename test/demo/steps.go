package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// story is what is told of a stage.
type story struct {
	*narrator
	stage    *stage
	lifetime time.Duration // of ID tokens
	expiry   time.Time     // of the ID token of the login
}

// tellStory runs the demo. Everything it made is gone when it returns, however it ends.
func tellStory(ctx context.Context, w io.Writer, chosen options) error {
	stage, err := newStage()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "kubectl oidc-login in a minute. Everything happens on this machine, in %s.\n", stage.folder)
	told := story{narrator: &narrator{w: w}, stage: stage, lifetime: chosen.tokenLifetime}
	err = stage.furnish(ctx, chosen)
	if err == nil {
		err = told.tell(ctx)
	}
	if err := errors.Join(err, stage.clear()); err != nil {
		return err
	}
	told.showEnd()
	return nil
}

func (s *story) tell(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.showServers,
		s.showLogin,
		s.showCredential,
		s.showNextCommand,
		s.showRenewal,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) showServers(ctx context.Context) error {
	answer, err := s.stage.api.answerToStranger(ctx)
	if err != nil {
		return err
	}
	s.step("Two servers are started")
	s.say("An OpenID Provider, which knows who people are:    %s", s.stage.provider.Issuer())
	s.say("A Kubernetes API, which believes that provider:    %s", s.stage.api.url)
	s.say("It is a small one, with an invented pod, but checks tokens with Kubernetes' own code. Without one: %s", answer)
	return nil
}

func (s *story) showLogin(ctx context.Context) error {
	s.step("The first command: you log in")
	if s.stage.plugin.browser == roleWindow {
		s.say("Your browser opens. Type the user name %s and the password %q (without the quotes).", username, password)
	} else {
		s.say("No window opens here: a script fills in the login page, user name %s, password %q.", username, password)
	}
	if s.stage.kubectl.isStandIn {
		s.say("kubectl is not on your PATH, so its library, client-go, does the same in its place.")
	}
	return s.runKubectl(ctx, "auth", "whoami")
}

func (s *story) showCredential(ctx context.Context) error {
	s.step("What kubectl got from the plugin")
	s.say("An ID token: a note that says who you are, signed by the provider. Each request carries it.")
	s.say("$ kubectl-oidc_login %s ...", strings.Join(s.stage.plugin.arguments[:2], " "))
	return s.measured(func(w io.Writer) error {
		shown, err := s.stage.plugin.credential(ctx, w)
		if err != nil {
			return err
		}
		s.expiry = shown.expiry
		s.say("%s", shown.text)
		return nil
	})
}

func (s *story) showNextCommand(ctx context.Context) error {
	s.step("The next command: nobody has to wait")
	return s.runKubectl(ctx, "get", "pods")
}

func (s *story) showRenewal(ctx context.Context) error {
	s.step("The token ends, and you do not notice")
	s.say("It lives %s, since whoever finds it can use it. Shortly before its end, the plugin gets a new one.", s.lifetime)
	before := s.stage.provider.RefreshToken()
	// The credential names whole seconds, so the token may be handed out for up to one more.
	if err := s.countDown(ctx, "Seconds until then:", s.expiry.Add(time.Second)); err != nil {
		return err
	}
	if err := s.runKubectl(ctx, "auth", "whoami"); err != nil {
		return err
	}
	if s.stage.provider.RefreshToken() == before {
		s.say("The plugin paid with its refresh token, which only the provider sees, and may use it again.")
		return nil
	}
	s.say("The plugin paid with its refresh token, which only the provider sees, and got a new one: each works once.")
	return nil
}

func (s *story) showEnd() {
	s.step("All is gone again: the servers, and the folder with the tokens")
	s.say("They lay in files there (--token-cache-storage=disk) so as not to touch your keychain, where they belong.")
}

// runKubectl shows a command and what it prints.
func (s *story) runKubectl(ctx context.Context, arguments ...string) error {
	s.say("$ kubectl %s", strings.Join(arguments, " "))
	return s.measured(func(w io.Writer) error {
		err := s.stage.kubectl.run(ctx, w, w, arguments...)
		if err == nil || ctx.Err() != nil {
			return err
		}
		advice := "The lines above say why."
		if !s.stage.kubectl.isStandIn {
			advice += " If " + s.stage.kubectl.path + " is older than 1.28, take it off your PATH: the demo can do without."
		}
		return problem{fmt.Errorf("kubectl %s: %w", strings.Join(arguments, " "), err), advice}
	})
}

// measured runs something and says what it cost.
func (s *story) measured(run func(io.Writer) error) error {
	before, started := s.stage.provider.traffic(), time.Now()
	if err := run(s.quotes()); err != nil {
		return err
	}
	s.say("(%s, %s)", rounded(time.Since(started)), s.stage.provider.traffic().since(before))
	return nil
}
