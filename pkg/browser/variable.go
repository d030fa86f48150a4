package browser

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// listed reads $BROWSER as xdg-open does: commands separated by colons, tried in turn. Each may have arguments, and %s or
// {url} where the URL belongs; else it comes last. Quotes group words; no shell reads any of it.
func (c Command) listed(list string) ([]opener, error) {
	separator := ":"
	if runtime.GOOS == "windows" {
		separator = ";" // its paths have colons
	}
	var openers []opener
	var refusals []error
	for entry := range strings.SplitSeq(list, separator) {
		words := commandWords(strings.TrimSpace(entry))
		if len(words) == 0 {
			continue
		}
		if err := checkGraphical(words[0]); err != nil {
			refusals = append(refusals, fmt.Errorf("$BROWSER: %w", err))
			continue
		}
		openers = append(openers, func(url string) error { return c.run(words[0], withURL(words[1:], url)...) })
	}
	if len(openers) == 0 {
		return nil, errors.Join(refusals...)
	}
	return openers, nil
}

// commandWords splits a command. One that names a program as it stands is not split: on WSL it may be in "Program Files".
func commandWords(command string) []string {
	if _, err := exec.LookPath(command); err == nil {
		return []string{command}
	}
	var words []string
	var word strings.Builder
	quote, begun := rune(0), false
	for _, r := range command {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, begun = r, true
		case quote == 0 && r == ' ':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	if last := len(words) - 1; last > 0 && words[last] == "&" {
		return words[:last] // for shells: not to be waited for
	}
	return words
}

// withURL puts the URL where it belongs.
func withURL(arguments []string, url string) []string {
	placeholders := strings.NewReplacer("%s", url, "{url}", url)
	placed := make([]string, len(arguments), len(arguments)+1)
	for i, argument := range arguments {
		placed[i] = placeholders.Replace(argument)
	}
	if slices.Equal(placed, arguments) {
		return append(placed, url)
	}
	return placed
}

// checkGraphical refuses browsers that need a terminal: they get none, since kubectl uses it, and nobody would see them.
func checkGraphical(program string) error {
	names := []string{program}
	if path, err := exec.LookPath(program); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			names = append(names, path) // x-www-browser may lead to w3m
		}
	}
	for _, name := range names {
		if isTextBrowser(filepath.Base(name)) {
			return fmt.Errorf("%s is a text browser, and has no terminal here", filepath.Base(program))
		}
	}
	return nil
}

func isTextBrowser(name string) bool {
	return slices.Contains([]string{
		"www-browser", "lynx", "w3m", "links", "links2", "elinks", "felinks", "browsh", "edbrowse", "netrik", "retawq",
	}, name)
}
