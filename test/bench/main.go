// Command bench measures the built program as kubectl sees it: as whole processes, side by side with a floor program, in
// turns, so that a busy machine is busy for both. It prints a table of medians and their ratios.
package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/idp"
)

const (
	rounds  = 400
	warmUps = 20
	// What a stored token may cost, in floors.
	limit = 2.5
)

func main() {
	// The scripted browser: this program itself, called with a URL.
	if len(os.Args) == 2 {
		response, err := http.Get(os.Args[1])
		if err != nil {
			os.Exit(1)
		}
		_ = response.Body.Close()
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	folder, err := os.MkdirTemp("", "bench-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	plugin, floor := filepath.Join(folder, "kubectl-oidc_login"), filepath.Join(folder, "floor")
	if err := errors.Join(build(plugin, "./cmd/kubectl-oidc_login"), build(floor, "./test/bench/floor")); err != nil {
		return err
	}
	getToken, stored, err := logIn(folder, plugin)
	if err != nil {
		return err
	}
	return compare(
		subject{"floor: read and print a file", []string{floor, stored}},
		subject{"start alone: version", []string{plugin, "version"}},
		subject{"stored token, disk", getToken},
	)
}

func build(output, pkg string) error {
	command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", output, pkg)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	command.Stderr = os.Stderr
	return command.Run()
}

// logIn stores an ID token that lives for the whole benchmark. It returns the call that is served from the store, and
// the file that serves it. The provider is gone by then: a stored token needs none.
func logIn(folder, plugin string) (getToken []string, stored string, err error) {
	provider, err := idp.Start(idp.Config{IDTokenLifetime: time.Hour})
	if err != nil {
		return nil, "", err
	}
	defer provider.Close()
	browser, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	getToken = []string{
		plugin, "get-token", "--oidc-issuer-url=" + provider.Issuer(), "--oidc-client-id=kubernetes",
		"--token-cache-storage=disk", "--token-cache-dir=" + filepath.Join(folder, "tokens"),
		"--listen-address=127.0.0.1:0", "--browser-command=" + browser,
	}
	if output, err := exec.Command(getToken[0], getToken[1:]...).CombinedOutput(); err != nil {
		return nil, "", fmt.Errorf("login: %w: %s", err, output)
	}
	files, err := filepath.Glob(filepath.Join(folder, "tokens", "*.id-token.json"))
	if err != nil || len(files) != 1 {
		return nil, "", fmt.Errorf("expected one stored token, got %d", len(files))
	}
	return getToken, files[0], nil
}

// subject is what is measured.
type subject struct {
	name    string
	command []string
}

// compare runs all subjects in turns; the first one is the floor, the last one has the limit.
func compare(subjects ...subject) error {
	times := make([][]time.Duration, len(subjects))
	for round := range warmUps + rounds {
		for i, subject := range subjects {
			took, err := once(subject.command, round)
			if err != nil {
				return fmt.Errorf("%s: %w", subject.name, err)
			}
			if round >= warmUps {
				times[i] = append(times[i], took)
			}
		}
	}
	fmt.Printf("%-32s %10s %10s\n", fmt.Sprintf("median of %d", rounds), "time", "floors")
	var ratio float64
	floor := median(times[0])
	for i, subject := range subjects {
		ratio = float64(median(times[i])) / float64(floor)
		fmt.Printf("%-32s %10s %10.2f\n", subject.name, median(times[i]).Round(10*time.Microsecond), ratio)
	}
	if ratio > limit {
		return fmt.Errorf("a stored token costs %.2f floors, more than %.1f", ratio, limit)
	}
	return nil
}

// once runs a program with kubectl's request in its environment. Each round asks for another cluster: two calls for the
// same one, from this one process, would say that the API server has refused the token.
func once(command []string, round int) (time.Duration, error) {
	process := exec.Command(command[0], command[1:]...)
	process.Env = append(os.Environ(), fmt.Sprintf(`KUBERNETES_EXEC_INFO={"kind":"ExecCredential",`+
		`"apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"server":"https://cluster-%d.example"}}}`, round))
	started := time.Now()
	err := process.Run()
	return time.Since(started), err
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}
