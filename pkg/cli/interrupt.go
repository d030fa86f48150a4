package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// How often a process that waits for a person looks whether anybody still waits for it.
const parentCheck = time.Second

var errParentEnded = errors.New("the program that asked has ended")

// interruptible ends a context at Ctrl-C, at Ctrl-\, at SIGTERM, when the terminal goes, and when our parent has ended: nobody
// would read the answer, and a port and a lock would stay taken.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	// A reader of stderr that is gone must not end us between a refresh and its save.
	signal.Ignore(syscall.SIGPIPE)
	// Nor must Ctrl-\, which people press where Ctrl-C waits for that save.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	ctx, cancel := context.WithCancelCause(ctx)
	go watchParent(ctx, os.Getppid(), cancel)
	return ctx, func() { cancel(nil); stop() }
}

// sleep waits for a while, or for the end of the context.
func sleep(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// watchParent sees that its parent is another one; where an orphan keeps the number of its parent, it sees nothing.
func watchParent(ctx context.Context, parent int, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(parentCheck)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if os.Getppid() != parent {
				cancel(errParentEnded)
				return
			}
		}
	}
}
