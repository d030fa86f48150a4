package test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"sync"
)

// typist is a person who reads what the program says, and types what a script lets them type.
type typist struct {
	// "CODE" and "ADDRESS" stand for what a browser ends with that opens the URL seen last; at "NOTHING" the person leaves.
	typed []string
	seen  io.Writer
	mutex sync.Mutex
	text  bytes.Buffer
}

func (t *typist) Write(text []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.text.Write(text)
	return t.seen.Write(text)
}

func (t *typist) readLine(ctx context.Context) (string, error) {
	if len(t.typed) == 0 {
		return "", errors.New("the script types nothing more")
	}
	line := t.typed[0]
	t.typed = t.typed[1:]
	switch line {
	case "CODE":
		return answerOf(t.lastURL()).Query().Get("code"), nil
	case "NOTHING":
		<-ctx.Done()
		return "", context.Cause(ctx)
	case "ADDRESS":
		return answerOf(t.lastURL()).String(), nil
	}
	return line, nil
}

func (t *typist) readSecret(ctx context.Context, ready func()) (string, error) {
	ready()
	return t.readLine(ctx)
}

func (t *typist) lastURL() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	urls := regexp.MustCompile(`https?://\S+`).FindAllString(t.text.String(), -1)
	return urls[len(urls)-1]
}
