package loopback

import (
	"crypto/sha256"
	_ "embed" // for the parts of the page
	"encoding/base64"
	"html"
	"net/http"
	"strconv"
	"strings"
)

// Page is what the browser shows at the end of a login. Its texts may come from strangers; they are escaped.
type Page struct {
	OK      bool     // whether it went well
	Title   string   // the outcome, one short line
	Lines   []string // what happened, a paragraph each
	Hints   []string // what the person can do about it
	Details []Detail // who, where, with what
	// Next is where the browser goes in place of seeing this, if it went well; empty: nowhere. It is the person's own word.
	Next string
}

// Detail is one fact. It is left out if it has no value.
type Detail struct{ Name, Value string }

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string // tries to close the window
	//go:embed form.html
	formHTML string
	//go:embed form.js
	formJS string // sends the form
)

// contentSecurityPolicy lets an answer use nothing at all. The page adds the hashes of its own style and script.
const contentSecurityPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// protect sets the headers that every answer of the listener has.
func protect(header http.Header) {
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
}

func (p Page) write(w http.ResponseWriter) {
	if p.OK && p.Next != "" {
		w.Header().Set("Location", p.Next)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	text := p.html()
	policy, status := contentSecurityPolicy+"; style-src "+hashSource(pageCSS), http.StatusBadRequest
	if p.OK {
		policy, status = policy+"; script-src "+hashSource(pageJS), http.StatusOK
	}
	writeHTML(w, status, policy, text)
}

func writeHTML(w http.ResponseWriter, status int, policy, text string) {
	w.Header().Set("Content-Security-Policy", policy)
	write(w, status, "text/html", text)
}

func writeText(w http.ResponseWriter, status int, text string) { write(w, status, "text/plain", text) }

// write says how long the text is, so that it is whole for the browser once flushed: the listener may close right after.
func write(w http.ResponseWriter, status int, mediaType, text string) {
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// hashSource allows one inline style or script, by its text (https://www.w3.org/TR/CSP3/#grammardef-hash-source).
func hashSource(text string) string {
	hash := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"
}

func (p Page) html() string {
	state, role, mark, script := "failed", "alert", "M8 8l8 8M16 8l-8 8", ""
	if p.OK {
		// A failure stays until it has been read, so it has no script.
		state, role, mark, script = "ok", "status", "M7 12.5l3.5 3.5L17 9", "<script>"+pageJS+"</script>"
	}
	return strings.NewReplacer(
		"{{title}}", html.EscapeString(p.Title),
		"{{style}}", pageCSS,
		"{{state}}", state,
		"{{role}}", role,
		"{{mark}}", mark,
		"{{lines}}", paragraphs(p.Lines),
		"{{hints}}", section(p.Hints),
		"{{details}}", list(p.Details),
		"{{script}}", script,
	).Replace(pageHTML)
}

func paragraphs(lines []string) string {
	var text strings.Builder
	for _, line := range lines {
		text.WriteString("<p>" + html.EscapeString(line) + "</p>")
	}
	return text.String()
}

func section(hints []string) string {
	if len(hints) == 0 {
		return ""
	}
	return `<section aria-labelledby="hints"><h2 id="hints">What you can do</h2>` + paragraphs(hints) + "</section>"
}

// list isolates the values, so that a name in another writing direction does not disturb the rest.
func list(details []Detail) string {
	var text strings.Builder
	for _, detail := range details {
		if detail.Value != "" {
			text.WriteString("<div><dt>" + html.EscapeString(detail.Name) + "</dt><dd><bdi>" + html.EscapeString(detail.Value) +
				"</bdi></dd></div>")
		}
	}
	if text.Len() == 0 {
		return ""
	}
	return "<dl>" + text.String() + "</dl>"
}
