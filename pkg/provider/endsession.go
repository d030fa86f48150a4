package provider

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/loopback"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// ErrNoBrowser says that no browser came up.
var ErrNoBrowser = errors.New("no browser could be opened")

// EndSession is the end of a person's session at the provider
// (https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout). Their browser has that session, so only it can
// ask for the end.
type EndSession struct {
	provider *Provider
	endpoint *url.URL
	hint     token.Secret
	redirect *url.URL
}

// ParsePostLogoutRedirectURI reads the address at which the browser ends, as it is registered at the provider; empty: nil.
func ParsePostLogoutRedirectURI(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	parsed, err := url.Parse(text)
	switch {
	case err != nil || !isWeb(parsed) || parsed.Fragment != "" || untrusted.Printable(text) != text:
		return nil, misused(fmt.Errorf("post-logout redirect URI %q is not an http or https URL without user name and fragment", untrusted.Printable(text)))
	case isLoopback(parsed.Hostname()) && (parsed.Scheme != "http" || parsed.Port() == "" || parsed.Port() == "0"):
		return nil, misused(fmt.Errorf("post-logout redirect URI %q leads to this machine, so it must be http and name a port", text))
	}
	return parsed, nil
}

// EndSession prepares the request. Hint is the ID token of the session, however old; empty: the provider may ask the
// person which session is meant. Redirect is what ParsePostLogoutRedirectURI returned.
func (p *Provider) EndSession(ctx context.Context, hint token.Secret, redirect *url.URL) (*EndSession, error) {
	from, _, err := p.discover(ctx, false)
	if err != nil {
		return nil, err
	}
	if from.EndSessionURL == "" {
		return nil, failed("Log out at the provider itself, in your browser.",
			"discovery: the provider has no end_session_endpoint, so your session in the browser goes on")
	}
	if err := checkEndpoint("end_session_endpoint", from.EndSessionURL); err != nil {
		return nil, err
	}
	address, ok := webAddress(from.EndSessionURL)
	if !ok {
		return nil, failed("Tell the provider's administrator.", "discovery: end_session_endpoint is not an address for browsers")
	}
	endpoint, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	return &EndSession{p, endpoint, hint, redirect}, nil
}

// Host is where the browser is sent.
func (e *EndSession) Host() string { return untrusted.Printable(e.endpoint.Host) }

// PlainURL is for a browser on another machine: it has no token in it, since addresses are in histories and logs.
func (e *EndSession) PlainURL() string {
	address := *e.endpoint
	query := address.Query()
	query.Set("client_id", e.provider.config.ClientID)
	if e.redirect != nil && !e.comesBack() {
		query.Set("post_logout_redirect_uri", e.redirect.String())
	}
	address.RawQuery = query.Encode()
	return address.String()
}

// comesBack reports whether the browser ends at this machine.
func (e *EndSession) comesBack() bool { return e.redirect != nil && isLoopback(e.redirect.Hostname()) }

// InBrowser sends the request by a form, which open brings before the person as the address of a page on this machine. It
// reports whether the browser has come back from the provider. Where it has not, or with a state of somebody else's, that
// is a warning: the browser's session may have ended or not, and that of this program has.
func (e *EndSession) InBrowser(ctx context.Context, timeout time.Duration, open func(address string) error) (back bool, err error) {
	listener, err := loopback.Listen(e.listenConfig())
	if err != nil {
		return false, failed("Free the port, or leave out the post-logout redirect URI.", "%w", err)
	}
	defer listener.Close()
	state := rand.Text() // https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RedirectionAfterLogout
	var known atomic.Bool
	var returned func(url.Values) loopback.Page
	if e.comesBack() {
		returned = func(response url.Values) loopback.Page {
			known.Store(equal(response.Get("state"), state))
			return e.lastPage(known.Load())
		}
	}
	handover := listener.HandOver(e.form(state), returned)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTooLate)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		// A browser that came up may still end badly, hours later.
		if err := open(handover.URL()); err != nil && !handover.Taken() {
			stop(fmt.Errorf("%w (%w)", ErrNoBrowser, err))
		}
	}()
	err = handover.Await(ctx)
	if handover.AskedForAgain() {
		e.provider.config.Warn(e.askedForAgain())
	}
	switch {
	case err == nil && returned != nil && !known.Load():
		e.provider.config.Warn(errors.New("the browser has come back with another state than it was sent with; look there whether you are logged out"))
	case errors.Is(err, errTooLate) && handover.Taken():
		e.provider.config.Warn(fmt.Errorf("the browser has not come back within %s; look there whether you are logged out", timeout))
		err = nil
	case errors.Is(err, errTooLate):
		err = failed("Log out at the provider itself, in your browser.",
			"logout: no browser has come within %s, so your session at the provider goes on", timeout)
	case errors.Is(err, context.Canceled):
		err = fmt.Errorf("logout: %w", errInterrupted)
	}
	return err == nil && known.Load(), err
}

// askedForAgain says what a second visitor means: the browser gets the page's address as an argument, which every user of
// the machine may see.
func (e *EndSession) askedForAgain() error {
	what := "no token is in it"
	if !e.hint.IsEmpty() {
		what = "your ID token is in it, which works for a cluster until it expires"
	}
	return fmt.Errorf("the page that logs your browser out was asked for twice, so another user of this machine may have got it first; %s", what)
}

func (e *EndSession) listenConfig() loopback.Config {
	if !e.comesBack() {
		return loopback.Config{Addresses: []string{"127.0.0.1:0"}}
	}
	return loopback.Config{
		Addresses:   []string{net.JoinHostPort(e.redirect.Hostname(), e.redirect.Port())},
		RedirectURL: e.redirect,
	}
}

// form is posted, which every provider must take (https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout).
func (e *EndSession) form(state string) loopback.Form {
	fields := url.Values{"client_id": {e.provider.config.ClientID}, "state": {state}}
	if !e.hint.IsEmpty() {
		fields.Set("id_token_hint", e.hint.Reveal())
	}
	if e.redirect != nil {
		fields.Set("post_logout_redirect_uri", e.redirect.String())
	}
	return loopback.Form{
		Title:  "Log out",
		Lines:  []string{"You are logged out on this machine. This ends your session at " + e.Host() + " too."},
		Action: e.endpoint.String(),
		Fields: fields,
	}
}

func (e *EndSession) lastPage(known bool) loopback.Page {
	page := loopback.Page{
		OK:    true,
		Title: "You are logged out",
		Details: []loopback.Detail{
			{Name: "Issuer", Value: untrusted.Printable(e.provider.config.Issuer)},
			{Name: "Client", Value: untrusted.Printable(e.provider.config.ClientID)},
		},
	}
	if !known {
		page.Title = "You are logged out on this machine"
		page.Lines = []string{"The provider's answer belongs to another logout. Look there whether your session has ended."}
	}
	return page
}
