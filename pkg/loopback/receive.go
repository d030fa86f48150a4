package loopback

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Long enough for a browser on a busy machine, short enough that a silent connection does not stay.
	readTimeout = 5 * time.Second
	// A callback carries a code, a state and an issuer; a kilobyte is usual.
	maxHeaderBytes = 64 << 10
	// How long we stay for the browser to fetch the last page. A browser does so within milliseconds.
	pageTimeout = time.Second
)

// Outcome is what the answer to a login leads to.
type Outcome struct {
	Page Page
	// Again sends the browser on to another login, whose answer is then waited for; nil: it is over, and Page shows how.
	Again *Again
}

// Again is a login that takes the place of one.
type Again struct {
	URL   string // the authorization URL
	State string // what its answer carries
}

// Receive waits for the answer that carries the state, gives its parameters to finish, once for each login, and shows the
// browser the page of the last outcome. It returns when the page has been fetched, or soon after; or when the context
// ends, with its cause. Any other request is answered and the wait goes on: an old tab, a prefetch or a hostile page ends
// no login. With paste, a person can bring the answer too; its reader has ended when Receive returns.
func (l *Listener) Receive(ctx context.Context, state string, finish func(url.Values) Outcome, paste *Paste) error {
	handler := &handler{
		door:     newDoor(l.redirectURI),
		finish:   finish,
		answered: make(chan struct{}),
		ready:    make(chan struct{}),
		fetched:  make(chan struct{}, 1),
	}
	handler.begin(state)
	if paste != nil {
		defer paste.begin(ctx, handler)()
	}
	return l.serve(ctx, handler, handler.answered, handler.fetched)
}

// serve returns when there was an answer and its page has been fetched, or soon after; or when the context ends, with its
// cause.
func (l *Listener) serve(ctx context.Context, handler http.Handler, answered, fetched <-chan struct{}) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: l.readTimeout,
		ReadTimeout:       l.readTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(io.Discard, "", 0), // strangers' broken requests are not the person's business
	}
	defer func() { _ = server.Close() }()
	stopped := make(chan error, len(l.sockets))
	for _, socket := range l.sockets {
		if l.tls != nil {
			socket = tls.NewListener(socket, l.tls)
		}
		go func() { stopped <- server.Serve(socket) }()
	}

	select {
	case <-answered:
	case err := <-stopped:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	timer := time.NewTimer(pageTimeout)
	defer timer.Stop()
	select {
	case <-fetched:
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// handler answers every request to the port, and recognises the one that counts.
type handler struct {
	door
	finish func(url.Values) Outcome

	current  atomic.Pointer[attempt]
	settling sync.Mutex    // held while an answer is judged; guards settled
	settled  bool          // the wait has its outcome
	ready    chan struct{} // closed when page is valid
	answered chan struct{} // closed when who brought the answer has been told
	page     Page
	fetched  chan struct{} // gets one value when nobody waits for the page any more
}

// attempt is one login.
type attempt struct {
	state string
	taken atomic.Bool // an answer with the state has come
}

// ServeHTTP sorts requests out, the strangest first.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	switch {
	case !h.knowsHost(r.Host):
		// A foreign name that resolves to this machine is DNS rebinding.
		http.Error(w, "unknown host", http.StatusMisdirectedRequest)
	case r.URL.Path != h.callbackPath() && r.URL.Path != h.pagePath:
		http.NotFound(w, r)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
	case r.URL.Path == h.pagePath:
		h.servePage(w, r)
	default:
		h.serveCallback(w, r)
	}
}

// serveCallback takes the answer. The state is compared before anything else is looked at, in success and error answers
// alike (https://www.rfc-editor.org/rfc/rfc6749#section-10.12); a request without it is not for us.
func (h *handler) serveCallback(w http.ResponseWriter, r *http.Request) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	attempt := h.current.Load()
	if err != nil || !attempt.isAnsweredBy(query) {
		http.Error(w, "This is not the answer to the login that is under way. It is still waiting.", http.StatusBadRequest)
		return
	}
	again, ok := h.take(attempt, query)
	if !ok {
		http.Error(w, "This answer was handled already. You can close this window.", http.StatusConflict)
		return
	}
	if again != nil {
		// Only who brought the state learns of the next one.
		w.Header().Set("Location", again.URL)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	// The code leaves the address bar and the history: the browser goes on to a page without a query
	// (https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2.5).
	close(h.ready) // first: a browser may ask for the page before this function goes on
	w.Header().Set("Location", h.pagePath)
	w.WriteHeader(http.StatusSeeOther)
	_ = http.NewResponseController(w).Flush()
	close(h.answered)
}

// take settles the wait with an answer that carries the state, or begins the next attempt; it is not ok if there was an
// answer before. Copies of the answer need not wait to hear that they are late.
func (h *handler) take(attempt *attempt, answer url.Values) (again *Again, ok bool) {
	if !attempt.taken.CompareAndSwap(false, true) {
		return nil, false
	}
	h.settling.Lock()
	defer h.settling.Unlock()
	if h.settled {
		return nil, false
	}
	outcome := h.finish(answer)
	if outcome.Again != nil {
		h.begin(outcome.Again.State)
		return outcome.Again, true
	}
	h.page, h.settled = outcome.Page, true
	return nil, true
}

func (h *handler) begin(state string) { h.current.Store(&attempt{state: state}) }

// servePage shows how it ended.
func (h *handler) servePage(w http.ResponseWriter, r *http.Request) {
	servePage(w, r, h.ready, &h.page, h.fetched)
}

// servePage shows a page that is valid once ready is closed, and tells by fetched, which need not be awaited, that it went out.
func servePage(w http.ResponseWriter, r *http.Request, ready <-chan struct{}, page *Page, fetched chan<- struct{}) {
	select {
	case <-ready:
	default:
		http.NotFound(w, r)
		return
	}
	page.write(w)
	_ = http.NewResponseController(w).Flush()
	select {
	case fetched <- struct{}{}:
	default:
	}
}

// isAnsweredBy compares in constant time; a state given twice is nobody's
// (https://www.rfc-editor.org/rfc/rfc6749#section-3.1).
func (a *attempt) isAnsweredBy(query url.Values) bool {
	states := query["state"]
	return len(states) == 1 && subtle.ConstantTimeCompare([]byte(states[0]), []byte(a.state)) == 1
}

// door is where browsers come to.
type door struct {
	redirectURI url.URL
	// pagePath leads to the last page. Only the browser that brings the answer is told, so that no other user of the
	// machine reads on it who logged in, or fetches it in that browser's place.
	pagePath string
}

func newDoor(redirectURI url.URL) door { return door{redirectURI, "/done/" + rand.Text()} }

func (d door) knowsHost(hostPort string) bool {
	host := hostPort
	if name, _, err := net.SplitHostPort(hostPort); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1", strings.ToLower(d.redirectURI.Hostname())}, host)
}

func (d door) callbackPath() string {
	if d.redirectURI.Path == "" {
		return "/"
	}
	return d.redirectURI.Path
}
