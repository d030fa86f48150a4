// Package cli is the command line: one file for each verb, the flags, the messages for people, and the wiring of the
// other packages. It alone prints, reads the environment and chooses exit codes.
package cli
