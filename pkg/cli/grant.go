package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// grantOptions say how to log in.
type grantOptions struct {
	grantType           string
	username            string
	password            string
	keyboardRedirectURL string
	clientAssertionFile string
}

// The values of --grant-type are kubelogin's.
const (
	grantAuto     = "auto"
	grantAuthCode = "authcode"
)

const defaultKeyboardRedirectURL = "urn:ietf:wg:oauth:2.0:oob"

func (o *grantOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.grantType, "grant-type", grantAuto, "`how` to log in: "+
		"authcode (a browser on this machine), "+
		"device-code (any browser; you compare a code), "+
		"authcode-keyboard (any browser; you type the code that it ends with), "+
		"client-credentials (for machines: the client itself, no person), "+
		"password (this program sees your password: the worst way), or "+
		"auto (authcode; password where --username is given)")
	flags.StringVar(&o.username, "username", "", "`name` to log in with by password")
	flags.StringVar(&o.password, "password", "", "`password` to log in with; better leave it out and type it when asked, since others can read it here")
	flags.StringVar(&o.keyboardRedirectURL, "oidc-redirect-url-authcode-keyboard", defaultKeyboardRedirectURL,
		"redirect `URL` of authcode-keyboard; its page shows the code")
	flags.StringVar(&o.clientAssertionFile, "client-assertion-file", "",
		"`file` with a JWT that authenticates the client in place of a secret, such as a projected service account token; read at each use")
}

// grant is what --grant-type means.
func (o *grantOptions) grant() (provider.Grant, error) {
	switch o.grantType {
	case grantAuto:
		if o.username != "" {
			return provider.Password, nil
		}
		return provider.AuthCode, nil
	case grantAuthCode:
		return provider.AuthCode, nil
	case string(provider.AuthCodeKeyboard), string(provider.DeviceCode), string(provider.Password), string(provider.ClientCredentials):
		return provider.Grant(o.grantType), nil
	}
	return "", misused(fmt.Errorf("--grant-type=%s: must be auto, authcode, authcode-keyboard, device-code, client-credentials or password",
		o.grantType))
}

// configure puts the flags into the provider's configuration.
func (o *grantOptions) configure(env Env, flags *pflag.FlagSet, config *provider.Config) (err error) {
	if config.Grant, err = o.grant(); err != nil {
		return err
	}
	hasSecret := !config.ClientSecret.IsEmpty() || config.ReadClientSecret != nil
	if o.clientAssertionFile != "" && hasSecret {
		// https://www.rfc-editor.org/rfc/rfc6749#section-2.3
		return misused(errors.New("--client-assertion-file and --oidc-client-secret: a client has one or the other"))
	}
	if config.Grant == provider.ClientCredentials && o.clientAssertionFile == "" && !hasSecret {
		// https://www.rfc-editor.org/rfc/rfc6749#section-4.4
		return misused(errors.New("--grant-type=client-credentials: needs --oidc-client-secret or --client-assertion-file"))
	}
	if config.Grant == provider.AuthCodeKeyboard {
		config.RedirectURL = o.keyboardRedirect(config.RedirectURL)
	}
	config.Username, config.Password = o.username, token.NewSecret(o.password)
	config.Sleep = env.Sleep
	if o.clientAssertionFile != "" {
		config.ClientAssertion = func() (token.Secret, error) { return readAssertion(env, o.clientAssertionFile) }
	}
	return nil
}

// keyboardRedirect is where the page with the code is: by its own flag, or else by --oidc-redirect-url.
func (o *grantOptions) keyboardRedirect(redirectURL string) string {
	if redirectURL == "" || o.keyboardRedirectURL != defaultKeyboardRedirectURL {
		return o.keyboardRedirectURL
	}
	return redirectURL
}

// asksNobody reports whether a login needs no person.
func (o *grantOptions) asksNobody() bool {
	grant, _ := o.grant()
	return grant == provider.ClientCredentials || grant == provider.Password && o.username != "" && o.password != ""
}

// asksByTerminal reports whether the person must type something.
func (o *grantOptions) asksByTerminal() bool {
	grant, _ := o.grant()
	return grant == provider.AuthCodeKeyboard || grant == provider.Password && !o.asksNobody()
}

// readAssertion reads what others, like a kubelet, write and renew (https://www.rfc-editor.org/rfc/rfc7523#section-2.2).
func readAssertion(env Env, path string) (token.Secret, error) {
	path, err := expandHome(env, path)
	if err != nil {
		return token.Secret{}, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return token.Secret{}, &token.Error{
			Err:  fmt.Errorf("--client-assertion-file: %w", err),
			Hint: []string{"Nothing stored is lost. Check the path, and who may read the file."},
		}
	}
	assertion := strings.TrimSpace(string(text))
	if !isJWT(assertion) {
		return token.Secret{}, &token.Error{
			Err:  fmt.Errorf("--client-assertion-file: %s does not hold a JWT", path),
			Hint: []string{"It must hold one signed JWT and nothing else."},
		}
	}
	return token.NewSecret(assertion), nil
}

// isJWT judges the shape alone: three parts of base64url.
func isJWT(text string) bool {
	parts := strings.Split(text, ".")
	for _, part := range parts {
		if part == "" || strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return len(parts) == 3
}
