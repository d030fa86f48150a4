package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
)

// handedOut are the ports that a test has already: it may not listen yet.
var handedOut sync.Map

// freeAddress returns a loopback address, 127.0.0.1:PORT, on which nobody listens. The port lies below those that the
// kernel gives to outgoing connections, so that none of these takes it before the server does.
func freeAddress(tb testing.TB) string {
	tb.Helper()
	for range 100 {
		port := 10000 + rand.IntN(20000)
		if _, taken := handedOut.LoadOrStore(port, true); !taken && isFree("127.0.0.1", port) && isFree("::1", port) {
			return fmt.Sprintf("127.0.0.1:%d", port)
		}
	}
	tb.Fatal("no free loopback port found in 100 attempts")
	return ""
}

func isFree(host string, port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		return errors.Is(err, syscall.EADDRNOTAVAIL) // this machine has no such address, so nobody is there
	}
	return listener.Close() == nil
}
