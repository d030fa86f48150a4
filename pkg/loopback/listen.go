package loopback

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Config says where to listen.
type Config struct {
	// Addresses are tried in order, as host:port; port 0 takes a free one. At least one.
	Addresses []string
	// RedirectURL is the registered redirect URL, if it is not http://localhost:PORT. Its host and path are kept; where
	// it names no port, it gets the listener's, unless somebody before the listener must be speaking TLS for it.
	RedirectURL *url.URL
	// Certificate makes the listener speak TLS; nil: it does not.
	Certificate *tls.Certificate
}

// Listener is bound to its port, and answers nobody before Receive.
type Listener struct {
	redirectURI url.URL
	sockets     []net.Listener
	tls         *tls.Config // nil: plain http
	readTimeout time.Duration
}

// Listen binds the first address that is free.
func Listen(config Config) (*Listener, error) {
	redirect := config.redirect()
	var taken []error
	for _, address := range config.Addresses {
		sockets, err := bind(address, redirect.Hostname() == "localhost")
		if err != nil {
			taken = append(taken, err)
			continue
		}
		if redirect.Port() == "" && !config.isBehindTLS() {
			redirect.Host = net.JoinHostPort(redirect.Hostname(), strconv.Itoa(port(sockets[0])))
		}
		return &Listener{redirectURI: redirect, sockets: sockets, tls: config.tls(), readTimeout: readTimeout}, nil
	}
	return nil, fmt.Errorf("cannot listen for the browser's answer: %w", errors.Join(taken...))
}

func (c Config) redirect() url.URL {
	switch {
	case c.RedirectURL != nil:
		return *c.RedirectURL
	case c.Certificate != nil:
		return url.URL{Scheme: "https", Host: "localhost"}
	}
	return url.URL{Scheme: "http", Host: "localhost"}
}

// isBehindTLS reports whether the redirect URL leads to somebody else, who speaks TLS and knows this listener.
func (c Config) isBehindTLS() bool {
	return c.RedirectURL != nil && c.RedirectURL.Scheme == "https" && c.Certificate == nil
}

func (c Config) tls() *tls.Config {
	if c.Certificate == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*c.Certificate}}
}

// RedirectURI is what the provider sends the browser to.
func (l *Listener) RedirectURI() string { return l.redirectURI.String() }

// Port is the one that is bound, which a redirect URI that leads through something else may not name.
func (l *Listener) Port() int { return port(l.sockets[0]) }

// IsOpenToOthers reports whether other machines can reach the port.
func (l *Listener) IsOpenToOthers() bool {
	return slices.ContainsFunc(l.sockets, func(socket net.Listener) bool {
		return !socket.Addr().(*net.TCPAddr).IP.IsLoopback()
	})
}

// Close frees the port.
func (l *Listener) Close() {
	for _, socket := range l.sockets {
		_ = socket.Close()
	}
}

// bind listens on an address and, where browsers may resolve the redirect URI's host to either, on the same port of the
// other loopback address. A port where somebody else has the other address is of no use: the browser might go there.
func bind(address string, either bool) ([]net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen address %q is not host:port", address)
	}
	if slices.Contains([]string{"", "0.0.0.0", "::"}, host) {
		return bindAll(listen, address)
	}
	other := map[string]string{"127.0.0.1": "::1", "localhost": "::1", "::1": "127.0.0.1"}[host]
	if !either || other == "" {
		socket, err := listen(address)
		if err != nil {
			return nil, err
		}
		return []net.Listener{socket}, nil
	}
	if host == "localhost" {
		_, portName, _ := net.SplitHostPort(address)
		address = net.JoinHostPort("127.0.0.1", portName)
	}
	return bindBoth(listen, address, other)
}

// bindBoth tries a few times, since port 0 may find a port that is free on one address only. A machine may have only one
// of the two addresses (https://www.rfc-editor.org/rfc/rfc8252#section-7.3).
func bindBoth(listen func(address string) (net.Listener, error), address, other string) ([]net.Listener, error) {
	var err error
	for range 8 {
		var first, second net.Listener
		if first, err = listen(address); err != nil {
			return onlyOther(listen, address, other, err)
		}
		second, err = listen(net.JoinHostPort(other, strconv.Itoa(port(first))))
		if err == nil {
			return []net.Listener{first, second}, nil
		}
		if !inUse(err) {
			return []net.Listener{first}, nil
		}
		_ = first.Close()
	}
	return nil, err
}

func onlyOther(listen func(address string) (net.Listener, error), address, other string, cause error) ([]net.Listener, error) {
	_, portName, _ := net.SplitHostPort(address)
	if inUse(cause) {
		return nil, cause
	}
	socket, err := listen(net.JoinHostPort(other, portName))
	if err != nil {
		return nil, cause
	}
	return []net.Listener{socket}, nil
}

// bindAll listens on all addresses of this machine. Where one program may have all of them and another one of them, the
// latter gets what is sent there
// (https://learn.microsoft.com/en-us/windows/win32/winsock/using-so-reuseaddr-and-so-exclusiveaddruse), so a port is passed
// over if somebody has it on a loopback address, and those are taken too, which fails where they are ours already.
func bindAll(listen func(address string) (net.Listener, error), address string) ([]net.Listener, error) {
	_, portName, _ := net.SplitHostPort(address)
	loopbacks := []string{"127.0.0.1", "::1"}
	for _, loopback := range loopbacks {
		free, err := listen(net.JoinHostPort(loopback, portName))
		switch {
		case err == nil:
			_ = free.Close()
		case inUse(err):
			return nil, err
		}
	}
	all, err := listen(address)
	if err != nil {
		return nil, err
	}
	sockets := []net.Listener{all}
	for _, loopback := range loopbacks {
		if socket, err := listen(net.JoinHostPort(loopback, strconv.Itoa(port(all)))); err == nil {
			sockets = append(sockets, socket)
		}
	}
	return sockets, nil
}

func listen(address string) (net.Listener, error) {
	socket, err := net.Listen("tcp", address)
	if err == nil {
		return socket, nil
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		err = operation.Err
	}
	return nil, fmt.Errorf("%s: %w", address, err)
}

func port(socket net.Listener) int { return socket.Addr().(*net.TCPAddr).Port }

func inUse(err error) bool {
	const windowsAddressInUse = syscall.Errno(10048) // WSAEADDRINUSE; Go's syscall.EADDRINUSE is another number there
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, windowsAddressInUse)
}
