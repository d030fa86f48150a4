package store

import (
	"context"
	"sync"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// memory is a vault that ends with the process.
type memory struct{ values sync.Map }

func (m *memory) get(_ context.Context, name string) ([]byte, error) {
	value, ok := m.values.Load(name)
	if !ok {
		return nil, token.ErrNotFound
	}
	return value.([]byte), nil
}

func (m *memory) set(_ context.Context, name string, value []byte) error {
	m.values.Store(name, value)
	return nil
}

func (m *memory) remove(_ context.Context, name string) error {
	m.values.Delete(name)
	return nil
}
