package test

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// commandAPIServer starts what stands for an API server, of which scripts want one answer alone: "apiserver 401 FILE" sets
// $SERVER to the address where each request is answered with that status and the text of the file, if one is named, and writes
// its certificate authority to apiserver.pem.
func commandAPIServer(script *testscript.TestScript, _ bool, arguments []string) {
	status, err := strconv.Atoi(arguments[0])
	script.Check(err)
	body := ""
	if len(arguments) > 1 {
		body = script.ReadFile(arguments[1])
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	script.Defer(server.Close)
	script.Setenv("SERVER", server.URL)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	script.Check(os.WriteFile(script.MkAbs("apiserver.pem"), authority, 0o600))
}
