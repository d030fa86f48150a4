package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/zalando/go-keyring"
	"golang.org/x/sys/unix"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store/storetest"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

const (
	// testService keeps the keys of these tests apart from a person's.
	testService = service + "-test"
	// ordinaryQuota is what all keys of a user may take up in octets, root's excepted.
	ordinaryQuota = 20_000
)

// usersKernelKeyring is the real one, with keys of the tests' own, which go when the test ends.
func usersKernelKeyring(t *testing.T) Keychain {
	t.Helper()
	const session = unix.KEY_SPEC_SESSION_KEYRING
	_, err := unix.KeyctlInt(unix.KEYCTL_GET_KEYRING_ID, session, 0, 0, 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		t.Skipf("the system calls are not allowed here: keyctl: %v", err)
	}
	var mutex sync.Mutex
	users := map[string]bool{}
	t.Cleanup(func() {
		for user := range users {
			if err := deleteKey(testService, user); err != nil && !errors.Is(err, keyring.ErrNotFound) {
				t.Errorf("a key stays: %v", err)
			}
		}
	})
	real := systemKernelKeyring()
	return Keychain{
		Get: func(_, user string) (string, error) { return real.Get(testService, user) },
		Set: func(_, user, secret string) error {
			mutex.Lock()
			users[user] = true
			mutex.Unlock()
			err := real.Set(testService, user, secret)
			if err != nil && !(errors.Is(err, errKeyQuota) && len(secret) > ordinaryQuota/2) {
				t.Errorf("the kernel keyring should have taken %d octets: %v", len(secret), err)
			}
			return err
		},
		Delete:  func(_, user string) error { return real.Delete(testService, user) },
		MaxItem: real.MaxItem,
	}
}

func TestKernelKeyringConformance(t *testing.T) {
	items := usersKernelKeyring(t)
	directory, locks := t.TempDir(), t.TempDir()
	storetest.Run(t, func(t testing.TB) token.Store {
		return openStore(t, Config{
			Mode:          Auto,
			Directory:     directory,
			Locks:         locks,
			Keychain:      refusingKeychain(),
			KernelKeyring: items,
			Warn: func(err error) {
				if strings.Contains(err.Error(), "kept in a file") && !errors.Is(err, errKeyQuota) {
					t.Errorf("the kernel keyring should have been used: %v", err)
				}
			},
		})
	})
}

// Whoever comes while others save and remove finds a whole value or none.
func TestKernelKeyringManyAtOnce(t *testing.T) {
	items := usersKernelKeyring(t)
	values := []string{strings.Repeat("a", 200), strings.Repeat("b", 300)}
	var all sync.WaitGroup
	for worker := range 9 {
		all.Go(func() {
			for turn := range 5000 {
				var err error
				switch worker % 3 {
				case 0:
					err = items.Set(service, "name", values[turn%2])
				case 1:
					err = items.Delete(service, "name")
				case 2:
					var got string
					if got, err = items.Get(service, "name"); err == nil && !slices.Contains(values, got) {
						t.Errorf("got %q", got)
					}
				}
				if err != nil && !errors.Is(err, keyring.ErrNotFound) {
					t.Error(worker, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// No key holds such a value.
func TestKernelKeyringSplits(t *testing.T) {
	vault := newKeychain(InKernelKeyring, usersKernelKeyring(t))
	want := strings.Repeat("0123456789", 10_000)
	if err := vault.set(t.Context(), "name", []byte(want)); errors.Is(err, errKeyQuota) {
		t.Skipf("only root's quota has room for it: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if got, err := vault.get(t.Context(), "name"); err != nil || string(got) != want {
		t.Errorf("expected the value, got %d octets, %v", len(got), err)
	}
	if err := vault.remove(t.Context(), "name"); err != nil {
		t.Error(err)
	}
}

// A process has nothing in common with the one that saved but its user: another session keyring, which even was revoked,
// as happens to what runs in tmux when its ssh session ends.
func TestKernelKeyringOtherSession(t *testing.T) {
	items := usersKernelKeyring(t)
	name := t.Name()
	if err := items.Set(service, name, "secret"); err != nil {
		t.Fatal(err)
	}
	if got := run(t, 0, "get", name); got != "secret" {
		t.Errorf("expected the secret, got %q", got)
	}
	run(t, 0, "delete", name)
	if _, err := items.Get(service, name); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("removed elsewhere: expected ErrNotFound, got %v", err)
	}
}

func TestKernelKeyringOtherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	usersKernelKeyring(t)
	const alice, mallory = 3_999_999_101, 3_999_999_102
	name := t.Name()
	key := run(t, alice, "set", name, "secret")
	defer run(t, alice, "delete", name)
	if got := run(t, alice, "get", name); got != "secret" {
		t.Errorf("the same user: expected the secret, got %q", got)
	}
	for attempt, test := range map[string]struct{ got, want string }{
		"by name":          {run(t, mallory, "get", name), keyring.ErrNotFound.Error()},
		"by number":        {run(t, mallory, "read", key), unix.EACCES.Error()},
		"whole keyring":    {run(t, mallory, "keyring of", strconv.Itoa(alice)), unix.EPERM.Error()},
		"name, not secret": {run(t, mallory, "describe", key), unix.EACCES.Error()},
	} {
		if test.got != test.want {
			t.Errorf("%s: expected %q, got %q", attempt, test.want, test.got)
		}
	}
}

// What the keyring does not take goes into a file, at once, and the person hears why.
func TestKernelKeyringFallsToFile(t *testing.T) {
	usersKernelKeyring(t)
	limit, err := os.ReadFile("/proc/sys/kernel/keys/maxbytes")
	if err != nil {
		t.Fatal(err)
	}
	var user uint32 // root may have more
	if os.Getuid() == 0 {
		user = 3_999_999_101
	}
	for name, test := range map[string]struct{ role, size, cause string }{
		"the quota is used up": {"save", strings.TrimSpace(string(limit)), errKeyQuota.Error()},
		"in a container":       {"save in a container", "10", unix.EPERM.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			want := "the keychain cannot be used: locked; the kernel keyring cannot be used: " + test.cause +
				"; the session is kept in a file that only you can read"
			if got := run(t, user, test.role, test.size); got != want {
				t.Errorf("expected %q, got %q", want, got)
			}
		})
	}
}

// One read of a session of usual size.
func BenchmarkKernelKeyringGet(b *testing.B) {
	if err := setKey(testService, b.Name(), strings.Repeat("x", 1500)); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = deleteKey(testService, b.Name()) }()
	vault := newKeychain(InKernelKeyring, Keychain{
		Get: func(string, string) (string, error) { return getKey(testService, b.Name()) },
	})
	for b.Loop() {
		if _, err := vault.get(b.Context(), "name"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestMain also plays the other processes of these tests.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if role, ok := roles()[os.Args[1]]; ok {
			fmt.Print(role(os.Args[2:]))
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// run plays a role in a process of another user, 0: of this one, and returns what it says.
func run(t *testing.T, user uint32, arguments ...string) string {
	t.Helper()
	command := exec.Command("/proc/self/exe", arguments...) // its own path may lead through folders that others cannot enter
	command.Dir = "/"
	command.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // the race detector's default is a second
	if user != 0 {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", arguments, err, output)
	}
	return string(output)
}

// roles are what another process does; it says its outcome.
func roles() map[string]func([]string) string {
	return map[string]func([]string) string{
		"set": func(arguments []string) string {
			err := setKey(testService, arguments[0], arguments[1])
			return say(numberOf(arguments[0]), err)
		},
		"get": func(arguments []string) string {
			if err := loseSessionKeyring(); err != nil {
				return err.Error()
			}
			return say(getKey(testService, arguments[0]))
		},
		"delete": func(arguments []string) string { return say("", deleteKey(testService, arguments[0])) },
		"read": func(arguments []string) string {
			_, err := unix.KeyctlBuffer(unix.KEYCTL_READ, number(arguments[0]), make([]byte, 100), 0)
			return say("read", err)
		},
		"describe": func(arguments []string) string {
			return say(unix.KeyctlString(unix.KEYCTL_DESCRIBE, number(arguments[0])))
		},
		"keyring of": func(arguments []string) string {
			user := number(arguments[0])
			_, err := unix.KeyctlInt(unix.KEYCTL_GET_PERSISTENT, user, unix.KEY_SPEC_PROCESS_KEYRING, 0, 0)
			return say("linked", err)
		},
		"save":                  save,
		"use a read-only home":  useReadOnlyHome,
		"lock on read-only NFS": lockOnReadOnlyNFS,
		"save in a container": func(arguments []string) string {
			if err := forbidKeys(); err != nil {
				return err.Error()
			}
			return save(arguments)
		},
	}
}

func say(outcome string, err error) string {
	if err != nil {
		return err.Error()
	}
	return outcome
}

func number(text string) int {
	number, _ := strconv.Atoi(text)
	return number
}

// numberOf is what the kernel calls a key.
func numberOf(user string) string {
	var key int
	_ = withPersistentKeyring(func(persistent int) (err error) {
		key, err = findKey(persistent, testService, user)
		return err
	})
	return strconv.Itoa(key)
}

// loseSessionKeyring takes this thread, on which the caller stays, into a session of its own, whose keyring is revoked.
func loseSessionKeyring() error {
	runtime.LockOSThread()
	session, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
	if err != nil {
		return err
	}
	_, err = unix.KeyctlInt(unix.KEYCTL_REVOKE, session, 0, 0, 0)
	return err
}

// forbidKeys makes the calls that keys need fail, as the default profile of container engines does.
func forbidKeys() error {
	return filterCalls([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_KEYCTL, Jt: 1},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_ADD_KEY, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	})
}

// filterCalls puts a filter on the system calls of this process.
func filterCalls(filter []unix.SockFilter) error {
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

// save saves a session of some size where no keychain answers, and says what the person hears.
func save(arguments []string) string {
	directory, err := os.MkdirTemp("", "store")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = os.RemoveAll(directory) }()
	var warnings []error
	store, err := Open(Config{
		Mode:      Auto,
		Directory: directory,
		Keychain:  refusingKeychain(),
		Now:       time.Now,
		Warn:      func(err error) { warnings = append(warnings, err) },
		Log:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err.Error()
	}
	started := time.Now()
	session := token.Session{RefreshToken: token.NewSecret(strings.Repeat("r", number(arguments[0]))), Subject: "alice"}
	err = store.Renew(context.Background(), key, token.Set{Session: session})
	took := time.Since(started)
	files, _ := filepath.Glob(filepath.Join(directory, "*.session.json"))
	if err != nil || len(files) != 1 || len(warnings) != 1 || took > time.Second {
		return fmt.Sprintf("error %v, files %v, warnings %v, took %v", err, files, warnings, took)
	}
	return warnings[0].Error()
}
