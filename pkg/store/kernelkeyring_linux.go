package store

import (
	"errors"
	"runtime"

	"github.com/zalando/go-keyring"
	"golang.org/x/sys/unix"
)

// The kernel keeps a persistent keyring for each user: all their processes share it, in whatever session they were
// started, and nobody else gets at it. It ends with the machine, and three days after its last use.
// https://man7.org/linux/man-pages/man7/persistent-keyring.7.html
//
// Its keys need no permissions of their own. The kernel's default gives all to the possessor, that is, to a process
// which has linked the keyring; to other processes of the user the names; to others nothing.

const (
	keyType = "user" // a key whose payload user space may read and write
	// A key of that type takes no more. A smaller size would only cost: the quota counts all parts, and a split value,
	// unlike a single key, is not replaced in its place.
	largestKey = 32_767
)

var errKeyQuota = errors.New("it is full, see maxkeys and maxbytes in /proc/sys/kernel/keys")

func systemKernelKeyring() Keychain {
	return Keychain{Get: getKey, Set: setKey, Delete: deleteKey, MaxItem: largestKey}
}

func getKey(service, user string) (string, error) {
	payload := make([]byte, largestKey)
	var size int
	err := withPersistentKeyring(func(persistent int) error {
		for failed := 0; ; {
			key, err := findKey(persistent, service, user)
			if err != nil {
				return err
			}
			size, err = unix.KeyctlBuffer(unix.KEYCTL_READ, key, payload, 0)
			if err == nil || key == failed {
				return err
			}
			failed = key // removed since it was found: so look again
		}
	})
	if err != nil {
		return "", err
	}
	return string(payload[:min(size, len(payload))]), nil
}

// setKey replaces the payload of the key that is there in one step, and else adds one.
func setKey(service, user, secret string) error {
	return withPersistentKeyring(func(persistent int) error {
		_, err := unix.AddKey(keyType, description(service, user), []byte(secret), persistent)
		return err
	})
}

func deleteKey(service, user string) error {
	return withPersistentKeyring(func(persistent int) error {
		key, err := findKey(persistent, service, user)
		if err != nil {
			return err
		}
		_, err = unix.KeyctlInt(unix.KEYCTL_UNLINK, key, persistent, 0, 0)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOKEY) {
			return nil // another process was quicker
		}
		return err
	})
}

func description(service, user string) string { return service + ":" + user }

func findKey(persistent int, service, user string) (int, error) {
	key, err := unix.KeyctlSearch(persistent, keyType, description(service, user), 0)
	if errors.Is(err, unix.ENOKEY) || errors.Is(err, unix.EKEYEXPIRED) || errors.Is(err, unix.EKEYREVOKED) {
		return 0, keyring.ErrNotFound
	}
	return key, err
}

// withPersistentKeyring links the user's persistent keyring to the process keyring, which makes this process its
// possessor, and puts off its end. The process keyring is gone with the process, and no child inherits it; to the
// kernel, though, it belongs to the calling thread, so the call stays there.
func withPersistentKeyring(call func(persistent int) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const thisUser = -1
	persistent, err := unix.KeyctlInt(unix.KEYCTL_GET_PERSISTENT, thisUser, unix.KEY_SPEC_PROCESS_KEYRING, 0, 0)
	if err == nil {
		err = call(persistent)
	}
	if errors.Is(err, unix.EDQUOT) {
		return errKeyQuota // the system's words for it speak of a disk
	}
	return err
}
