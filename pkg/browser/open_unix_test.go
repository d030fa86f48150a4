//go:build unix && !darwin

package browser

import (
	"strings"
	"testing"
	"time"
)

// What Windows keeps from running may hang; the next way must get its turn.
func TestOpenerThatHangs(t *testing.T) {
	t.Parallel()
	err := Command{}.runBriefly(50*time.Millisecond, "sleep", "60")
	if err == nil || !strings.Contains(err.Error(), "sleep: no window within 50ms") {
		t.Errorf("got %v", err)
	}
}
