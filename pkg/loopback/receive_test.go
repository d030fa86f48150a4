package loopback

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// hastyBrowser asks for the page as soon as it is sent there, while the callback's handler is still at work.
type hastyBrowser struct {
	*httptest.ResponseRecorder
	goOn func()
}

func (b hastyBrowser) Flush() { b.goOn() }

func TestPageIsThereForAHastyBrowser(t *testing.T) {
	t.Parallel()
	h := &handler{
		door:   newDoor(url.URL{Scheme: "http", Host: "localhost:8000"}),
		finish: func(url.Values) Outcome { return Outcome{Page: Page{OK: true, Title: "done"}} },

		ready:    make(chan struct{}),
		answered: make(chan struct{}),
		fetched:  make(chan struct{}, 1),
	}
	h.begin("state")
	page := httptest.NewRecorder()
	h.ServeHTTP(hastyBrowser{httptest.NewRecorder(), func() {
		h.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "http://localhost:8000"+h.pagePath, nil))
	}}, httptest.NewRequest(http.MethodGet, "http://localhost:8000/?state=state", nil))
	if page.Code != http.StatusOK {
		t.Errorf("the page was answered with %d", page.Code)
	}
}
