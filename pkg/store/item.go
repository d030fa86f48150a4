package store

import (
	"context"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// ReadItem reads a keychain's item that is not ours, such as a client secret that its owner put there. It returns
// token.ErrNotFound where there is none.
func ReadItem(ctx context.Context, items Keychain, service, account string) (token.Secret, error) {
	reader := &keychain{items: Config{Keychain: items}.keychain(), where: InKeychain}
	var item string
	err := reader.withDeadline(ctx, func() (err error) {
		item, err = reader.items.Get(service, account)
		return err
	})
	if err != nil {
		return token.Secret{}, err
	}
	return token.NewSecret(item), nil
}
