package cli

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// options are the flags of the verbs that log in. Their names, meanings and defaults are kubelogin's, so that a
// kubeconfig written for it works unchanged; where a default differs, the comment says why.
type options struct {
	provider providerOptions
	secret   clientSecretOptions
	request  requestOptions
	grant    grantOptions
	account  accountOptions
	login    loginOptions
	tls      tlsOptions
	store    storeOptions
	verbose  int
}

func (o *options) addFlags(flags *pflag.FlagSet) {
	o.provider.addFlags(flags)
	o.grant.addFlags(flags)
	o.account.addChooseFlag(flags)
	o.login.addFlags(flags)
	o.addOtherFlags(flags)
}

// addQuietFlags is for verbs that never ask a person.
func (o *options) addQuietFlags(flags *pflag.FlagSet) {
	o.provider.addFlags(flags)
	o.grant.addFlags(flags)
	o.addOtherFlags(flags)
}

func (o *options) addOtherFlags(flags *pflag.FlagSet) {
	o.account.addNameFlag(flags)
	o.secret.addFlags(flags)
	o.request.addFlags(flags)
	o.tls.addFlags(flags)
	o.store.addFlags(flags)
	addVerboseFlag(flags, &o.verbose)
	flags.SortFlags = false
}

func addVerboseFlag(flags *pflag.FlagSet, verbose *int) {
	flags.IntVarP(verbose, "v", "v", 0, "print the steps on stderr: 1 the decisions, 2 more; never a secret")
}

type providerOptions struct {
	issuerURL        string
	clientID         string
	extraScopes      []string
	redirectURL      string
	trustedAudiences []string
	headers          map[string]string
}

func (o *providerOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.issuerURL, "oidc-issuer-url", "", "issuer `URL` of the provider")
	flags.StringVar(&o.clientID, "oidc-client-id", "", "`ID` of the client registered at the provider")
	flags.StringSliceVar(&o.extraScopes, "oidc-extra-scope", nil, "`scope` to ask for besides openid; may be repeated")
	flags.StringSliceVar(&o.trustedAudiences, "trusted-audience", nil,
		"`audience` that an ID token may have besides the client; may be repeated")
	flags.StringToStringVar(&o.headers, "oidc-request-header", nil,
		"HTTP header as `name=value` to send with each request to the provider; may be repeated")
	flags.Lookup("oidc-request-header").DefValue = "" // help then names no default
	flags.StringVar(&o.redirectURL, "oidc-redirect-url", "", "redirect `URL` registered at the provider (default http://localhost:PORT)")
}

// describeProvider says in the help of a verb when a provider must be named.
func describeProvider(flags *pflag.FlagSet, when string) {
	for _, name := range []string{"oidc-issuer-url", "oidc-client-id"} {
		flags.Lookup(name).Usage += " (" + when + ")"
	}
}

// secretHeaders are the headers, whose values may be secrets.
func (o *providerOptions) secretHeaders() map[string]token.Secret {
	headers := map[string]token.Secret{}
	for name, value := range o.headers {
		headers[name] = token.NewSecret(value)
	}
	return headers
}

type loginOptions struct {
	listenAddresses []string
	skipOpenBrowser bool
	browserCommand  string
	timeoutSeconds  int
	interactive     string
	nextURL         string
	server          localServerOptions
	pkce            pkceOptions
}

const defaultLoginTimeoutSeconds = 180

func (o *loginOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&o.listenAddresses, "listen-address", defaultListenAddresses(),
		"`address` on which the browser's answer is awaited; may be repeated, the first free one is taken")
	o.addBrowserFlags(flags)
	flags.IntVar(&o.timeoutSeconds, "authentication-timeout-sec", defaultLoginTimeoutSeconds, "how many `seconds` a login may take")
	flags.StringVar(&o.interactive, "interactive", interactiveAuto,
		"`when` you may be asked to log in: auto (not by shell completion, CI, or where nobody could see it), always or never")
	flags.StringVar(&o.nextURL, "open-url-after-authentication", "", "`URL` at which the browser ends after a login (default: a page of this program)")
	o.server.addFlags(flags)
	o.pkce.addFlags(flags)
}

// addBrowserFlags is for all that a browser is needed for.
func (o *loginOptions) addBrowserFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.skipOpenBrowser, "skip-open-browser", false, "print the URL, and open no browser")
	flags.StringVar(&o.browserCommand, "browser-command", "",
		"`program` to open the browser with; gets the URL as its argument (default $BROWSER, or the system's browser)")
}

func (o *loginOptions) checkTimeout() error {
	if o.timeoutSeconds <= 0 {
		return misused(fmt.Errorf("--authentication-timeout-sec=%d: must be above 0", o.timeoutSeconds))
	}
	return nil
}

// checkAddresses wants one at which a login could listen. As at kubelogin, others may be wrong.
func (o *loginOptions) checkAddresses() error {
	if len(o.listenAddresses) == 0 || slices.ContainsFunc(o.listenAddresses, isListenAddress) {
		return nil
	}
	return token.WithHint(misused(fmt.Errorf("--listen-address=%s: must be HOST:PORT", o.listenAddresses[0])),
		"Name one such as 127.0.0.1:8000; port 0 takes any that is free.")
}

func isListenAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = net.LookupPort("tcp", port) // names of services are looked up in a file, numbers nowhere
	return err == nil
}

func (o *loginOptions) timeout() time.Duration { return time.Duration(o.timeoutSeconds) * time.Second }

func defaultListenAddresses() []string { return []string{"127.0.0.1:8000", "127.0.0.1:18000"} }

type tlsOptions struct {
	certificateAuthorities    []string
	certificateAuthorityDatas []string
	insecureSkipTLSVerify     bool
	renegotiateOnce           bool
	renegotiateFreely         bool
}

func (o *tlsOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.certificateAuthorities, "certificate-authority", nil,
		"PEM `file` of a certificate authority of the provider, added to the system's; may be repeated")
	flags.StringArrayVar(&o.certificateAuthorityDatas, "certificate-authority-data", nil,
		"the same as `base64` text; may be repeated")
	flags.BoolVar(&o.insecureSkipTLSVerify, "insecure-skip-tls-verify", false,
		"believe any certificate of the provider; anybody on the way can then read your tokens")
	flags.BoolVar(&o.renegotiateOnce, "tls-renegotiation-once", false,
		"let the provider renegotiate TLS 1.2 once per connection, as some do that ask for client certificates")
	flags.BoolVar(&o.renegotiateFreely, "tls-renegotiation-freely", false, "let the provider renegotiate TLS 1.2 as often as it likes")
}

type storeOptions struct {
	directory string
	mode      string
}

const (
	defaultCacheDirectory = "~/.kube/cache/oidc-login"
	// kubectl's own caches lie in the folder of this variable, and so do kubelogin's tokens.
	cacheVariable = "KUBECACHEDIR"
)

func (o *storeOptions) addFlags(flags *pflag.FlagSet) {
	addDirectoryFlag(flags, &o.directory)
	// kubelogin's default is disk.
	flags.StringVar(&o.mode, "token-cache-storage", string(store.Auto),
		"`place` where tokens lie: auto (refresh token in the OS keychain, ID token in a file), keyring, disk or none")
}

// providerConfig turns the flags into what pkg/provider takes, but for those of a login.
func (o *options) providerConfig(env Env, terminal *terminal, flags *pflag.FlagSet, log *slog.Logger) (provider.Config, error) {
	for _, flag := range []struct{ name, value string }{
		{"oidc-issuer-url", o.provider.issuerURL},
		{"oidc-client-id", o.provider.clientID},
	} {
		if flag.value == "" {
			return provider.Config{}, misused(fmt.Errorf("the flag --%s is missing", flag.name))
		}
	}
	config := provider.Config{
		Issuer:                 o.provider.issuerURL,
		ClientID:               o.provider.clientID,
		Scopes:                 o.provider.extraScopes,
		TrustedAudiences:       o.provider.trustedAudiences,
		Headers:                o.provider.secretHeaders(),
		RedirectURL:            o.provider.redirectURL,
		CertificateAuthorities: func() ([]string, error) { return o.tls.checkedAuthorities(env) },
		InsecureSkipTLSVerify:  o.tls.insecureSkipTLSVerify,
		Trust:                  o.tls.trust(),
		Renegotiation:          o.tls.renegotiation(),
		UserAgent:              userAgent,
		Proxy:                  env.Proxy,
		Now:                    env.Now,
		Log:                    log,
		Warn:                   terminal.warn,
	}
	if err := o.secret.configure(env, terminal, &config); err != nil {
		return provider.Config{}, err
	}
	if err := o.request.configure(&config); err != nil {
		return provider.Config{}, err
	}
	if err := o.grant.configure(env, flags, &config); err != nil {
		return provider.Config{}, err
	}
	return config, o.account.configure(&config)
}

// configure adds what a login needs.
func (o *loginOptions) configure(env Env, terminal *terminal, config *provider.Config, flags *pflag.FlagSet) error {
	if err := checkInteractive(o.interactive); err != nil {
		return err
	}
	if err := o.checkTimeout(); err != nil {
		return err
	}
	if err := o.checkAddresses(); err != nil {
		return err
	}
	config.ListenAddresses = o.addresses(flags.Changed("listen-address"), config.RedirectURL)
	config.LoginTimeout = o.timeout()
	config.NextURL = o.nextURL
	if err := o.server.configure(env, terminal, config); err != nil {
		return err
	}
	return o.pkce.configure(config)
}

// addresses follow the redirect URL: where that names a port of this machine, the browser will come to that port. A
// person who gives both knows of something in between, like a container's port mapping.
func (o *loginOptions) addresses(given bool, redirectURL string) []string {
	redirect, err := url.Parse(redirectURL)
	if given || err != nil || redirect.Port() == "" || redirect.Port() == "0" {
		return o.listenAddresses
	}
	switch redirect.Hostname() {
	case "localhost":
		return []string{net.JoinHostPort("127.0.0.1", redirect.Port())}
	case "127.0.0.1", "::1":
		return []string{redirect.Host}
	}
	return o.listenAddresses
}

// authorities reads the PEM texts, those of files first.
func (o *tlsOptions) authorities(env Env) ([]string, error) {
	var texts []string
	for _, path := range o.certificateAuthorities {
		path, err := expandHome(env, path)
		if err != nil {
			return nil, err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, unreadFile("--certificate-authority", err)
		}
		texts = append(texts, string(text))
	}
	for _, data := range o.certificateAuthorityDatas {
		text, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			return nil, token.WithHint(misused(errors.New("--certificate-authority-data: is not base64")),
				"It is a PEM file in base64, on one line.")
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}

// checkedAuthorities says which of them is none, before the provider is asked.
func (o *tlsOptions) checkedAuthorities(env Env) ([]string, error) {
	texts, err := o.authorities(env)
	if err != nil {
		return nil, err
	}
	for i, text := range texts {
		if x509.NewCertPool().AppendCertsFromPEM([]byte(text)) {
			continue
		}
		err := errors.New("--certificate-authority-data: there is no PEM certificate in it")
		if i < len(o.certificateAuthorities) {
			err = fmt.Errorf("--certificate-authority: there is no PEM certificate in %s", o.certificateAuthorities[i])
		}
		return nil, token.WithHint(misused(err), "Such a file has a line -----BEGIN CERTIFICATE-----.")
	}
	return texts, nil
}

// unreadFile is for a file of the person's that a flag names.
func unreadFile(flag string, cause error) error {
	todo := "Check who may read that file"
	if errors.Is(cause, fs.ErrNotExist) {
		todo = "Create that file"
	}
	return token.WithHint(misused(fmt.Errorf("%s: %w", flag, cause)), todo+", or correct "+flag+".")
}

// addDirectoryFlag leaves the folder empty where it is not given, since the default depends on the environment.
func addDirectoryFlag(flags *pflag.FlagSet, directory *string) {
	flags.StringVar(directory, "token-cache-dir", "", "`folder` for the tokens that are kept on disk")
	flags.Lookup("token-cache-dir").DefValue = defaultCacheDirectory
}

// absoluteDirectory is the folder of --token-cache-dir.
func (o *storeOptions) absoluteDirectory(env Env) (string, error) {
	directory := cmp.Or(o.directory, defaultCacheDirectory)
	if parent := env.getenv(cacheVariable); o.directory == "" && parent != "" {
		directory = filepath.Join(parent, "oidc-login")
	}
	directory, err := expandHome(env, directory)
	if err != nil {
		return "", token.WithHint(err, "Set HOME, or say where to keep tokens with --token-cache-dir.")
	}
	if directory, err = filepath.Abs(directory); err != nil {
		return "", fmt.Errorf("--token-cache-dir: %w", err)
	}
	return directory, nil
}

// openDocuments makes the cache of the provider's documents. With nothing to be kept, nothing is.
func (o *storeOptions) openDocuments(env Env, config *provider.Config) error {
	if store.Mode(o.mode) == store.None {
		return nil
	}
	directory, err := o.absoluteDirectory(env)
	if err != nil {
		return err
	}
	documents := store.OpenDocuments(directory)
	config.LoadDocument, config.SaveDocument = documents.Load, documents.Save
	return nil
}

// open makes the store of the flags.
func (o *storeOptions) open(env Env, terminal *terminal, log *slog.Logger) (*store.Store, error) {
	mode := store.Mode(o.mode)
	if !slices.Contains(store.Modes(), mode) {
		return nil, misused(fmt.Errorf("--token-cache-storage=%s: must be one of %v", o.mode, store.Modes()))
	}
	directory, err := o.absoluteDirectory(env)
	if err != nil && mode != store.None {
		return nil, err
	}
	return store.Open(store.Config{
		Mode:          mode,
		Directory:     directory,
		Locks:         locksFolder(env),
		FallbackLocks: filepath.Join(env.TempDir(), "kubectl-oidc_login-"+strconv.Itoa(os.Getuid())),
		Machine:       env.MachineID,
		Keychain:      env.Keychain,
		KernelKeyring: env.KernelKeyring,
		Now:           env.Now,
		Warn:          terminal.warn,
		Waiting:       terminal.waiting,
		Log:           log,
	})
}

// locksFolder is one wherever the tokens lie, since they may all lie in one keychain; "" for who has no home.
func locksFolder(env Env) string {
	base, err := expandHome(env, defaultCacheDirectory)
	if err != nil {
		return ""
	}
	return filepath.Join(base, "locks")
}

func (o *tlsOptions) renegotiation() tls.RenegotiationSupport {
	switch {
	case o.renegotiateOnce:
		return tls.RenegotiateOnceAsClient
	case o.renegotiateFreely:
		return tls.RenegotiateFreelyAsClient
	}
	return tls.RenegotiateNever
}

// trust names whom these settings believe.
func (o *tlsOptions) trust() string {
	return strings.Join(append(append([]string{strconv.FormatBool(o.insecureSkipTLSVerify)}, o.certificateAuthorities...),
		o.certificateAuthorityDatas...), "\n")
}

// expandHome replaces ~ at the start of a path, since no shell reads a kubeconfig.
func expandHome(env Env, path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) {
		return path, nil
	}
	home, err := env.HomeDir()
	if err != nil {
		return "", fmt.Errorf("cannot find your home directory for %s: %w", path, err)
	}
	return filepath.Join(home, rest), nil
}
