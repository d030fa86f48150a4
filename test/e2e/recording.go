package e2e

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Recording is what somebody typed at a terminal and saw there.
type Recording struct {
	computer *Workstation
	commands []recordedCommand
}

type recordedCommand struct {
	typed string
	shown []string // the rows of the screen
	took  time.Duration
}

// Type runs a command at a terminal of the computer; meanwhile, somebody may do something else.
func (r *Recording) Type(tb testing.TB, typed string, meanwhile func()) {
	tb.Helper()
	started := time.Now()
	terminal := r.computer.SitDownAtDesk(tb, "bash", "-ec", typed)
	meanwhile()
	output := terminal.End(tb)
	expectSuccess(tb, output)
	shown := strings.Split(strings.TrimSpace(strings.ReplaceAll(output.Stderr, "\r\n", "\n")), "\n")
	r.commands = append(r.commands, recordedCommand{typed, wrap(shown), time.Since(started)})
}

// wrap breaks lines as a terminal does.
func wrap(lines []string) []string {
	var rows []string
	for _, line := range lines {
		for utf8.RuneCountInString(line) > recordedColumns {
			rows = append(rows, string([]rune(line)[:recordedColumns]))
			line = string([]rune(line)[recordedColumns:])
		}
		rows = append(rows, line)
	}
	return rows
}

const (
	recordedColumns = 100
	cellWidth       = 8.4 // pixels, as are the following
	cellHeight      = 20
	margin          = 20

	keyStroke = 45 * time.Millisecond
	pause     = 900 * time.Millisecond // before somebody types again
	longest   = 2500 * time.Millisecond
)

// SVG plays the recording once, at the speed at which it went; waits for a person are cut short. Where motion is not wanted, it
// shows the end.
func (r *Recording) SVG() string {
	var body strings.Builder
	row, at := 0, 500*time.Millisecond
	show := func(column int, text, class string) {
		length := float64(utf8.RuneCountInString(text)) * cellWidth
		fmt.Fprintf(&body, `<text class="%s" style="animation-delay:%dms" x="%.1f" y="%d" textLength="%.1f" xml:space="preserve">%s</text>`+"\n",
			class, at.Milliseconds(), margin+float64(column)*cellWidth, margin+14+row*cellHeight, length, html.EscapeString(text))
	}
	for _, command := range r.commands {
		show(0, "$", "prompt")
		for i, key := range []rune(command.typed) {
			at += keyStroke
			if key != ' ' {
				show(2+i, string(key), "typed")
			}
		}
		row++
		for i, line := range command.shown {
			switch i {
			case 0:
				at += 50 * time.Millisecond
			case 1: // the first line may be a question to a person
				at += min(command.took, longest)
			}
			if line != "" {
				show(0, line, "shown")
			}
			row++
		}
		at += pause
	}
	columns := float64(recordedColumns)
	width, height := int(columns*cellWidth)+2*margin, row*cellHeight+2*margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="A terminal">
<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d7dce2; animation: appear 1ms both; }
.prompt { fill: #7fb4ff; }
.typed { fill: #ffffff; }
@keyframes appear { from { visibility: hidden; } to { visibility: visible; } }
@media (prefers-reduced-motion: reduce) { text { animation: none; } }
</style>
<rect width="100%%" height="100%%" rx="8" fill="#14191f"/>
%s</svg>
`, width, height, width, height, body.String())
}

var svgText = regexp.MustCompile(`(?s)class="(prompt|typed|shown)"[^>]*>(.*?)</text>`)

// recordedWords are the words of such a picture, without what differs each time: digits, and the blanks of columns.
func recordedWords(svg string) string {
	var words strings.Builder
	for _, match := range svgText.FindAllStringSubmatch(svg, -1) {
		words.WriteString(match[2])
		if match[1] == "shown" {
			words.WriteByte('\n')
		}
	}
	return regexp.MustCompile(`[0-9:]+[smh]?| +`).ReplaceAllString(html.UnescapeString(words.String()), " ")
}
