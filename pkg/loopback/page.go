package loopback

import (
	_ "embed" // for the page's text
	"html"
	"net/http"
	"strconv"
	"strings"
)

// Page is what the browser shows at the end of a login. Its texts may come from strangers; they are escaped.
type Page struct {
	OK    bool     // whether it went well
	Title string   // one short line
	Lines []string // what happened, a paragraph each
}

//go:embed page.html
var pageHTML string

// contentSecurityPolicy lets the page use its own style and nothing else. The style needs no hash: no text on the page
// can bring one in, since all of it is escaped.
const contentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'"

// protect sets the headers that every answer of the listener has.
func protect(header http.Header) {
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
}

func (p Page) write(w http.ResponseWriter) {
	state, status := "failed", http.StatusBadRequest
	if p.OK {
		state, status = "ok", http.StatusOK
	}
	var lines strings.Builder
	for _, line := range p.Lines {
		lines.WriteString("<p>" + html.EscapeString(line) + "</p>\n")
	}
	text := strings.NewReplacer("{{state}}", state, "{{title}}", html.EscapeString(p.Title), "{{lines}}", lines.String()).
		Replace(pageHTML)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
