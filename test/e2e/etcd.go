package e2e

import (
	"net/http"
	"os/exec"
	"testing"
)

// Etcd is the database of one API server.
type Etcd struct {
	URL string
}

// StartEtcd starts an empty etcd.
func StartEtcd(tb testing.TB) *Etcd {
	tb.Helper()
	clientURL := "http://" + freeAddress(tb)
	peerURL := "http://" + freeAddress(tb)
	server := startProcess(tb, exec.Command(programs.Etcd,
		"--name=default",
		"--data-dir="+tb.TempDir(),
		"--listen-client-urls="+clientURL,
		"--advertise-client-urls="+clientURL,
		"--listen-peer-urls="+peerURL,
		"--initial-advertise-peer-urls="+peerURL,
		"--initial-cluster=default="+peerURL,
		"--log-level=warn",
		"--unsafe-no-fsync", // the data need not survive the test
	))

	health := getRequest(tb, clientURL+"/health")
	server.awaitReady(tb, func() error { return probeHTTP(http.DefaultClient, health) })
	return &Etcd{URL: clientURL}
}
