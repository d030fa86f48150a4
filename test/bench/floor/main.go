// Command floor reads a file and prints it: the least that a Go program which prints a stored token can do. What the
// plugin costs is measured against it.
package main

import "os"

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	_, _ = os.Stdout.Write(text)
}
