// Command reference writes docs/reference: what each command says of itself.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/cli"
)

func main() {
	folder := flag.String("write", "docs/reference", "the folder")
	flag.Parse()
	pages, err := makePages()
	if err == nil {
		err = os.MkdirAll(*folder, 0o755)
	}
	for name, page := range pages {
		if err == nil {
			err = os.WriteFile(filepath.Join(*folder, name), []byte(page), 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const rootCommand = "kubectl oidc-login"

// makePages returns the pages by file name.
func makePages() (map[string]string, error) {
	pages := map[string]string{}
	index := "# Commands\n\nWhat `--help` says. `make docs` writes these pages.\n\n| command | |\n|---|---|\n"
	if err := addPages(pages, &index); err != nil {
		return nil, err
	}
	pages["README.md"] = index
	return pages, nil
}

// addPages adds those of the commands below one.
func addPages(pages map[string]string, index *string, parents ...string) error {
	text, err := help(parents...)
	if err != nil {
		return err
	}
	for _, verb := range regexp.MustCompile(`(?m)^  ([a-z-]+) +(.+)$`).FindAllStringSubmatch(availableCommands(text), -1) {
		if verb[1] == "help" {
			continue // cobra's
		}
		words := append(slices.Clone(parents), verb[1])
		text, err := help(words...)
		if err != nil {
			return err
		}
		name := strings.Join(words, " ")
		file := strings.ReplaceAll(name, " ", "-") + ".md"
		pages[file] = page(rootCommand+" "+name, text)
		*index += fmt.Sprintf("| [%s](%s) | %s |\n", name, file, verb[2])
		if err := addPages(pages, index, words...); err != nil {
			return err
		}
	}
	return nil
}

func availableCommands(root string) string {
	_, commands, _ := strings.Cut(root, "Available Commands:\n")
	commands, _, _ = strings.Cut(commands, "\n\n")
	return commands
}

func page(title, text string) string {
	return "# " + title + "\n\n```text\n" + strings.TrimRight(text, "\n") + "\n```\n"
}

// help runs the program's own entry.
func help(arguments ...string) (string, error) {
	var text bytes.Buffer
	env := cli.OSEnv()
	env.Args, env.Stdout, env.Stderr = append(arguments, "--help"), &text, &text
	if code := cli.Run(context.Background(), env); code != 0 {
		return "", fmt.Errorf("%v --help: exit code %d", arguments, code)
	}
	return text.String(), nil
}
