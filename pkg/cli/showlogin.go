package cli

import (
	"context"
	"sync"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/browser"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
)

// loginScreen brings a login before the person, and takes what they paste.
type loginScreen struct {
	env      Env
	terminal *terminal
	options  loginOptions
	issuer   string

	told     sync.Once
	mayPaste chan struct{} // closed when the person was told that they may
}

func newLoginScreen(env Env, terminal *terminal, options loginOptions, issuer string) *loginScreen {
	return &loginScreen{env: env, terminal: terminal, options: options, issuer: issuer, mayPaste: make(chan struct{})}
}

// show opens a browser where that can be done. The URL is printed only where none comes up: it holds the login's state.
func (s *loginScreen) show(_ context.Context, invitation provider.Invitation) {
	command := browserCommand(s.env, s.options)
	until := invitation.Until.Format(time.TimeOnly)
	if s.options.skipOpenBrowser {
		s.terminal.say("open this URL in a browser before %s to log in: %s", until, invitation.AuthorizationURL)
		s.sayWays(command.Place, invitation)
		return
	}
	if reason := command.WhyNot(); reason != nil {
		s.terminal.say("no browser opens here (%v); open this URL in one before %s to log in: %s", reason, until,
			invitation.AuthorizationURL)
		s.sayWays(command.Place, invitation)
		return
	}
	s.terminal.say("log in to %s in the browser window that opens, before %s", s.issuer, until)
	if command.Place.IsApart() {
		s.offerPaste()
	}
	go func() {
		if err := s.env.OpenBrowser(command, invitation.AuthorizationURL); err != nil {
			s.terminal.say("no browser could be opened (%v); open this URL in one: %s", err, invitation.AuthorizationURL)
			s.sayWays(command.Place, invitation)
		}
	}()
}

// sayWays is for a browser that is perhaps on another machine.
func (s *loginScreen) sayWays(place browser.Place, invitation provider.Invitation) {
	for _, way := range waysBack(s.env, place, invitation) {
		s.terminal.say("%s", way)
	}
	s.offerPaste()
	if invitation.OffersDeviceFlow && !place.Display {
		s.terminal.say("this provider also offers --grant-type=device-code, which needs no browser on this machine")
	}
}

// offerPaste lets the person bring the answer by hand, where they have a terminal that is free.
func (s *loginScreen) offerPaste() {
	s.told.Do(func() {
		if !s.env.HasKeyboard() {
			return
		}
		s.terminal.say("if the browser's last page cannot be reached, paste its address, or the code in it, here")
		close(s.mayPaste)
	})
}

// readAnswer leaves the terminal alone until the person was told to type: what they type ahead is for their shell.
func (s *loginScreen) readAnswer(ctx context.Context) (string, error) {
	select {
	case <-s.mayPaste:
		return s.env.ReadLine(ctx)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
