package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"
)

// indent sets what is said and shown in a step apart from its heading.
const indent = "   "

// narrator prints the story.
type narrator struct {
	w     io.Writer
	steps int
}

// step begins the next step.
func (n *narrator) step(title string) {
	n.steps++
	_, _ = fmt.Fprintf(n.w, "\n%d. %s\n", n.steps, title)
}

// say prints lines within a step.
func (n *narrator) say(format string, arguments ...any) {
	_, _ = fmt.Fprintf(n.quotes(), format+"\n", arguments...)
}

// quotes takes the output of a program that is run within a step.
func (n *narrator) quotes() io.Writer { return &indenter{w: n.w, lineStart: true} }

// countDown counts the seconds on a line of its own. It leaves none out, also where the machine is late.
func (n *narrator) countDown(ctx context.Context, text string, until time.Time) error {
	_, _ = fmt.Fprint(n.w, indent+text)
	for seconds := (time.Until(until) + time.Second - 1) / time.Second; seconds > 0; seconds-- {
		_, _ = fmt.Fprintf(n.w, " %d", seconds)
		select {
		case <-time.After(time.Until(until.Add(-(seconds - 1) * time.Second))):
		case <-ctx.Done():
			_, _ = fmt.Fprintln(n.w)
			return ctx.Err()
		}
	}
	_, _ = fmt.Fprintln(n.w, " now.")
	return nil
}

// indenter indents lines. They may come in pieces.
type indenter struct {
	w         io.Writer
	lineStart bool
}

func (i *indenter) Write(text []byte) (int, error) {
	var indented bytes.Buffer
	for line := range bytes.Lines(text) {
		if i.lineStart {
			indented.WriteString(indent)
		}
		indented.Write(line)
		i.lineStart = bytes.HasSuffix(line, []byte("\n"))
	}
	if _, err := i.w.Write(indented.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// rounded leaves out what nobody wants to read of a duration.
func rounded(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}
