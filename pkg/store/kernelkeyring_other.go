//go:build !linux

package store

// systemKernelKeyring is none: other kernels keep no keys.
func systemKernelKeyring() Keychain { return Keychain{} }
