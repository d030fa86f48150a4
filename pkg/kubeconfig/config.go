package kubeconfig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// Config is what kubectl sees: of several files the first that names a thing wins
// (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files).
type Config struct {
	Clusters       []Cluster
	Contexts       []Context
	Users          []User
	CurrentContext string
	Paths          Paths
}

// Cluster is an API server. File is the kubeconfig that it is in; paths are no longer relative to its folder.
type Cluster struct {
	Name, File               string
	Server                   string
	TLSServerName            string
	CertificateAuthority     string
	CertificateAuthorityData []byte // PEM; wins over the file
	InsecureSkipTLSVerify    bool
	ProxyURL                 string
}

// Context is a user at a cluster.
type Context struct {
	Name, File    string
	Cluster, User string
	Namespace     string
}

// User is a credential, or several, of which kubectl takes one. Paths are no longer relative to the kubeconfig's folder.
type User struct {
	Name, File            string
	Exec                  *Exec
	AuthProvider          *AuthProvider
	Token                 token.Secret
	TokenFile             string
	Username              string
	Password              token.Secret
	ClientCertificate     string
	ClientCertificateData []byte // PEM
	ClientKey             string
	HasClientKeyData      bool
	Impersonate           string // "as"
}

// Exec is a plugin that kubectl calls
// (https://kubernetes.io/docs/reference/config-api/client-authentication.v1/).
type Exec struct {
	APIVersion         string
	Command            string
	Args               []string
	Env                []Variable
	InstallHint        string
	InteractiveMode    string
	ProvideClusterInfo bool
}

// Variable is set in the plugin's environment.
type Variable struct{ Name, Value string }

// AuthProvider is what kubectl had before plugins, and no longer has.
type AuthProvider struct {
	Name   string
	Config map[string]string // may have secrets in it
}

// Load reads all files. A file that is missing is empty, unless the person named it.
func Load(paths Paths) (*Config, error) {
	config := &Config{Paths: paths}
	for _, path := range paths.Files {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && !paths.Explicit {
			continue
		}
		if err != nil {
			return nil, paths.unread(err)
		}
		one, err := Parse(path, text)
		if err != nil {
			return nil, token.WithHint(err, "Mend that file, or name another with --kubeconfig.")
		}
		config.merge(one)
	}
	return config, nil
}

func (c *Config) merge(later *Config) {
	for _, cluster := range later.Clusters {
		if _, found := c.Cluster(cluster.Name); !found {
			c.Clusters = append(c.Clusters, cluster)
		}
	}
	for _, context := range later.Contexts {
		if _, found := c.Context(context.Name); !found {
			c.Contexts = append(c.Contexts, context)
		}
	}
	for _, user := range later.Users {
		if _, found := c.User(user.Name); !found {
			c.Users = append(c.Users, user)
		}
	}
	if c.CurrentContext == "" {
		c.CurrentContext = later.CurrentContext
	}
}

// Cluster finds a cluster by its name.
func (c *Config) Cluster(name string) (Cluster, bool) {
	return find(c.Clusters, func(one Cluster) bool { return one.Name == name })
}

// Context finds a context by its name.
func (c *Config) Context(name string) (Context, bool) {
	return find(c.Contexts, func(one Context) bool { return one.Name == name })
}

// ContextOf finds the first context of a user.
func (c *Config) ContextOf(user string) (Context, bool) {
	return find(c.Contexts, func(one Context) bool { return one.User == user })
}

// User finds a user by its name.
func (c *Config) User(name string) (User, bool) {
	return find(c.Users, func(one User) bool { return one.Name == name })
}

func find[T any](all []T, isMeant func(T) bool) (found T, ok bool) {
	index := slices.IndexFunc(all, isMeant)
	if index < 0 {
		return found, false
	}
	return all[index], true
}

// document is a file as https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ describes it.
type document struct {
	Clusters []struct {
		Name    string
		Cluster struct {
			Server                   string
			TLSServerName            string `yaml:"tls-server-name"`
			CertificateAuthority     string `yaml:"certificate-authority"`
			CertificateAuthorityData string `yaml:"certificate-authority-data"`
			InsecureSkipTLSVerify    bool   `yaml:"insecure-skip-tls-verify"`
			ProxyURL                 string `yaml:"proxy-url"`
		}
	}
	Contexts []struct {
		Name    string
		Context struct{ Cluster, User, Namespace string }
	}
	Users []struct {
		Name string
		User struct {
			Exec *struct {
				APIVersion         string `yaml:"apiVersion"`
				Command            string
				Args               []string
				Env                []Variable
				InstallHint        string `yaml:"installHint"`
				InteractiveMode    string `yaml:"interactiveMode"`
				ProvideClusterInfo bool   `yaml:"provideClusterInfo"`
			}
			AuthProvider          *AuthProvider `yaml:"auth-provider"`
			Token                 string
			TokenFile             string `yaml:"tokenFile"`
			Username              string
			Password              string
			ClientCertificate     string `yaml:"client-certificate"`
			ClientCertificateData string `yaml:"client-certificate-data"`
			ClientKey             string `yaml:"client-key"`
			ClientKeyData         string `yaml:"client-key-data"`
			Impersonate           string `yaml:"as"`
		}
	}
	CurrentContext string `yaml:"current-context"`
}

// Parse reads the text of one file. Paths in it are relative to the file's folder.
func Parse(path string, text []byte) (*Config, error) {
	fail := func(err error) (*Config, error) { return nil, fmt.Errorf("kubeconfig %s: %w", path, harmless(err)) }
	if _, err := parseNode(text); err != nil {
		return fail(err)
	}
	var read document
	if err := yaml.Unmarshal(text, &read); err != nil {
		return fail(err)
	}
	absolute := func(name string) string {
		if name == "" || filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(filepath.Dir(path), name)
	}
	config := &Config{CurrentContext: read.CurrentContext}
	for _, one := range read.Clusters {
		authority, err := base64.StdEncoding.DecodeString(one.Cluster.CertificateAuthorityData)
		if err != nil {
			return fail(fmt.Errorf("cluster %q: certificate-authority-data is not base64", one.Name))
		}
		config.Clusters = append(config.Clusters, Cluster{
			Name: one.Name, File: path,
			Server:                   one.Cluster.Server,
			TLSServerName:            one.Cluster.TLSServerName,
			CertificateAuthority:     absolute(one.Cluster.CertificateAuthority),
			CertificateAuthorityData: authority,
			InsecureSkipTLSVerify:    one.Cluster.InsecureSkipTLSVerify,
			ProxyURL:                 one.Cluster.ProxyURL,
		})
	}
	for _, one := range read.Contexts {
		config.Contexts = append(config.Contexts, Context{one.Name, path, one.Context.Cluster, one.Context.User, one.Context.Namespace})
	}
	for _, one := range read.Users {
		certificate, err := base64.StdEncoding.DecodeString(one.User.ClientCertificateData)
		if err != nil {
			return fail(fmt.Errorf("user %q: client-certificate-data is not base64", one.Name))
		}
		user := User{
			Name: one.Name, File: path,
			AuthProvider:          one.User.AuthProvider,
			Token:                 token.NewSecret(one.User.Token),
			TokenFile:             absolute(one.User.TokenFile),
			Username:              one.User.Username,
			Password:              token.NewSecret(one.User.Password),
			ClientCertificate:     absolute(one.User.ClientCertificate),
			ClientCertificateData: certificate,
			ClientKey:             absolute(one.User.ClientKey),
			HasClientKeyData:      one.User.ClientKeyData != "",
			Impersonate:           one.User.Impersonate,
		}
		if one.User.Exec != nil {
			exec := Exec(*one.User.Exec)
			user.Exec = &exec
		}
		config.Users = append(config.Users, user)
	}
	return config, config.checkNames(path)
}

// checkNames refuses what kubectl refuses.
func (c *Config) checkNames(path string) error {
	var names []string
	for _, one := range c.Clusters {
		names = append(names, "cluster "+one.Name)
	}
	for _, one := range c.Contexts {
		names = append(names, "context "+one.Name)
	}
	for _, one := range c.Users {
		names = append(names, "user "+one.Name)
	}
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return fmt.Errorf("kubeconfig %s: there are two of %s", path, name)
		}
		seen[name] = true
	}
	return nil
}

// harmless keeps the place of what is wrong, and leaves out what stands there: it may be a secret. What is wrong with the
// syntax can be said without.
func harmless(err error) error {
	var failure *yaml.LoadError
	var several *yaml.LoadErrors
	if errors.As(err, &several) && len(several.Errors) > 0 {
		failure = several.Errors[0]
	}
	switch {
	case failure == nil && !errors.As(err, &failure):
		return err
	case failure.Stage == yaml.ScannerStage || failure.Stage == yaml.ParserStage:
		return fmt.Errorf("not YAML: line %d: %s", failure.Mark.Line, failure.Message)
	}
	return fmt.Errorf("line %d: what stands there is not what a kubeconfig has", failure.Mark.Line)
}
