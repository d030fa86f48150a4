//go:build !linux

package test

import "net"

// freePort returns a port that is free now. Other systems keep none free for long.
func freePort() (port int, release func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, err
	}
	return listener.Addr().(*net.TCPAddr).Port, func() {}, listener.Close()
}
