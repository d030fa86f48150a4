package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// plugin is the product.
type plugin struct {
	program
	arguments []string
	browser   string // a role
}

// newPlugin finds or builds the plugin, and says how to call it.
func (s *stage) newPlugin(ctx context.Context, chosen options) (plugin, error) {
	browser, err := chooseBrowser(chosen.browser)
	if err != nil {
		return plugin{}, err
	}
	path, err := s.pluginPath(ctx, chosen.plugin)
	if err != nil {
		return plugin{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return plugin{}, err
	}
	authority := s.path("provider-ca.pem")
	if err := os.WriteFile(authority, s.provider.CACertificate(), 0o600); err != nil {
		return plugin{}, err
	}
	return plugin{
		program: program{path, s.environment(roleVariable + "=" + browser)},
		browser: browser,
		arguments: []string{
			"get-token",
			"--oidc-issuer-url=" + s.provider.Issuer(),
			"--oidc-client-id=" + s.provider.ClientID(),
			"--certificate-authority=" + authority,
			"--listen-address=127.0.0.1:0", // any free port
			"--browser-command=" + self,
			"--interactive=always", // in a CI job, too: the script is there
			"--token-cache-dir=" + s.path("tokens"),
			"--token-cache-storage=disk", // the default would use the person's keychain
		},
	}, nil
}

func (s *stage) pluginPath(ctx context.Context, given string) (string, error) {
	if given == "" {
		return buildPlugin(ctx, s.folder)
	}
	path, err := filepath.Abs(given)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", problem{err, "Name a plugin that is built, or none: then the demo builds it."}
	}
	return path, nil
}

// buildPlugin builds the product, with its own go.mod, into a folder.
func buildPlugin(ctx context.Context, folder string) (string, error) {
	path := filepath.Join(folder, "kubectl-oidc_login")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	build := exec.CommandContext(ctx, "go", "build", "-C", "../..", "-buildvcs=false", "-o", path,
		"./cmd/kubectl-oidc_login")
	output, err := build.CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		said := strings.Join(strings.FieldsFunc(string(output), func(r rune) bool { return r == '\n' }), "; ")
		return "", problem{
			fmt.Errorf("the plugin cannot be built (%w) %s", err, said),
			"Run the demo with Go installed and in its own folder (cd test/demo && go run .), or name a plugin that is built.",
		}
	}
	return path, nil
}

// credential is what the plugin gives to kubectl.
type credential struct {
	text   string    // the JSON on two lines, with the token cut short
	expiry time.Time // from when on kubectl asks again
}

// credential runs the plugin as kubectl does.
func (p plugin) credential(ctx context.Context, stderr io.Writer) (credential, error) {
	var stdout bytes.Buffer
	if err := p.run(ctx, &stdout, stderr, p.arguments...); err != nil {
		return credential{}, fmt.Errorf("%s: %w", filepath.Base(p.path), err)
	}
	return parseCredential(stdout.Bytes())
}

func parseCredential(text []byte) (credential, error) {
	var parsed struct {
		Status struct {
			Token               string    `json:"token"`
			ExpirationTimestamp time.Time `json:"expirationTimestamp"`
		} `json:"status"`
	}
	if err := json.Unmarshal(text, &parsed); err != nil || parsed.Status.Token == "" {
		return credential{}, errors.New("the plugin printed no credential")
	}
	token := parsed.Status.Token
	shown := strings.NewReplacer(token, shortened(token), `"status":`, "\n "+`"status":`).Replace(string(text))
	return credential{strings.TrimSpace(shown), parsed.Status.ExpirationTimestamp}, nil
}

// shortened leaves enough of a token to recognise it, and nothing to misuse.
func shortened(token string) string {
	return fmt.Sprintf("%.12s... (%d characters)", token, len(token))
}
