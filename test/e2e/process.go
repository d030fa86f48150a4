package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// process is a server that runs until the test ends. Its log is printed when the test fails.
type process struct {
	name   string
	exited chan struct{} // closed after the program has ended
}

// startProcess starts the program, with no environment but what the command sets, and stops it when the test ends.
func startProcess(tb testing.TB, command *exec.Cmd) *process {
	tb.Helper()
	name := filepath.Base(command.Path)
	logFile := filepath.Join(tb.ArtifactDir(), name+".log")
	log, err := os.Create(logFile)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()

	if command.Env == nil {
		command.Env = []string{"PATH=/usr/bin:/bin"}
	}
	command.Stdout, command.Stderr = log, log
	// A test that panics or times out runs no cleanup; its servers must not outlive it.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		tb.Fatal(err)
	}

	server := &process{name: name, exited: make(chan struct{})}
	go func() {
		_ = command.Wait() // how it ended is in its log
		close(server.exited)
	}()
	tb.Cleanup(func() {
		server.stop(command.Process)
		if tb.Failed() {
			tb.Logf("log of %s, its end:\n%s", name, tail(logFile))
		}
	})
	return server
}

// stop asks the program to end, and kills it if it takes its time.
func (p *process) stop(running *os.Process) {
	_ = running.Signal(syscall.SIGTERM) // fails only if it has ended already
	select {
	case <-p.exited:
	case <-time.After(5 * time.Second):
		_ = running.Kill()
		<-p.exited
	}
}

// awaitReady probes the server until it answers as it should.
func (p *process) awaitReady(tb testing.TB, probe func() error) {
	tb.Helper()
	eventually(tb, time.Minute, p.name+" to be ready", func() error {
		select {
		case <-p.exited:
			tb.Fatalf("%s ended before it was ready", p.name)
		default:
		}
		return probe()
	})
}

// probeHTTP asks for the URL and complains about any answer but 200.
func probeHTTP(client *http.Client, request *http.Request) error {
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", request.URL, response.Status)
	}
	return nil
}

// getRequest makes a GET request, which may be sent again and again.
func getRequest(tb testing.TB, url string) *http.Request {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return request
}

// tail returns the last part of a log.
func tail(file string) []byte {
	const limit = 32 << 10
	log, err := os.ReadFile(file)
	if err != nil {
		return []byte(err.Error())
	}
	if len(log) <= limit {
		return log
	}
	log = log[len(log)-limit:]
	return log[bytes.IndexByte(log, '\n')+1:]
}
