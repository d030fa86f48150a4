package cli

import (
	"context"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/browser"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
)

// loginScreen brings a login before the person.
type loginScreen struct {
	env      Env
	terminal *terminal
	options  loginOptions
	issuer   string
}

func newLoginScreen(env Env, terminal *terminal, options loginOptions, issuer string) *loginScreen {
	return &loginScreen{env: env, terminal: terminal, options: options, issuer: issuer}
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
	if invitation.OffersDeviceFlow && !place.Display {
		s.terminal.say("this provider also offers the device flow, which needs no browser on this machine")
	}
}
