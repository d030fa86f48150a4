package cli

import (
	"context"
	"testing"
)

// A Ctrl-C at a question of setup is called what it is, in a person's words.
func TestInterruptedQuestion(t *testing.T) {
	t.Parallel()
	env := Env{HasKeyboard: func() bool { return true }, ReadLine: func(context.Context) (string, error) { return "", context.Canceled }}
	setup := &setup{env: env, terminal: newTerminal(t.Output())}
	const want = "setup: interrupted; nothing was written"
	if _, err := setup.ask(t.Context(), "write this?", "no"); err == nil || err.Error() != want {
		t.Errorf("expected %q, got %v", want, err)
	}
}
