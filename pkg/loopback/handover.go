package loopback

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// Form is what the browser is to post to somebody else. Its values come to the browser in a page of ours, so they are in
// no argument of a program, no address and no history.
type Form struct {
	Title  string     // what it is for, one short line
	Lines  []string   // the same at length, a paragraph each
	Action string     // who gets it: an http or https URL
	Fields url.Values // what they get
}

// Handover brings a form to one browser.
type Handover struct {
	door
	listener *Listener
	form     Form
	path     string
	back     func(url.Values) Page

	taken   atomic.Bool // a browser has the form
	again   atomic.Bool // somebody came for it later
	settled atomic.Bool // it has come back
	done    chan struct{}
	page    Page
	fetched chan struct{}
}

// HandOver prepares a page with the form at an address that nobody can guess, and that is good for one visit. With back,
// the browser is expected to come to the redirect URI afterwards; it gets the page that back makes of the parameters.
func (l *Listener) HandOver(form Form, back func(url.Values) Page) *Handover {
	return &Handover{
		door:     newDoor(l.redirectURI),
		listener: l,
		form:     form,
		path:     "/" + rand.Text(),
		back:     back,
		done:     make(chan struct{}),
		fetched:  make(chan struct{}, 1),
	}
}

// URL is the page's, for one browser.
func (h *Handover) URL() string {
	address := h.redirectURI
	address.Path, address.RawQuery = h.path, ""
	return address.String()
}

// Taken reports whether a browser has got the form.
func (h *Handover) Taken() bool { return h.taken.Load() }

// AskedForAgain reports whether somebody came for the form when it was taken: two know its address, and whoever it was meant
// for may be the one who came too late.
func (h *Handover) AskedForAgain() bool { return h.again.Load() }

// Await returns when the browser has come back with the form's answer, or, where that is not expected, soon after a browser
// has got the form; or when the context ends, with its cause.
func (h *Handover) Await(ctx context.Context) error {
	return h.listener.serve(ctx, h, h.done, h.fetched)
}

// ServeHTTP sorts requests out as a login does.
func (h *Handover) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	isForm := subtle.ConstantTimeCompare([]byte(r.URL.Path), []byte(h.path)) == 1
	isBack := h.back != nil && r.URL.Path == h.callbackPath()
	isPage := h.back != nil && r.URL.Path == h.pagePath
	switch {
	case !h.knowsHost(r.Host):
		http.Error(w, "unknown host", http.StatusMisdirectedRequest)
	case !isForm && !isBack && !isPage:
		http.NotFound(w, r)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
	case isForm:
		h.serveForm(w)
	case isBack:
		h.serveBack(w, r)
	default:
		servePage(w, r, h.done, &h.page, h.fetched)
	}
}

func (h *Handover) serveForm(w http.ResponseWriter) {
	if !h.taken.CompareAndSwap(false, true) {
		h.again.Store(true)
		writeText(w, http.StatusGone, "This page was shown already. You can close this window.\n")
		_ = http.NewResponseController(w).Flush()
		if h.back == nil {
			h.end()
		}
		return
	}
	h.form.write(w)
	_ = http.NewResponseController(w).Flush()
	if h.back == nil {
		close(h.done) // for a moment a second visitor can still come, who would tell that the first was a stranger
	}
}

// end says that nothing is to be waited for any more.
func (h *Handover) end() {
	select {
	case h.fetched <- struct{}{}:
	default:
	}
}

// serveBack takes the first visit after the form was handed out, whatever it brings.
func (h *Handover) serveBack(w http.ResponseWriter, r *http.Request) {
	if !h.taken.Load() || !h.settled.CompareAndSwap(false, true) {
		http.Error(w, "Nobody waits for this. You can close this window.", http.StatusConflict)
		return
	}
	h.page = h.back(r.URL.Query())
	close(h.done) // first: a browser may ask for the page before this function goes on
	w.Header().Set("Location", h.pagePath)
	w.WriteHeader(http.StatusSeeOther)
	_ = http.NewResponseController(w).Flush()
}

// write sends the form on by a script, or by a button where there are no scripts. Where the form may lead is not limited:
// browsers hold that against redirects too, and a provider may have several hosts
// (https://www.w3.org/TR/CSP3/#directive-form-action).
func (f Form) write(w http.ResponseWriter) {
	policy := strings.Replace(contentSecurityPolicy, "form-action 'none'", "form-action http: https:", 1) +
		"; style-src " + hashSource(pageCSS) + "; script-src " + hashSource(formJS)
	writeHTML(w, http.StatusOK, policy, f.html())
}

func (f Form) html() string {
	var fields strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		for _, value := range f.Fields[name] {
			fields.WriteString(`<input type="hidden" name="` + html.EscapeString(name) + `" value="` + html.EscapeString(value) + `">`)
		}
	}
	return strings.NewReplacer(
		"{{title}}", html.EscapeString(f.Title),
		"{{style}}", pageCSS,
		"{{action}}", html.EscapeString(f.Action),
		"{{lines}}", paragraphs(f.Lines),
		"{{fields}}", fields.String(),
		"{{script}}", formJS,
	).Replace(formHTML)
}
