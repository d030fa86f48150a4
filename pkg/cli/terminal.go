package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// terminal is where people read. What kubectl reads goes elsewhere.
//
// Rules of this file: one line a message, each begins with the program's name, since kubectl prints on the same
// terminal; the cause first, then hints on lines of their own; no control character of a stranger ever gets through.
type terminal struct {
	mutex  sync.Mutex
	writer io.Writer
}

func newTerminal(writer io.Writer) *terminal { return &terminal{writer: writer} }

// say prints one line.
func (t *terminal) say(format string, arguments ...any) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	_, _ = fmt.Fprintf(t.writer, "oidc-login: %s\n", oneLine(fmt.Sprintf(format, arguments...)))
}

// draw prints a picture of ours.
func (t *terminal) draw(picture string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	_, _ = io.WriteString(t.writer, picture)
}

// isTerminal tells terminals from files and pipes. It takes the null device for one, where nobody looks anyway.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// warn prints what did not stop the call.
func (t *terminal) warn(err error) { t.say("warning: %v", err) }

// report prints why the call failed, and what to do.
func (t *terminal) report(err error) {
	t.say("error: %v", err)
	t.hints(err)
}

// hints prints what can be done about a failure that was told.
func (t *terminal) hints(err error) {
	var failure *token.Error
	if errors.As(err, &failure) {
		for _, hint := range failure.Hint {
			t.say("hint: %s", hint)
		}
	}
}

// oneLine joins lines (errors.Join makes some) and drops control characters.
func oneLine(text string) string {
	return harmless(strings.ReplaceAll(strings.TrimSpace(text), "\n", "; "))
}

// harmless drops what a terminal would obey: control characters but for line feeds, and those that turn the writing
// direction.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && untrusted.IsObeyed(r) {
			return -1
		}
		return r
	}, text)
}

// waiting says for whom a lock is waited.
func (t *terminal) waiting(holder store.Holder) {
	doing := map[token.Purpose]string{token.Refresh: "renewing the token", token.Login: "logging in"}[holder.Purpose]
	if holder.PID == 0 {
		t.say("waiting for another process that is %s", doing)
		return
	}
	t.say("waiting for process %d, which has been %s since %s", holder.PID, doing, holder.Since.Format(time.TimeOnly))
}
