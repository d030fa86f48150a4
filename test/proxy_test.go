package test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// commandProxy starts a proxy that leads wherever it is asked to go to the script's provider, and notes in proxy.log what
// it is asked: "proxy" sets $PROXY and $PROXY_HOST. "proxy 403" starts one that answers so.
func commandProxy(script *testscript.TestScript, _ bool, arguments []string) {
	refusal := 0
	if len(arguments) > 0 {
		var err error
		refusal, err = strconv.Atoi(arguments[0])
		script.Check(err)
	}
	path := script.MkAbs("proxy.log")
	log, err := os.Create(path)
	script.Check(err)
	script.Defer(func() { _ = log.Close() })
	issuer, err := url.Parse(scenarioOf(script).idp.Issuer())
	script.Check(err)
	var mutex sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		_, _ = fmt.Fprintln(log, r.Method, r.Host)
		mutex.Unlock()
		if r.Method != http.MethodConnect {
			http.Error(w, "for CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		if refusal != 0 {
			w.WriteHeader(refusal)
			return
		}
		tunnel(w, issuer.Host)
	}))
	script.Defer(server.Close)
	script.Setenv("PROXY", server.URL)
	script.Setenv("PROXY_HOST", server.Listener.Addr().String())
}

// tunnel joins the client's connection with one to the address, until either ends.
func tunnel(w http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(w, "nobody there", http.StatusBadGateway)
		return
	}
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 Connected\r\n\r\n")
	for _, pair := range [][2]net.Conn{{here, there}, {there, here}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			_, _ = pair[0].Close(), pair[1].Close()
		}()
	}
}
