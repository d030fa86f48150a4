package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// slowClock is a clock that a script moves by hand, and that runs a thousand times slower by itself: however busy the
// machine is, no token ends while a script looks away; yet what comes later is later, also in another process.
type slowClock struct {
	origin time.Time // when it began; it is right then
	offset atomic.Int64
	slept  string // a file with the waits of all processes, by which the clock goes on too; or none
}

func (c *slowClock) now() time.Time {
	const slowness = 1000
	return c.origin.Add(time.Since(c.origin)/slowness + time.Duration(c.offset.Load()) + sum(sleepsIn(c.slept)))
}

func (c *slowClock) advance(step time.Duration) { c.offset.Add(int64(step)) }

// sleep takes no time: it moves the clock on, for the provider too.
func (c *slowClock) sleep(ctx context.Context, length time.Duration) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	file, err := os.OpenFile(c.slept, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, length)
	return errors.Join(err, file.Close())
}

func sleepsIn(path string) (sleeps []time.Duration) {
	text, _ := os.ReadFile(path) // nobody has slept yet
	for line := range strings.Lines(string(text)) {
		length, _ := time.ParseDuration(strings.TrimSpace(line))
		sleeps = append(sleeps, length)
	}
	return sleeps
}

func sum(lengths []time.Duration) (total time.Duration) {
	for _, length := range lengths {
		total += length
	}
	return total
}

// String is for the environment of a program; parseSlowClock reads it.
func (c *slowClock) String() string {
	return fmt.Sprintf("%d %d", c.origin.UnixNano(), c.offset.Load())
}

func parseSlowClock(text string) (*slowClock, error) {
	var origin, offset int64
	if _, err := fmt.Sscanf(text, "%d %d", &origin, &offset); err != nil {
		return nil, fmt.Errorf("clock %q: %w", text, err)
	}
	clock := &slowClock{origin: time.Unix(0, origin)}
	clock.offset.Store(offset)
	return clock, nil
}
