package test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/zalando/go-keyring"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
)

// folderKeychain is a keychain whose items are files in a folder, so that scripts can look into it. "locked" is one that
// refuses, "hanging" one that never answers, "forbidden" one whose system calls are not allowed.
func folderKeychain(folder string) store.Keychain {
	switch folder {
	case "locked":
		return refusingKeychain(func() error { return errors.New("the collection is locked") })
	case "hanging":
		return refusingKeychain(func() error { select {} })
	case "forbidden":
		return refusingKeychain(func() error { return syscall.EPERM })
	}
	path := func(user string) string { return filepath.Join(folder, strings.ReplaceAll(user, "/", ".")) }
	others := func(service string) string { // their items have the service in the name
		return map[bool]string{false: service + "."}[service == "kubectl-oidc_login"]
	}
	missing := func(err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return keyring.ErrNotFound
		}
		return err
	}
	return store.Keychain{
		Get: func(service, user string) (string, error) {
			item, err := os.ReadFile(path(others(service) + user))
			return string(item), missing(err)
		},
		Set:    func(_, user, secret string) error { return os.WriteFile(path(user), []byte(secret), 0o600) },
		Delete: func(_, user string) error { return missing(os.Remove(path(user))) },
	}
}

func refusingKeychain(refuse func() error) store.Keychain {
	return store.Keychain{
		Get:    func(_, _ string) (string, error) { return "", refuse() },
		Set:    func(_, _, _ string) error { return refuse() },
		Delete: func(_, _ string) error { return refuse() },
	}
}
