package idp

import (
	"fmt"
	"net"
	"net/http"
	"sync"
)

// busyConnections are those that were made and have not been answered yet, or not closed by who made them.
type busyConnections struct {
	mutex   sync.Mutex
	changed sync.Cond
	busy    map[net.Conn]bool
}

func newBusyConnections() *busyConnections {
	b := &busyConnections{busy: map[net.Conn]bool{}}
	b.changed.L = &b.mutex
	return b
}

// note is for http.Server.ConnState.
func (b *busyConnections) note(connection net.Conn, state http.ConnState) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if state == http.StateNew || state == http.StateActive {
		b.busy[connection] = true
	} else {
		delete(b.busy, connection)
	}
	b.changed.Broadcast()
}

// AwaitQuiet waits until all that was sent before is counted and answered, also what a process has sent that was killed then: it
// may lie unread in the network for a while. Processes that send something all the time are waited for, too.
func (s *Server) AwaitQuiet() error {
	// Connections are accepted in the order in which they were made, so when this one is known, all before it are.
	probe, err := net.Dial("tcp", s.address)
	if err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	defer func() { _ = probe.Close() }()
	isProbe := func(connection net.Conn) bool { return connection.RemoteAddr().String() == probe.LocalAddr().String() }

	b := s.connections
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for known := false; ; b.changed.Wait() {
		others := false
		for connection := range b.busy {
			if isProbe(connection) {
				known = true
			} else {
				others = true
			}
		}
		if known && !others {
			return nil
		}
	}
}
