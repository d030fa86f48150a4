// Package plugin is kubectl's language: the ExecCredential request that kubectl puts into the environment, and the
// ExecCredential that it reads from stdout (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
//
// It is the only importer of client-go's clientauthentication types, and imports nothing of ours.
package plugin
