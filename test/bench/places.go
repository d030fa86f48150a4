package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// place is where tokens can lie.
type place struct {
	title    string
	getToken call    // the zero value: this machine has no such place
	floors   float64 // that a call may take; 0: as long as it takes
}

func (p place) isMissing() bool { return p.getToken.command == nil }

func (p place) target() string {
	if p.floors == 0 {
		return ""
	}
	return fmt.Sprintf("at most %.1f floors", p.floors)
}

func (p place) addTo(t *table, took, floor time.Duration) {
	floors := ratio(took, floor)
	t.add(p.title, fmt.Sprintf("%s, %.2f floors", show(took), floors), p.target(), p.floors == 0 || floors <= p.floors)
}

// places logs in once for each place. The first one is there on every machine.
func (b *bench) places() ([]place, error) {
	disk := b.getToken("cached")
	if _, err := once(disk, loginRound); err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	kernelKeyring, err := b.logInToKernelKeyring()
	if err != nil {
		return nil, fmt.Errorf("login with the kernel keyring: %w", err)
	}
	gnomeKeyring, err := b.logInToGnomeKeyring()
	if err != nil {
		return nil, fmt.Errorf("login with gnome-keyring: %w", err)
	}
	return []place{
		{"stored token (`disk`)", disk, 2.2},
		{"stored token (`auto`, session in the kernel's keyring)", kernelKeyring, 2.3},
		{"stored token (`keyring`: gnome-keyring)", gnomeKeyring, 0},
	}, nil
}

// logInToKernelKeyring hides the keychain, so that the kernel's keyring has to take the session; where there is none, a file
// does.
func (b *bench) logInToKernelKeyring() (call, error) {
	if runtime.GOOS != "linux" {
		return call{}, nil
	}
	getToken := b.getToken("kernel", "--token-cache-storage=auto")
	getToken.environment = append(getToken.environment, "DBUS_SESSION_BUS_ADDRESS=unix:path="+filepath.Join(b.folder, "no-bus"))
	if _, err := once(getToken, loginRound); err != nil {
		return call{}, err
	}
	b.leavings = append(b.leavings, getToken)
	inFiles, err := filepath.Glob(filepath.Join(b.folder, "kernel", "*.session.json"))
	if err != nil || len(inFiles) > 0 {
		return call{}, err
	}
	return getToken, nil
}

// busConfiguration is a session bus that starts no services: only the bench's own keychain is ever found on it.
const busConfiguration = `<busconfig><type>session</type><listen>ADDRESS</listen><policy context="default">` +
	`<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// logInToGnomeKeyring starts an unlocked keychain on a bus of its own, as a desktop has it after the login.
func (b *bench) logInToGnomeKeyring() (call, error) {
	for _, program := range []string{"dbus-daemon", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			return call{}, nil //nolint:nilerr // not on this machine
		}
	}
	address := "unix:path=" + filepath.Join(b.folder, "bus")
	configuration := filepath.Join(b.folder, "bus.conf")
	text := strings.ReplaceAll(busConfiguration, "ADDRESS", address)
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		return call{}, err
	}
	getToken := b.getToken("gnome", "--token-cache-storage=keyring")
	getToken.environment = append(getToken.environment,
		"DBUS_SESSION_BUS_ADDRESS="+address, "XDG_RUNTIME_DIR="+b.folder, "XDG_DATA_HOME="+b.folder)
	bus := exec.Command("dbus-daemon", "--config-file="+configuration, "--nofork", "--nopidfile")
	keychain := exec.Command("gnome-keyring-daemon", "--unlock", "--foreground", "--components=secrets")
	keychain.Stdin = strings.NewReader("the password of the desktop")
	if err := b.start(bus, nil, awaitFile(filepath.Join(b.folder, "bus"))); err != nil {
		return call{}, err
	}
	return getToken, b.start(keychain, getToken.environment, func() error {
		_, err := once(getToken, loginRound) // fails before anybody is asked, until the keychain is there
		return err
	})
}

func awaitFile(path string) func() error {
	return func() error {
		_, err := os.Stat(path)
		return err
	}
}

// start starts a daemon that runs until the bench is closed, and waits until it is ready.
func (b *bench) start(daemon *exec.Cmd, environment []string, isReady func() error) error {
	daemon.Env = append(os.Environ(), environment...)
	if err := daemon.Start(); err != nil {
		return err
	}
	b.daemons = append(b.daemons, daemon)
	const patience = 10 * time.Second
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := isReady()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("%s is not ready within %s", daemon.Path, patience), err)
		}
	}
}
