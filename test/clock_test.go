package test

import (
	"fmt"
	"sync/atomic"
	"time"
)

// slowClock is a clock that a script moves by hand, and that runs a thousand times slower by itself: however busy the
// machine is, no token ends while a script looks away; yet what comes later is later, also in another process.
type slowClock struct {
	origin time.Time // when it began; it is right then
	offset atomic.Int64
}

func (c *slowClock) now() time.Time {
	const slowness = 1000
	return c.origin.Add(time.Since(c.origin)/slowness + time.Duration(c.offset.Load()))
}

func (c *slowClock) advance(step time.Duration) { c.offset.Add(int64(step)) }

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
