package e2e

import (
	"testing"
	"time"
)

// eventually calls probe until it has nothing to complain about. It is the only place of this package that waits for
// something to become true; after the limit the test fails with the last complaint.
func eventually(tb testing.TB, limit time.Duration, what string, probe func() error) {
	tb.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := probe()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			tb.Fatalf("waited %s for %s: %v", limit, what, err)
		case <-tb.Context().Done():
			tb.Fatalf("the test ended while it waited for %s: %v", what, err)
		}
	}
}
