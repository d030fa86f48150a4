package provider

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A server that asks for a second handshake, as some do before they ask for a client certificate. Go has none.
func TestRenegotiation(t *testing.T) {
	t.Parallel()
	program := "openssl"
	if version, err := exec.Command(program, "version").Output(); err != nil || !strings.HasPrefix(string(version), "OpenSSL ") {
		t.Skip("OpenSSL is not installed")
	}
	for _, test := range []struct {
		allowed tls.RenegotiationSupport
		asked   int
		works   bool
	}{
		{tls.RenegotiateNever, 0, true},
		{tls.RenegotiateNever, 1, false},
		{tls.RenegotiateOnceAsClient, 1, true},
		{tls.RenegotiateOnceAsClient, 2, false},
		{tls.RenegotiateFreelyAsClient, 2, true},
	} {
		t.Run(fmt.Sprintf("%d allowed, %d asked for", test.allowed, test.asked), func(t *testing.T) {
			t.Parallel()
			address := renegotiatingServer(t, program, test.asked)
			client, err := newHTTPClient(Config{
				InsecureSkipTLSVerify: true,
				Renegotiation:         test.allowed,
				UserAgent:             func() string { return "test" },
			})
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Get("https://" + address)
			if err == nil {
				_, err = io.ReadAll(response.Body)
				_ = response.Body.Close()
			}
			if (err == nil) != test.works {
				t.Errorf("works: %t, got %v", test.works, err)
			}
		})
	}
}

// renegotiatingServer answers one request, and asks for so many new handshakes before the answer. It is steered by its
// standard input, a letter at the beginning of a line.
func renegotiatingServer(t *testing.T, program string, handshakes int) (address string) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key.pem")
	if output, err := exec.CommandContext(t.Context(), program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		"-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", key+".crt").CombinedOutput(); err != nil {
		t.Fatalf("openssl req: %v: %s", err, output)
	}
	address = freeAddress(t)
	server := exec.CommandContext(t.Context(), program, "s_server", "-tls1_2", "-accept", address, "-key", key, "-cert", key+".crt",
		"-naccept", "1")
	input, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	await := func(start string) {
		for lines.Scan() && !strings.HasPrefix(lines.Text(), start) {
			continue
		}
	}
	await("ACCEPT")
	go func() {
		await("User-Agent:")
		for range handshakes {
			_, _ = io.WriteString(input, "r\n")
			await("Read BLOCK") // the new handshake is done
		}
		_, _ = fmt.Fprintf(input, "HTTP/1.1 %d OK\r\nContent-Length: 0\r\n\r\n", http.StatusOK)
		await("nothing more") // so that it can go on writing
	}()
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	return address
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
