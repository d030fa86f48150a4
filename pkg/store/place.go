package store

import (
	"context"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Place is what people call a place where a value lies. The words are stable: status prints them for scripts too.
type Place string

const (
	// InKeychain is the operating system's keychain.
	InKeychain Place = "keychain"
	// InKernelKeyring is the Linux kernel's keyring.
	InKernelKeyring Place = "kernel keyring"
	// InFile is a file that only its owner can read.
	InFile Place = "file"
	// InMemory is this process alone.
	InMemory Place = "memory"
)

// PlaceOf says where the session lies that Session returned.
func (s *Store) PlaceOf(ctx context.Context, key token.Key) Place {
	return s.sessions.place(ctx, sessionName(key))
}

func (d *disk) place(context.Context, string) Place { return InFile }

func (m *memory) place(context.Context, string) Place { return InMemory }

func (k *keychain) place(context.Context, string) Place { return k.where }

func (s *splitting) place(ctx context.Context, name string) Place { return s.items.place(ctx, name) }

func (c *chain) place(ctx context.Context, name string) Place {
	return c.places[c.order(c.holders(ctx, name))[0]].place(ctx, name)
}
