package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// clientSecretOptions say where the client's secret lies. An argument can be read by every process of the machine, so
// there are better places.
type clientSecretOptions struct {
	argument string
	file     string
	variable string
	item     string
	method   string
}

const secretMethodAuto = "auto"

func (o *clientSecretOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.argument, "oidc-client-secret", "",
		"`secret` of the client; a public client has none, and needs none; better say where it lies, by one of the next three")
	flags.StringVar(&o.file, "oidc-client-secret-file", "", "`file` with the secret of the client; read at each use")
	flags.StringVar(&o.variable, "oidc-client-secret-env", "", "`name` of the environment variable with the secret of the client")
	flags.StringVar(&o.item, "oidc-client-secret-keychain", "",
		"`service/account` of the item of the OS keychain with the secret of the client; read at each use")
	flags.StringVar(&o.method, "oidc-client-auth-method", secretMethodAuto,
		"`how` the client sends its secret: client_secret_basic, client_secret_post, or auto (as the provider lists it)")
}

// configure says where the secret comes from. One call of the program reads it once, however many requests need it: a
// keychain may ask the person each time.
func (o *clientSecretOptions) configure(env Env, terminal *terminal, config *provider.Config) error {
	given := 0
	for _, value := range []string{o.argument, o.file, o.variable, o.item} {
		if value != "" {
			given++
		}
	}
	if given > 1 {
		return misused(errors.New("only one --oidc-client-secret, or one of its kind, can be given"))
	}
	if err := o.configureMethod(config, given > 0); err != nil {
		return err
	}
	switch {
	case o.argument != "":
		config.ClientSecret = token.NewSecret(o.argument)
	case o.file != "":
		config.ReadClientSecret = sync.OnceValues(func() (token.Secret, error) { return readSecretFile(env, terminal, o.file) })
	case o.variable != "":
		config.ReadClientSecret = func() (token.Secret, error) { return readSecretVariable(env, o.variable) }
	case o.item != "":
		service, account, ok := strings.Cut(o.item, "/")
		if !ok || service == "" || account == "" {
			return misused(fmt.Errorf("--oidc-client-secret-keychain=%s: must be service/account", o.item))
		}
		config.ReadClientSecret = sync.OnceValues(func() (token.Secret, error) { return readSecretItem(env.Keychain, service, account) })
	}
	return nil
}

// isElsewhere reports whether the secret has to be read from somewhere.
func (o *clientSecretOptions) isElsewhere() bool {
	return o.file != "" || o.variable != "" || o.item != ""
}

// configureMethod is for providers that list several methods, and take one of them from this client.
func (o *clientSecretOptions) configureMethod(config *provider.Config, hasSecret bool) error {
	switch method := provider.SecretMethod(o.method); {
	case o.method == secretMethodAuto:
	case method != provider.ClientSecretBasic && method != provider.ClientSecretPost:
		return misused(fmt.Errorf("--oidc-client-auth-method=%s: must be auto, client_secret_basic or client_secret_post", o.method))
	case !hasSecret:
		return misused(errors.New("--oidc-client-auth-method: the client has no secret; name it with --oidc-client-secret-file, -env or -keychain"))
	default:
		config.SecretMethod = method
	}
	return nil
}

// readSecretFile takes the text without the line break at its end.
func readSecretFile(env Env, terminal *terminal, path string) (token.Secret, error) {
	path, err := expandHome(env, path)
	if err != nil {
		return token.Secret{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return token.Secret{}, unreadFile("--oidc-client-secret-file", err)
	}
	if isReadableByOthers(info) {
		terminal.warn(fmt.Errorf("--oidc-client-secret-file: others can read %s", path))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return token.Secret{}, unreadFile("--oidc-client-secret-file", err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return token.Secret{}, token.WithHint(misused(fmt.Errorf("--oidc-client-secret-file: %s is empty", path)),
			"Put the secret into it, or correct --oidc-client-secret-file.")
	}
	return token.NewSecret(secret), nil
}

// isReadableByOthers cannot tell on Windows, where modes say nothing.
func isReadableByOthers(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o044 != 0
}

func readSecretVariable(env Env, name string) (token.Secret, error) {
	secret := env.getenv(name)
	if secret == "" {
		return token.Secret{}, token.WithHint(misused(fmt.Errorf("--oidc-client-secret-env: the environment has no %s", name)),
			"Set that variable, or correct --oidc-client-secret-env.")
	}
	return token.NewSecret(secret), nil
}

func readSecretItem(keychain store.Keychain, service, account string) (token.Secret, error) {
	secret, err := store.ReadItem(context.Background(), keychain, service, account)
	if errors.Is(err, token.ErrNotFound) {
		return token.Secret{}, token.WithHint(
			misused(fmt.Errorf("--oidc-client-secret-keychain: the keychain has no item %s/%s", service, account)),
			"Put the secret there, or correct --oidc-client-secret-keychain.")
	}
	if err != nil {
		return token.Secret{}, token.WithHint(fmt.Errorf("--oidc-client-secret-keychain: %w", err),
			"Unlock the keychain, or keep the secret elsewhere, as with --oidc-client-secret-file.")
	}
	return secret, nil
}
