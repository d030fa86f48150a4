// Package sharedfile opens, replaces and removes files that other programs use at the same time, on each system by the calls that
// let them. It must not know what is in a file.
package sharedfile
