package kubeconfig

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Severity says how bad a credential is.
type Severity string

// The severities, from good to bad.
const (
	OK      Severity = "ok"
	Note    Severity = "note"
	Warning Severity = "warning"
	Error   Severity = "error" // it does not work, or should not
)

// Verdict is what is to be said of one user of a kubeconfig. There is no secret in it.
type Verdict struct {
	User     string   `json:"user"`
	File     string   `json:"file"`
	Contexts []string `json:"contexts,omitempty"` // that use it
	Severity Severity `json:"severity"`
	What     string   `json:"what"`             // the kind of credential
	Why      string   `json:"why,omitempty"`    // it matters
	Remedy   string   `json:"remedy,omitempty"` // what to do
	// Migration are the words of a command by which this plugin takes the credential's place, or stands beside it. The
	// program's name is not among them.
	Migration []string `json:"migration,omitempty"`
}

// Judge judges credentials: people should log in by OpenID Connect, service accounts are for machines, and client
// certificates are for breaking glass.
type Judge struct {
	Config   *Config
	Now      time.Time
	ReadFile func(name string) ([]byte, error) // reads what users name
	// CheckArguments says why this plugin gives no token for what kubectl calls it with. There is no secret in that.
	CheckArguments func(*Exec) error
}

// Users judges every user of the kubeconfig.
func (j Judge) Users() []Verdict {
	var verdicts []Verdict
	for _, user := range j.Config.Users {
		verdict := j.User(user)
		for _, context := range j.Config.Contexts {
			if context.User == user.Name {
				verdict.Contexts = append(verdict.Contexts, context.Name)
			}
		}
		verdicts = append(verdicts, verdict)
	}
	return verdicts
}

// User judges one.
func (j Judge) User(user User) Verdict {
	judged := judged{j, user}
	verdict := judged.unchecked(judged.verdict())
	verdict.User, verdict.File = user.Name, user.File
	return verdict
}

// judged is a user before the judge.
type judged struct {
	Judge
	user User
}

// verdict looks at what kubectl takes first.
func (j judged) verdict() Verdict {
	u := j.user
	switch {
	case u.AuthProvider != nil:
		return j.authProvider()
	case u.Exec != nil && u.HasOtherCredentials():
		return Verdict{Severity: Error, What: "a plugin and another credential", Why: "kubectl takes the other one, and never calls the plugin.",
			Remedy: "Remove one of them."}
	case u.Exec != nil:
		return j.plugin()
	case !u.Token.IsEmpty():
		return j.token(u.Token.Reveal(), "a token in plain text")
	case u.TokenFile != "":
		return j.tokenFile()
	case u.ClientCertificate != "" || len(u.ClientCertificateData) > 0:
		return j.certificate()
	case u.Username != "" || !u.Password.IsEmpty():
		return j.replace(Verdict{Severity: Error, What: "a username and a password",
			Why: "Kubernetes has not taken them since 1.19, and they lie here for everybody who can read the file.", Remedy: "Log in by OpenID Connect."},
			"", "")
	}
	return Verdict{Severity: Note, What: "no credential", Remedy: "Remove the user, if nothing else fills it in."}
}

// unchecked adds who is believed without a proof: what is sent to them can get to anybody.
func (j judged) unchecked(verdict Verdict) Verdict {
	if j.user.Exec.IsPlugin() && j.user.Exec.SkipsVerification() {
		verdict = verdict.warning("It checks no certificate of the provider, so anybody on the way can read its tokens.",
			"Name the provider's certificate authority with --certificate-authority in place of --insecure-skip-tls-verify.")
	}
	var clusters []string
	for _, context := range j.Config.Contexts {
		cluster, _ := j.Config.Cluster(context.Cluster)
		if context.User == j.user.Name && cluster.InsecureSkipTLSVerify && !slices.Contains(clusters, cluster.Name) {
			clusters = append(clusters, cluster.Name)
		}
	}
	if len(clusters) > 0 {
		verdict = verdict.warning("kubectl checks no certificate of the cluster "+strings.Join(clusters, ", ")+
			", so anybody on the way can take what it sends.",
			"Give the cluster a certificate-authority-data in place of insecure-skip-tls-verify.")
	}
	return verdict
}

// warning adds to a verdict, which is no better than a warning then.
func (v Verdict) warning(why, remedy string) Verdict {
	if v.Severity != Error {
		v.Severity = Warning
	}
	v.Why, v.Remedy = strings.TrimSpace(v.Why+" "+why), strings.TrimSpace(v.Remedy+" "+remedy)
	return v
}

func (j judged) plugin() Verdict {
	exec := j.user.Exec
	name := path.Base(strings.ReplaceAll(exec.Command, `\`, "/"))
	if !exec.IsPlugin() {
		return Verdict{Severity: OK, What: "the plugin " + name, Why: "It gets short-lived credentials, as this one does."}
	}
	verdict := Verdict{Severity: OK, What: "this plugin"}
	switch refusal := j.CheckArguments(exec); {
	case !slices.Contains([]string{"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"}, exec.APIVersion):
		verdict.Severity, verdict.Why, verdict.Remedy = Error, "kubectl does not know its apiVersion.", "Set it to client.authentication.k8s.io/v1."
	case exec.APIVersion == "client.authentication.k8s.io/v1" && exec.InteractiveMode == "":
		verdict.Severity, verdict.Why, verdict.Remedy = Error, "kubectl refuses it without interactiveMode.", "Set it to IfAvailable."
	case refusal != nil:
		verdict.Severity, verdict.Why, verdict.Remedy = Error, "kubectl gets no token by it: "+refusal.Error()+".", "Correct its args."
	case len(exec.SecretFlags()) > 0:
		verdict.Severity, verdict.Why = Warning, "There is a secret among its arguments, which every process of the machine can read."
		verdict.Remedy = "Say where the secret is, with --oidc-client-secret-file, -env or -keychain."
	case name == "kubectl" || name == "kubectl.exe":
		verdict.Severity, verdict.Why = Note, "It is called by way of kubectl: slower, and a policy for plugins would have to allow them all."
		verdict.Remedy = "Name kubectl-oidc_login itself as the command."
	}
	return verdict
}

// authProvider: kubectl still knows the one for OpenID Connect; 1.26 removed those of the clouds
// (https://github.com/kubernetes/client-go/tree/v0.37.2/plugin/pkg/client/auth).
func (j judged) authProvider() Verdict {
	provider := j.user.AuthProvider
	what := "the auth-provider " + provider.Name
	if provider.Name != "oidc" {
		return Verdict{Severity: Error, What: what, Why: "kubectl has not known it since 1.26.", Remedy: "Use the plugin of your cloud."}
	}
	verdict := Verdict{Severity: Warning, What: what,
		Why:    "It keeps tokens in the kubeconfig, and two programs that refresh at once can end the session.",
		Remedy: "Log in by this plugin."}
	if provider.Config["client-secret"] != "" {
		verdict.Remedy = "Put the client secret into a file that only you can read, and name it with --oidc-client-secret-file."
	}
	verdict = j.replace(verdict, provider.Config["idp-issuer-url"], provider.Config["client-id"])
	for _, scope := range strings.FieldsFunc(provider.Config["extra-scopes"], func(r rune) bool { return r == ',' || r == ' ' }) {
		verdict.Migration = append(verdict.Migration, "--oidc-extra-scope="+scope)
	}
	if file := provider.Config["idp-certificate-authority"]; file != "" {
		verdict.Migration = append(verdict.Migration, "--certificate-authority="+file)
	}
	if data := provider.Config["idp-certificate-authority-data"]; data != "" {
		verdict.Migration = append(verdict.Migration, "--certificate-authority-data="+data)
	}
	return verdict
}

func (j judged) tokenFile() Verdict {
	text, err := j.ReadFile(j.user.TokenFile)
	if err != nil {
		return Verdict{Severity: Error, What: "a token in a file", Why: "The file cannot be read.", Remedy: "Remove the user, or mend " + j.user.TokenFile + "."}
	}
	return j.token(strings.TrimSpace(string(text)), "a token in a file")
}

// jwtClaims are those by which tokens are told apart.
type jwtClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience any      `json:"aud"`
	Expiry   *float64 `json:"exp"`
}

func (j judged) token(raw, what string) Verdict {
	claims, ok := readClaims(raw)
	switch {
	case !ok:
		return j.replace(Verdict{Severity: Warning, What: what,
			Why: "It says neither who it is for nor when it ends, and whoever reads it is you.", Remedy: "Log in by OpenID Connect."}, "", "")
	case strings.HasPrefix(claims.Subject, "system:serviceaccount:"):
		return j.serviceAccount(claims)
	}
	verdict := Verdict{Severity: Warning, What: what + ", of the issuer " + claims.Issuer,
		Why: "Whoever reads it is you until it ends" + j.end(claims) + ".", Remedy: "Log in by OpenID Connect."}
	if j.hasEnded(claims) {
		verdict.Severity, verdict.Why = Error, "It has ended"+j.end(claims)+"."
	}
	client, _ := claims.Audience.(string)
	if !strings.HasPrefix(claims.Issuer, "https://") || client == "" {
		return j.replace(verdict, "", "")
	}
	return j.replace(verdict, claims.Issuer, client)
}

// serviceAccount: those are for machines.
func (j judged) serviceAccount(claims jwtClaims) Verdict {
	verdict := Verdict{Severity: Warning, What: "the service account " + strings.TrimPrefix(claims.Subject, "system:serviceaccount:"),
		Why:    "It is for a machine: the audit log has no person, there are no groups, and it cannot be revoked but by deleting it" + j.end(claims) + ".",
		Remedy: "A person should log in by OpenID Connect; a machine should get a token that is bound to it, and short-lived."}
	switch {
	case claims.Expiry == nil:
		verdict.Severity, verdict.Why = Error, "It never ends, the audit log has no person, and whoever reads it can do what it can, until its Secret is deleted."
	case j.hasEnded(claims):
		verdict.Severity, verdict.Why = Error, "It has ended"+j.end(claims)+"."
	}
	return j.replace(verdict, "", "")
}

func readClaims(raw string) (claims jwtClaims, ok bool) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return claims, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	return claims, err == nil && json.Unmarshal(payload, &claims) == nil
}

func (c jwtClaims) expiry() time.Time { return time.Unix(int64(*c.Expiry), 0) }

func (j judged) hasEnded(claims jwtClaims) bool {
	return claims.Expiry != nil && j.Now.After(claims.expiry())
}

func (j judged) end(claims jwtClaims) string {
	if claims.Expiry == nil {
		return ""
	}
	return " (" + claims.expiry().UTC().Format(time.DateOnly) + ")"
}

// certificate: those are for breaking glass.
func (j judged) certificate() Verdict {
	verdict := Verdict{Severity: Warning, What: "a client certificate",
		Why:    "Nobody can revoke it, and its groups are fixed until it ends.",
		Remedy: "Keep it offline, for breaking glass only, and log in by OpenID Connect."}
	text := j.user.ClientCertificateData
	if len(text) == 0 {
		var err error
		if text, err = j.ReadFile(j.user.ClientCertificate); err != nil {
			verdict.Severity, verdict.Why = Error, "The file cannot be read: "+j.user.ClientCertificate+"."
			return j.addBeside(verdict)
		}
	}
	block, _ := pem.Decode(text)
	if block == nil {
		verdict.Severity, verdict.Why = Error, "It is no PEM certificate."
		return j.addBeside(verdict)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		verdict.Severity, verdict.Why = Error, "It is no X.509 certificate."
		return j.addBeside(verdict)
	}
	verdict.What = fmt.Sprintf("a client certificate of %q in the groups %q, until %s", certificate.Subject.CommonName,
		certificate.Subject.Organization, certificate.NotAfter.UTC().Format(time.DateOnly))
	switch {
	case j.Now.After(certificate.NotAfter):
		verdict.Severity, verdict.Why = Error, "It has ended."
	case slices.Contains(certificate.Subject.Organization, "system:masters"):
		verdict.Severity, verdict.Why = Error, "It can do everything, whatever RBAC says, and nobody can revoke it."
	}
	return j.addBeside(verdict)
}

// replace names the command that takes the credential's place. Issuer and client may be unknown.
func (j judged) replace(verdict Verdict, issuer, client string) Verdict {
	verdict.Remedy += " The command takes its place."
	verdict.Migration = setup(j.user.Name, issuer, client)
	return verdict
}

// addBeside names the command that adds a login beside the credential, which stays, unless there is one.
func (j judged) addBeside(verdict Verdict) Verdict {
	context, _ := j.Config.ContextOf(j.user.Name)
	if other, found := j.pluginContext(context.Cluster); found {
		verdict.Remedy += " The context " + other + " does that."
		return verdict
	}
	verdict.Remedy += " The command adds a user for that, and leaves this one as it is."
	verdict.Migration = setup(unused(j.user.Name+"-oidc", j.Config.User), "", "")
	if cluster, found := j.Config.Cluster(context.Cluster); found {
		verdict.Migration = append(verdict.Migration, "--cluster="+cluster.Name, "--context="+unused(context.Name+"-oidc", j.Config.Context))
	}
	return verdict
}

// pluginContext finds a context of a cluster that logs in by this plugin.
func (j judged) pluginContext(cluster string) (name string, found bool) {
	context, found := find(j.Config.Contexts, func(one Context) bool {
		user, _ := j.Config.User(one.User)
		return cluster != "" && one.Cluster == cluster && user.Exec.IsPlugin()
	})
	return context.Name, found
}

// unused is a name that nothing has.
func unused[T any](name string, lookUp func(string) (T, bool)) string {
	free := name
	for number := 2; ; number++ {
		if _, taken := lookUp(free); !taken {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, number)
	}
}

func setup(user, issuer, client string) []string {
	return []string{"setup", "--user=" + user, "--oidc-issuer-url=" + cmp.Or(issuer, "https://issuer.example.com"),
		"--oidc-client-id=" + cmp.Or(client, "kubernetes")}
}
