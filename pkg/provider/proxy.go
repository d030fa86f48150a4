package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// proxiedError is the failure of a request that went through a proxy.
type proxiedError struct {
	proxy string // its host and port, without the password that may be in its URL
	err   error
}

func (e *proxiedError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *proxiedError) Unwrap() error { return e.err }

// proxiedBy names the proxy in the failure of a request, if it has one.
func proxiedBy(choose func(*http.Request) (*url.URL, error), request *http.Request, err error) error {
	if choose == nil {
		return err
	}
	proxy, chooseErr := choose(request)
	if chooseErr != nil || proxy == nil {
		return err
	}
	return &proxiedError{proxy.Host, err}
}

// connectingToProxy is the operation of a net.OpError for what net/http does until a proxy can be asked for something.
const connectingToProxy = "proxyconnect"

// hint says what to do where the proxy itself is what fails, or nothing.
func (e *proxiedError) hint() string {
	var operation *net.OpError
	var refusal *proxyRefusal
	switch {
	case errors.As(e.err, &refusal) && refusal.status == http.StatusProxyAuthRequired:
		return "HTTPS_PROXY may hold a user name and a password. Nothing stored is lost."
	case errors.As(e.err, &refusal),
		errors.As(e.err, &operation) && (operation.Op == connectingToProxy || strings.HasPrefix(operation.Op, "socks ")):
		return "Check the proxy, and HTTPS_PROXY and NO_PROXY. Nothing stored is lost."
	}
	return ""
}

// proxyRefusal is the answer of a proxy that does not connect to where it is asked to. It is no answer of the provider.
type proxyRefusal struct{ status int }

func (e *proxyRefusal) Error() string {
	return strings.TrimSpace(fmt.Sprintf("it answered %d %s", e.status, http.StatusText(e.status)))
}

// proxyAnswer keeps the status, of which net/http would leave the proxy's words alone.
func proxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyRefusal{answer.StatusCode}
}
