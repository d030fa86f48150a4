// Package plugin is kubectl's language: the ExecCredential request that kubectl puts into the environment, and the
// ExecCredential that it reads from stdout (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
//
// It imports nothing of ours. It has types of its own for the few members that a plugin needs: client-go's bring the
// whole API machinery, whose initialisation alone makes a call a fifth slower (see test/bench). The tests hold every
// word against client-go's types and its decoder.
package plugin
