package test

import (
	"errors"

	"golang.org/x/sys/unix"
)

// freePort returns a port that is free until release: the system gives it to nobody who asks for any, since a socket is bound
// to it. That one does not listen, so connections are refused; who names the port gets it, since Go sets SO_REUSEADDR.
func freePort() (port int, release func(), err error) {
	socket, err := bindAny(unix.AF_INET6, &unix.SockaddrInet6{}) // of IPv4 too
	if err != nil {
		socket, err = bindAny(unix.AF_INET, &unix.SockaddrInet4{})
	}
	if err != nil {
		return 0, nil, err
	}
	release = func() { _ = unix.Close(socket) }
	switch name, err := unix.Getsockname(socket); name := name.(type) {
	case *unix.SockaddrInet6:
		return name.Port, release, nil
	case *unix.SockaddrInet4:
		return name.Port, release, nil
	default:
		release()
		return 0, nil, err
	}
}

func bindAny(family int, address unix.Sockaddr) (socket int, err error) {
	socket, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	err = unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if family == unix.AF_INET6 {
		err = errors.Join(err, unix.SetsockoptInt(socket, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0))
	}
	if err = errors.Join(err, unix.Bind(socket, address)); err != nil {
		return 0, errors.Join(err, unix.Close(socket))
	}
	return socket, nil
}
