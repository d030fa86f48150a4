package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// handOut prints a kubeconfig that an administrator can give to everybody. There is no secret in it, and no path of this
// machine.
func (s *setup) handOut() error {
	plan, err := s.plan()
	if err != nil {
		return err
	}
	if err := inlineAuthorities(s.env, plan.Users[0].Exec.Args); err != nil {
		return err
	}
	if err := checkShared(plan.Users[0]); err != nil {
		return misused(err)
	}
	plan.Users[0].Exec.Command = "kubectl-oidc_login"
	if plan.cluster.Name != "" {
		if plan.cluster.CertificateAuthority != "" && len(plan.cluster.CertificateAuthorityData) == 0 {
			if plan.cluster.CertificateAuthorityData, err = os.ReadFile(plan.cluster.CertificateAuthority); err != nil {
				return fmt.Errorf("the certificate authority of cluster %q: %w", plan.cluster.Name, err)
			}
		}
		plan.Clusters = []kubeconfig.Cluster{plan.cluster}
		if len(plan.Contexts) == 0 {
			plan.Contexts = []kubeconfig.Context{{Name: plan.cluster.Name, Cluster: plan.cluster.Name, User: plan.Users[0].Name}}
		}
		plan.CurrentContext = plan.Contexts[0].Name
	}
	text, err := plan.Apply(nil)
	if err != nil {
		return err
	}
	s.page.print(string(text))
	return nil
}

// inlineAuthorities takes files into the arguments, since other machines have none of them.
func inlineAuthorities(env Env, arguments []string) error {
	for i, argument := range arguments {
		path, ok := strings.CutPrefix(argument, "--certificate-authority=")
		if !ok {
			continue
		}
		path, err := expandHome(env, path) // no shell does it after an equals sign
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("--certificate-authority: %w", err)
		}
		arguments[i] = "--certificate-authority-data=" + base64.StdEncoding.EncodeToString(text)
	}
	return nil
}

// sharedFlags are those that a stranger may set. Others name files, programs and secrets of this machine, send them
// somewhere, or make a login less safe. An access token is for other servers than the cluster, which would get it.
func sharedFlags() []string {
	return []string{
		"oidc-issuer-url", "oidc-client-id", "oidc-extra-scope", "oidc-audience", "oidc-resource", "oidc-acr-values",
		"oidc-max-age", "oidc-auth-request-extra-params", "trusted-audience", "grant-type",
		"certificate-authority-data", "token-cache-storage", "authentication-timeout-sec", "select-account", "force-refresh",
	}
}

// checkShared refuses users that do anything but log in by this plugin.
func checkShared(user kubeconfig.User) error {
	arguments, ours := user.Exec.PluginArguments()
	switch {
	case user.Exec == nil || !ours || arguments[0] != tokenVerb:
		return fmt.Errorf("the user %q does not log in by this plugin", user.Name)
	case user.HasOtherCredentials() || user.Impersonate != "":
		return fmt.Errorf("the user %q has a credential in it", user.Name)
	case len(user.Exec.Env) > 0:
		return fmt.Errorf("the user %q sets variables, which a shared kubeconfig may not", user.Name)
	}
	read, flags, err := parseGetToken(arguments[1:])
	if err != nil {
		return fmt.Errorf("the user %q: %w", user.Name, flagError(err))
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("the user %q: %w", user.Name, errUnexpectedArgument)
	}
	var refused []string
	flags.Visit(func(flag *pflag.Flag) {
		if !slices.Contains(sharedFlags(), flag.Name) {
			refused = append(refused, "--"+flag.Name)
		}
	})
	switch {
	case len(refused) > 0:
		return fmt.Errorf("the user %q: a shared kubeconfig may not set %s", user.Name, strings.Join(refused, ", "))
	case !strings.HasPrefix(read.provider.issuerURL, "https://") || read.provider.clientID == "":
		return fmt.Errorf("the user %q names no https issuer, or no client", user.Name)
	case !slices.Contains([]string{"auto", "authcode", "device-code", "authcode-keyboard"}, read.grant.grantType):
		return fmt.Errorf("the user %q: a shared kubeconfig may not ask for passwords, or log in a machine", user.Name)
	case read.store.mode == string(store.Disk):
		return fmt.Errorf("the user %q: a shared kubeconfig may not put sessions into files", user.Name)
	}
	return nil
}

func checkSharedCluster(one kubeconfig.Cluster) error {
	server, err := url.Parse(one.Server)
	switch {
	case err != nil || server.Scheme != "https" || server.Host == "" || server.User != nil:
		return fmt.Errorf("the cluster %q has no https address", one.Name)
	case one.InsecureSkipTLSVerify, one.ProxyURL != "", one.CertificateAuthority != "":
		return fmt.Errorf("the cluster %q: a shared kubeconfig may not turn TLS off, name a proxy, or name a file", one.Name)
	}
	return nil
}

// checkSharedContext refuses to join a stranger's cluster to a credential that is there already, which kubectl would then
// send to it.
func checkSharedContext(theirs *kubeconfig.Config, one kubeconfig.Context) error {
	_, hasUser := theirs.User(one.User)
	_, hasCluster := theirs.Cluster(one.Cluster)
	if !hasUser || !hasCluster {
		return fmt.Errorf("the context %q joins a user and a cluster that are not both in the same file", one.Name)
	}
	return nil
}

const (
	maxSharedSize = 1 << 20
	sharedTimeout = 30 * time.Second
)

// readFrom reads a file, or an address by https alone.
func (s *setup) readFrom(ctx context.Context) ([]byte, error) {
	if !s.isFromURL() {
		path, err := expandHome(s.env, s.wanted.from)
		if err != nil {
			return nil, err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, token.WithHint(misused(fmt.Errorf("--from: %w", err)), "Check the path, or give an https URL.")
		}
		return text, nil
	}
	if !strings.HasPrefix(s.wanted.from, "https://") {
		return nil, misused(errors.New("--from: only a file or an https URL can be believed"))
	}
	return s.download(ctx)
}

func (s *setup) isFromURL() bool { return strings.Contains(s.wanted.from, "://") }

func (s *setup) download(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, sharedTimeout)
	defer cancel()
	client, err := s.options.tls.client(s.env)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.wanted.from, nil)
	if err != nil {
		return nil, misused(errors.New("--from: that is no URL"))
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, notDownloaded(request.URL.Host, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, token.WithHint(fmt.Errorf("--from: the server answered with status %d", response.StatusCode),
			"Check the address. It must give the file to everybody, without a login.")
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxSharedSize+1))
	switch {
	case err != nil:
		return nil, notDownloaded(request.URL.Host, err)
	case len(text) > maxSharedSize:
		return nil, errors.New("--from: that is too large for a kubeconfig")
	}
	return text, nil
}

// notDownloaded says why no answer came.
func notDownloaded(host string, err error) error {
	var refused *token.Error
	if errors.As(err, &refused) { // by this program
		return fmt.Errorf("--from: %w", refused)
	}
	reason, cause := untrusted.NetworkError(err)
	hint := "Check the address, and the network or the VPN."
	switch reason {
	case untrusted.Interrupted:
		return errors.New("--from: interrupted")
	case untrusted.UnknownAuthority:
		cause = errors.New("its certificate is signed by an authority that this machine does not know")
		hint = "If the authority is your company's, name it with --certificate-authority."
	case untrusted.WrongCertificate:
		hint = "Check the address, and the server's certificate."
	case untrusted.WrongScheme:
		hint = "Check the address and its port. A captive portal may answer so, too."
	case untrusted.UnknownHost, untrusted.TimedOut, untrusted.OtherReason:
	}
	return token.WithHint(fmt.Errorf("--from: cannot reach %s: %w", untrusted.Printable(host), cause), hint)
}

// client is for addresses that are not the provider's, with the authorities of the flags.
func (o *tlsOptions) client(env Env) (*http.Client, error) {
	authorities, err := o.authorities(env)
	if err != nil {
		return nil, err
	}
	configuration, err := trusting(authorities)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport:     &http.Transport{Proxy: env.Proxy, TLSClientConfig: configuration},
		CheckRedirect: staysWithItsServer,
	}, nil
}

// staysWithItsServer follows redirects that the person who named a server has agreed to with that.
func staysWithItsServer(request *http.Request, via []*http.Request) error {
	switch asked := via[0].URL; {
	case request.URL.Scheme != asked.Scheme || !strings.EqualFold(request.URL.Host, asked.Host):
		return token.WithHint(fmt.Errorf("the server sends on to %s://%s, which is another one",
			untrusted.Printable(request.URL.Scheme), untrusted.Printable(request.URL.Host)), "Name that address yourself if you believe it.")
	case len(via) > 5:
		return token.WithHint(errors.New("the server sends on again and again"), "Check the address.")
	}
	return nil
}

// trusting believes these authorities besides those of the system.
func trusting(authorities []string) (*tls.Config, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	for _, authority := range authorities {
		if !roots.AppendCertsFromPEM([]byte(authority)) {
			return nil, misused(errors.New("--certificate-authority: no PEM certificate in it"))
		}
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}
