package loopback

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Paste is for a browser that cannot reach the port: the person brings the answer from there by hand.
type Paste struct {
	// Read waits for a line of the person's until the context ends. An error ends the pasting, but not the wait.
	Read func(context.Context) (string, error)
	// Bare gets a line that is no address, so that no state proves what it belongs to. Its error says why the wait goes on.
	Bare func(text string) error
	// Refuse is told why a line was not taken.
	Refuse func(error)
}

var (
	errOtherLogin   = errors.New("the pasted address belongs to another login; still waiting")
	errNotAnAnswer  = errors.New("what was typed is neither an address nor a code; still waiting")
	errOtherAddress = errors.New("the pasted address is not that of the last page; still waiting")
)

// begin reads until the context ends or the wait is settled. The function that it returns ends the reading.
func (p *Paste) begin(ctx context.Context, h *handler) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for p.readOne(ctx, h) {
		}
	}()
	return func() { cancel(); <-ended }
}

// readOne reports whether to go on.
func (p *Paste) readOne(ctx context.Context, h *handler) bool {
	line, err := p.Read(ctx)
	if err != nil {
		return false
	}
	settled, err := p.judge(strings.TrimSpace(bracketsOff(line)), h)
	if err != nil {
		p.Refuse(err)
	}
	if settled {
		h.fetched <- struct{}{} // no browser comes for the page
		close(h.ready)
		close(h.answered)
	}
	return !settled
}

// judge reports whether the line has settled the wait, or why not.
func (p *Paste) judge(line string, h *handler) (settled bool, err error) {
	// Shorter ones would be guessed (https://www.rfc-editor.org/rfc/rfc6749#section-10.10), so it is a command that the
	// person typed ahead.
	const shortestCode = 16
	switch {
	case line == "":
		return false, nil
	case strings.Contains(line, "://") || strings.Contains(line, "?"):
		return h.takeAddress(line)
	case len(line) < shortestCode || strings.ContainsAny(line, " \t&"):
		return false, errNotAnAnswer
	}
	h.settling.Lock() // an answer of the browser that comes meanwhile waits for the outcome
	defer h.settling.Unlock()
	if h.settled {
		return false, nil
	}
	if text, err := url.PathUnescape(line); err == nil {
		line = text // it was copied from the address
	}
	if err := p.Bare(line); err != nil {
		return false, err
	}
	h.settled = true
	return true, nil
}

// takeAddress takes the address that the provider sent the browser to, on the same terms as a request to the port.
func (h *handler) takeAddress(text string) (taken bool, err error) {
	if !strings.Contains(text, "://") && !strings.HasPrefix(text, "?") && !strings.HasPrefix(text, "/") {
		text = h.redirectURI.Scheme + "://" + text // browsers hide it
	}
	address, err := h.redirectURI.Parse(text)
	if err != nil {
		return false, errNotAnAnswer // the error would show the code
	}
	if address.Path == "" {
		address.Path = "/"
	}
	if address.Scheme != h.redirectURI.Scheme || !h.knowsHost(address.Host) || address.Path != h.callbackPath() {
		return false, fmt.Errorf("%w for one that begins with %s?", errOtherAddress, h.callbackURL())
	}
	query, err := url.ParseQuery(address.RawQuery)
	attempt := h.current.Load()
	if err != nil || !attempt.isAnsweredBy(query) {
		return false, errOtherLogin
	}
	again, ok := h.take(attempt, query)
	if again != nil {
		return false, fmt.Errorf("the provider wants to be asked in another way; open this URL now: %s", again.URL)
	}
	return ok, nil
}

func (h *handler) callbackURL() string {
	shown := h.redirectURI
	shown.Path, shown.RawQuery = h.callbackPath(), ""
	return shown.String()
}

// bracketsOff takes off what terminals put around pasted text where a program has asked for that and not taken it back.
func bracketsOff(line string) string {
	return strings.NewReplacer("\x1b[200~", "", "\x1b[201~", "").Replace(line)
}
