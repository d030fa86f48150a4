package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cluster"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/store"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// doctor examines one login.
type doctor struct {
	target   *target
	chosen   targetOptions
	terminal *terminal
	session  *session
	keys     []byte // of the provider, where it could be asked
	findings []cluster.Finding
}

func (d *doctor) add(severity cluster.Severity, subject, text string, remedy ...string) {
	d.findings = append(d.findings, cluster.Finding{Severity: severity, Subject: subject, Text: oneLine(text),
		Remedy: oneLine(strings.Join(remedy, " "))})
}

func (d *doctor) checkProgram() {
	executable, err := d.target.env.Executable()
	if err != nil {
		d.add(cluster.Warning, "program", "The path of this program cannot be found.")
		return
	}
	found := pluginsInPath(d.target.env)
	switch {
	case len(found) == 0:
		d.add(cluster.Note, "program", executable+" is in no folder of PATH, so kubectl does not find it as a plugin.",
			"The absolute path in a kubeconfig works all the same.")
	case !isSameFile(found[0], executable):
		d.add(cluster.Warning, "program", "kubectl finds another program first: "+found[0]+", and this is "+executable+".",
			"Remove one of them, or change the order of PATH.")
	default:
		d.add(cluster.OK, "program", found[0]+" is what kubectl finds in PATH.")
	}
}

// checkUser judges how kubectl will call the plugin.
func (d *doctor) checkUser() {
	if d.target.user.Name == "" {
		d.add(cluster.Note, "kubeconfig", "No user of it was looked at, since flags name the login.")
		return
	}
	user := d.target.user
	subject := "user " + user.Name
	healthy := len(d.findings)
	remedy := d.setupRemedy()
	switch user.Exec.APIVersion {
	case "client.authentication.k8s.io/v1":
		if user.Exec.InteractiveMode == "" {
			d.add(cluster.Error, subject, "It has no interactiveMode, which kubectl needs with client.authentication.k8s.io/v1.", remedy)
		}
	case "client.authentication.k8s.io/v1beta1":
	default:
		d.add(cluster.Error, subject, fmt.Sprintf("kubectl does not know its exec apiVersion %q.", user.Exec.APIVersion), remedy)
	}
	if user.Exec.InteractiveMode == "Always" {
		d.add(cluster.Warning, subject, "Its interactiveMode is Always, so it fails where kubectl has no terminal or reads stdin.",
			"Set it to IfAvailable.")
	}
	if refusal := d.target.call.refusal; refusal != nil {
		d.add(cluster.Error, subject, fmt.Sprintf("kubectl gets no token by it: %v.", refusal), d.target.callRemedy())
	}
	d.checkCommand(subject, remedy)
	if user.HasOtherCredentials() {
		d.add(cluster.Error, subject, "It has another credential too, so kubectl never calls the plugin.", "Remove the other one.")
	}
	for _, name := range user.Exec.SecretFlags() {
		d.add(cluster.Warning, subject, "There is a secret among its arguments ("+name+"), which every process can read.",
			"Say where it is, with --oidc-client-secret-file, or type it when asked.")
	}
	if len(d.findings) == healthy {
		d.add(cluster.OK, subject, "kubectl calls the plugin as it should.")
	}
}

// setupRemedy writes the user anew, with the flags that it has but for secrets, which setup takes from a file alone.
func (d *doctor) setupRemedy() string {
	words := append([]string{"--user=" + d.target.user.Name}, d.chosen.kubeconfigWords()...)
	for _, word := range getTokenArguments(d.target.flags) {
		switch name, _, _ := strings.Cut(word, "="); name {
		case "--oidc-client-secret":
			words = append(words, "--oidc-client-secret-file=FILE")
		case "--password":
		default:
			words = append(words, word)
		}
	}
	return "Run: " + commandName + " setup " + quoteAll(words)
}

func (d *doctor) checkCommand(subject, remedy string) {
	command := d.target.user.Exec.Command
	switch found := d.lookPath(command); {
	case found == "":
		d.add(cluster.Error, subject, "kubectl does not find its command "+command+".", remedy)
	case filepath.Base(command) == "kubectl":
		d.add(cluster.Note, subject, "It calls the plugin by way of kubectl, which is slower.", remedy)
	case !strings.ContainsAny(command, `/\`):
		d.add(cluster.Note, subject, "It names the plugin without its path, which editors and other windows may not find.", remedy)
	default:
		if executable, err := d.target.env.Executable(); err == nil && !isSameFile(found, executable) {
			d.add(cluster.Note, subject, "It calls "+found+", and this is "+executable+".")
		}
	}
}

// lookPath finds a program as kubectl does: in PATH, or by its path, which is relative to the kubeconfig.
func (d *doctor) lookPath(command string) string {
	if strings.ContainsAny(command, `/\`) {
		if !filepath.IsAbs(command) {
			command = filepath.Join(filepath.Dir(d.target.user.File), command)
		}
		path, err := filepath.Abs(command) // a name without a folder would be looked for in PATH
		if err != nil {
			return ""
		}
		return executableAt(path)
	}
	for _, folder := range filepath.SplitList(d.target.env.getenv("PATH")) {
		if found := executableAt(filepath.Join(folder, command)); found != "" {
			return found
		}
	}
	return ""
}

func executableAt(path string) string {
	if found, err := exec.LookPath(path); err == nil {
		return found
	}
	return ""
}

// checkPolicy asks whether kubectl may call the plugin at all
// (https://kubernetes.io/docs/reference/kubectl/kuberc/).
func (d *doctor) checkPolicy() {
	env := d.target.env
	path := env.getenv("KUBERC")
	if home, err := env.HomeDir(); err == nil && path == "" {
		path = filepath.Join(home, ".kube", "kuberc")
	}
	if env.getenv("KUBECTL_KUBERC") == "false" || path == "off" || d.target.user.Name == "" {
		return
	}
	policy, err := kubeconfig.LoadPolicy(path)
	command := d.target.user.Exec.Command
	switch {
	case err != nil:
		d.add(cluster.Error, "kuberc", err.Error()+".", "kubectl refuses it too.")
	case policy.Name == "DenyAll":
		d.add(cluster.Error, "kuberc", path+" has the policy DenyAll, so kubectl calls no plugin.", "Make it an Allowlist with "+command+".")
	case !policy.Allows(command, d.lookPath):
		d.add(cluster.Error, "kuberc", "The allowlist in "+path+" does not have "+command+", so kubectl does not call it.",
			"Add it to credentialPluginAllowlist.")
	case policy.Name != "":
		d.add(cluster.OK, "kuberc", "kubectl may call "+command+".")
	}
}

// kubectlTimeout is for a program that only prints its version.
const kubectlTimeout = 5 * time.Second

func (d *doctor) checkKubectl(ctx context.Context) {
	path := d.lookPath("kubectl")
	if path == "" {
		d.add(cluster.Warning, "kubectl", "There is none in PATH.")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, kubectlTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, path, "version", "--client", "--output=json")
	command.Env = d.target.env.Environ
	output, err := command.Output()
	var printed struct {
		ClientVersion struct {
			Major, Minor, GitVersion string
		}
	}
	if err == nil {
		err = json.Unmarshal(output, &printed)
	}
	minor, minorErr := strconv.Atoi(strings.TrimRight(printed.ClientVersion.Minor, "+"))
	switch {
	case err != nil:
		d.add(cluster.Warning, "kubectl", path+" does not say its version.")
	case minorErr != nil:
		d.add(cluster.Note, "kubectl", path+" was built without a version.")
	case minor < 22:
		d.add(cluster.Error, "kubectl", path+" is "+printed.ClientVersion.GitVersion+", which knows no client.authentication.k8s.io/v1.",
			"Install a newer one.")
	default:
		d.add(cluster.OK, "kubectl", path+" is "+printed.ClientVersion.GitVersion+".")
	}
}

// checkBrowser sees whether a login could begin.
func (d *doctor) checkBrowser() {
	login := d.target.options.login
	if reason := browserCommand(d.target.env, login).WhyNot(); reason != nil {
		d.add(cluster.Note, "browser", fmt.Sprintf("None opens here (%v); a login prints the URL.", reason))
	} else {
		d.add(cluster.OK, "browser", "A login can open one.")
	}
}

// checkPort tries to wait for the browser's answer as a login would.
func (d *doctor) checkPort() {
	if grant, err := d.target.options.grant.grant(); err != nil || grant != provider.AuthCode {
		return
	}
	port, err := d.session.provider.TryPort()
	if err != nil {
		d.add(cluster.Error, "port", "No port is free: "+err.Error()+".", hintsOf(err)...)
		return
	}
	d.add(cluster.OK, "port", fmt.Sprintf("A login can wait for the browser's answer at port %d.", port))
}

// checkCredential reads what the client proves itself with, where that lies elsewhere than in the flags.
func (d *doctor) checkCredential() {
	noun := "secret"
	switch options := d.target.options; {
	case options.grant.clientAssertionFile != "":
		noun = "assertion"
	case options.secret.isElsewhere():
	default:
		return
	}
	if err := d.session.provider.TryCredential(); err != nil {
		d.add(cluster.Error, "credential", err.Error()+".", hintsOf(err)...)
		return
	}
	d.add(cluster.OK, "credential", "The client's "+noun+" can be read.")
}

// checkProxy tells what the environment says, without the passwords in it.
func (d *doctor) checkProxy() {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"} {
		value := d.target.env.getenv(name)
		if value == "" {
			continue
		}
		if parsed, err := url.Parse(value); err == nil && parsed.Host != "" {
			value = parsed.Scheme + "://" + parsed.Host
		} else if strings.Contains(value, "@") {
			value = "(not shown)"
		}
		d.add(cluster.Note, "proxy", name+" is "+value+".")
	}
}

// A keychain is asked at each refresh, so a slow one is felt.
const slowKeychain = 200 * time.Millisecond

func (d *doctor) checkStore(ctx context.Context) {
	opened := d.session.store
	mode := store.Mode(d.target.options.store.mode)
	if mode == store.Auto || mode == store.Keyring {
		switch took, err := opened.ProbeKeychain(ctx); {
		case err != nil && mode == store.Keyring:
			d.add(cluster.Error, "keychain", fmt.Sprintf("%v.", err), "Unlock it, or use --token-cache-storage=auto.")
		case err != nil:
			d.add(cluster.Warning, "keychain", fmt.Sprintf("%v. The next login keeps its session elsewhere.", err), "Unlock it, or install one.")
		case took > slowKeychain:
			d.add(cluster.Warning, "keychain", fmt.Sprintf("It works, but took %s.", took.Round(time.Millisecond)))
		default:
			d.add(cluster.OK, "keychain", fmt.Sprintf("An item was written, read and removed in %s.", took.Round(time.Millisecond)))
		}
	}
	d.checkFiles(mode)
	if err := opened.CheckLocks(); err != nil {
		d.add(cluster.Error, "lock", fmt.Sprintf("No lock can be had: %v.", err), "Make the folder writable for yourself.")
	} else {
		d.add(cluster.OK, "lock", "Calls at once can wait for each other.")
	}
}

func (d *doctor) checkFiles(mode store.Mode) {
	opened := d.session.store
	openErr, writeErr := opened.CheckFiles(), opened.TryFile()
	if openErr != nil {
		d.add(cluster.Error, "files", fmt.Sprintf("Others can read what should be yours alone: %v.", openErr),
			"Take the rights away: chmod -R go= on that folder.")
	}
	if writeErr != nil {
		severity := cluster.Error
		if mode == store.Keyring {
			severity = cluster.Warning // it keeps no token there
		}
		d.add(severity, "files", fmt.Sprintf("Nothing can be kept in files: %v.", writeErr),
			"Make the folder writable for yourself, or name another with --token-cache-dir.")
	}
	if openErr == nil && writeErr == nil && mode != store.None {
		d.add(cluster.OK, "files", "What is stored in files is yours alone.")
	}
	if left := opened.OfKubelogin(); len(left) > 0 {
		d.add(cluster.Warning, "kubelogin", fmt.Sprintf("It has left tokens in plain text, in %s of %s.", inWords(len(left), "file"),
			filepath.Dir(left[0])), "If you do not use it any more, remove the files whose names are 64 digits and letters, without an ending.")
	}
}

// checkVerification tells of those who are believed without a proof.
func (d *doctor) checkVerification() {
	if d.target.options.tls.insecureSkipTLSVerify {
		d.add(cluster.Warning, "provider", "Its certificate is not checked, so anybody on the way can pose as it and read your tokens.",
			"Leave out --insecure-skip-tls-verify, and name its certificate authority with --certificate-authority.")
	}
	if d.target.cluster.InsecureSkipTLSVerify {
		d.add(cluster.Warning, "cluster", "The certificate of "+d.target.cluster.Name+
			" is not checked, so anybody on the way can pose as it and take your token.",
			"Give it a certificate-authority-data in place of insecure-skip-tls-verify.")
	}
}

func (d *doctor) checkProvider(ctx context.Context) {
	issuer := d.target.options.provider.issuerURL
	report, err := d.session.provider.Inspect(ctx)
	if err != nil {
		d.add(cluster.Error, "provider", err.Error()+".", hintsOf(err)...)
		return
	}
	d.keys = report.Keys
	d.findings = append(d.findings, judgeProvider(issuer, report)...)
}

// checkSession reads the store alone.
func (d *doctor) checkSession(ctx context.Context) {
	now := d.target.env.Now()
	status, err := d.session.readStatus(ctx, now)
	switch {
	case err != nil:
		d.add(cluster.Error, "session", err.Error()+".", hintsOf(token.WithLoginHint(err, d.session.source.LoginHint))...)
	case !status.LoggedIn:
		d.add(cluster.Note, "session", "You are not logged in.", d.session.source.LoginHint)
	case status.Session == nil:
		d.add(cluster.Warning, "session", "No refresh token is stored, so you log in each time the token expires.")
	default:
		d.add(cluster.OK, "session", "It is "+status.Session.describe()+".")
	}
}

// checkCluster holds the token against what the API server says of it.
func (d *doctor) checkCluster(ctx context.Context) {
	if d.target.cluster.Server == "" {
		d.add(cluster.Note, "cluster", "No cluster is known to ask.", "Name a context with --context.")
		return
	}
	d.session.source.MayAsk = func() error { return errNoSession }
	idToken, err := d.session.goodToken(ctx)
	switch {
	case err == nil:
		d.judgeToken(ctx, idToken)
	case errors.Is(err, errNoSession) || errors.Is(err, token.ErrUnreadSession): // which was told
	default:
		d.add(cluster.Error, "session", err.Error()+".", hintsOf(err)...)
	}
}

var errNoSession = errors.New("nobody is logged in")

func (d *doctor) judgeToken(ctx context.Context, idToken token.IDToken) {
	evidence := evidenceOf(idToken, d.target.env.Now())
	evidence.Keys = d.keys
	intended := cluster.Authentication{Issuer: d.session.key.Issuer, Audiences: d.target.options.audiences(evidence.Claims)}
	server, err := serverOf(d.target.kubectl, d.target.cluster)
	if err != nil {
		d.add(cluster.Error, "cluster", err.Error()+".", hintsOf(err)...)
		return
	}
	seen, err := cluster.WhoAmI(ctx, server, idToken.Raw)
	var unauthorized *cluster.UnauthorizedError
	switch {
	case errors.As(err, &unauthorized):
		d.add(cluster.Error, "cluster", err.Error()+".")
		d.findings = append(d.findings, cluster.Explain(evidence, intended, unauthorized.Clock)...)
	case err != nil:
		d.add(cluster.Error, "cluster", err.Error()+".", hintsOf(err)...)
	default:
		d.add(cluster.OK, "cluster", seenAs(seen))
	}
}
