// Package test shows the whole program from outside: scripts that run its real entry against a strict provider, with a
// scripted browser, a settable clock and a keychain in a folder; and the rules of the house that a machine can check.
package test
