package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// stage is everything that the story needs, and that is gone afterwards.
type stage struct {
	folder   string
	provider *provider
	api      *apiServer
	plugin   plugin
	kubectl  kubectl
}

// newStage makes an empty stage.
func newStage() (*stage, error) {
	folder, err := os.MkdirTemp("", "oidc-login-demo-")
	if err != nil {
		return nil, problem{err, "Make room in the folder for temporary files, or name another with TMPDIR."}
	}
	return &stage{folder: folder}, nil
}

// furnish starts the servers and finds the programs. Whatever it returns, the stage must be cleared.
func (s *stage) furnish(ctx context.Context, chosen options) (err error) {
	if s.provider, err = startProvider(chosen.tokenLifetime); err != nil {
		return problem{fmt.Errorf("the OpenID Provider does not start: %w", err), "It needs a free port on 127.0.0.1."}
	}
	if s.api, err = startAPIServer(ctx, s.provider); err != nil {
		return problem{fmt.Errorf("the Kubernetes API does not start: %w", err), "It needs a free port on 127.0.0.1."}
	}
	if s.plugin, err = s.newPlugin(ctx, chosen); err != nil {
		return err
	}
	if s.kubectl, err = s.findKubectl(); err != nil {
		return err
	}
	return s.writeKubeconfig()
}

// clear stops and deletes everything.
func (s *stage) clear() error {
	var failures []error
	if s.api != nil {
		failures = append(failures, s.api.close())
	}
	if s.provider != nil {
		failures = append(failures, s.provider.close())
	}
	if err := os.RemoveAll(s.folder); err != nil {
		failures = append(failures, problem{err, "Delete " + s.folder + " yourself. Its tokens are worth nothing any more."})
	}
	return errors.Join(failures...)
}

// path names a file of the stage.
func (s *stage) path(name string) string { return filepath.Join(s.folder, name) }

// environment is this process's, but for everything that leads to the person's own files.
func (s *stage) environment(more ...string) []string {
	return append(append(os.Environ(),
		homeVariable()+"="+s.path("home"),
		realHomeVariable+"="+os.Getenv(homeVariable()),
		"KUBECONFIG="+s.path("kubeconfig"),
		"KUBECACHEDIR="+s.path("kubectl-cache"),
		"KUBERC=off",
	), more...)
}

// homeVariable is where programs look for the person's home folder.
func homeVariable() string {
	if runtime.GOOS == "windows" {
		return "USERPROFILE"
	}
	return "HOME"
}
