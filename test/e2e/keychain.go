package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// busConfiguration is a session bus that starts no services: only this test's keychain is ever found on it.
const busConfiguration = `
<busconfig>
  <type>session</type>
  <listen>{{ .Address }}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// Keychain is an unlocked gnome-keyring on a session bus of its own, as a desktop has it after the login.
type Keychain struct {
	BusAddress string // for DBUS_SESSION_BUS_ADDRESS
}

// StartKeychain starts the bus and an empty keychain.
func StartKeychain(tb testing.TB) *Keychain {
	tb.Helper()
	// Not tb.TempDir: its paths carry the name of the test, and that of a socket ends at 108 bytes.
	folder, err := os.MkdirTemp("", "keychain")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(folder) })
	keychain := &Keychain{BusAddress: "unix:path=" + filepath.Join(folder, "bus")}

	configurationFile := filepath.Join(folder, "bus.conf")
	writeFile(tb, configurationFile, render(tb, busConfiguration, map[string]string{"Address": keychain.BusAddress}))
	bus := startProcess(tb, exec.Command(programs.DBusDaemon,
		"--config-file="+configurationFile, "--nofork", "--nopidfile"))
	bus.awaitReady(tb, func() error {
		_, err := os.Stat(filepath.Join(folder, "bus"))
		return err
	})

	daemon := exec.Command(programs.KeyringDaemon, "--unlock", "--foreground", "--components=secrets")
	daemon.Stdin = strings.NewReader("the password of the desktop")
	daemon.Env = []string{
		"PATH=/usr/bin:/bin",
		"HOME=" + folder,
		"XDG_RUNTIME_DIR=" + folder,
		"XDG_DATA_HOME=" + folder,
		"DBUS_SESSION_BUS_ADDRESS=" + keychain.BusAddress,
	}
	startProcess(tb, daemon).awaitReady(tb, func() error {
		_, err := keychain.search("nobody")
		return err
	})
	return keychain
}

// Secrets returns all secrets that a service keeps.
func (k *Keychain) Secrets(tb testing.TB, service string) []string {
	tb.Helper()
	found, err := k.search(service)
	if err != nil {
		tb.Fatal(err)
	}
	var secrets []string
	for line := range strings.Lines(found) {
		if secret, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "secret = "); ok {
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

// search lists the items of a service, in secret-tool's words.
func (k *Keychain) search(service string) (string, error) {
	command := exec.Command(programs.SecretTool, "search", "--all", "service", service)
	command.Env = []string{"DBUS_SESSION_BUS_ADDRESS=" + k.BusAddress}
	command.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	command.Stderr = &stderr
	found, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("secret-tool: %w: %s", err, stderr.Bytes())
	}
	return string(found), nil
}
