// Package store keeps tokens at rest: in the OS keychain, in the Linux kernel's keyring, in files, or in the memory of
// this process; and it owns the locks that let many processes share them.
//
// A token.Key's ID names its records and its locks. It never asks a person, never prints a token, and never takes a
// keychain that fails for one that is empty.
package store
