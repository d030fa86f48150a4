package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/browser"
)

// browserAuto is a window where one can be seen, else the script.
const browserAuto = "auto"

// realHomeVariable hands the person's home folder to their browser, which would start empty in the demo's.
const realHomeVariable = "OIDC_LOGIN_DEMO_REAL_HOME"

// chooseBrowser returns a role.
func chooseBrowser(wish string) (role string, err error) {
	switch {
	case wish == roleScript, wish == roleWindow:
		return wish, nil
	case wish != browserAuto:
		return "", problem{fmt.Errorf("-browser=%s is not known", wish),
			"Use " + browserAuto + ", " + roleWindow + " or " + roleScript + "."}
	case hasScreen():
		return roleWindow, nil
	}
	return roleScript, nil
}

func hasScreen() bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// browseInWindow opens the person's own browser.
func browseInWindow(arguments []string) error {
	target, err := onlyURL(arguments)
	if err != nil {
		return err
	}
	environment := append(os.Environ(), homeVariable()+"="+os.Getenv(realHomeVariable))
	return browser.Command{Environment: environment}.Open(target)
}

// browseByScript does what a person does at the login page: open it, fill in the form, send it, and go where it leads.
func browseByScript(ctx context.Context, arguments []string) error {
	target, err := onlyURL(arguments)
	if err != nil {
		return err
	}
	page, err := visit(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	if !strings.Contains(page, `name="password"`) {
		return errors.New("this is no login page")
	}
	// The form has no address to be sent to, so it goes to the page's own.
	_, err = visit(ctx, http.MethodPost, target, url.Values{"username": {username}, "password": {password}})
	return err
}

// visit follows redirects, and returns the last page.
func visit(ctx context.Context, method, target string, form url.Values) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s", request.URL.Host, response.Status)
	}
	return string(page), nil
}

func onlyURL(arguments []string) (string, error) {
	if len(arguments) != 1 {
		return "", fmt.Errorf("expected one URL to open, got %d arguments", len(arguments))
	}
	return arguments[0], nil
}
