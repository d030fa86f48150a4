package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// asDemo is the environment variable that makes the test's binary be the demo.
const asDemo = "OIDC_LOGIN_DEMO_UNDER_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asDemo) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// enoughTime is a token's lifetime of which two thirds are ample for all steps before the wait, on a busy machine too.
const enoughTime = "-token-lifetime=9s"

func TestWithKubectl(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Fatalf("install kubectl, 1.28 or later: %v", err)
	}
	told := runDemo(t, nil, enoughTime, "-browser=script") // builds the plugin
	checkStory(t, told)
	if strings.Contains(told.stdout, "client-go") {
		t.Error("kubectl was there and not used")
	}
}

func TestWithoutKubectl(t *testing.T) {
	t.Parallel()
	plugin, err := buildPlugin(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	told := runDemo(t, []string{"PATH=" + t.TempDir(), homeVariable() + "=" + home}, enoughTime, "-browser=script", plugin)
	checkStory(t, told)
	if !strings.Contains(told.stdout, "client-go") {
		t.Error("it is not said that client-go plays kubectl")
	}
	checkEmpty(t, home)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ argument, cause, advice string }{
		{"missing", "missing", "demo: Name a plugin that is built, or none: then the demo builds it."},
		{"-browser=mosaic", "-browser=mosaic is not known", "demo: Use auto, window or script."},
	} {
		told := runDemo(t, nil, test.argument)
		lines := strings.Split(strings.TrimSpace(told.stderr), "\n")
		if told.exitCode != 1 || len(lines) != 2 || !strings.Contains(lines[0], test.cause) || lines[1] != test.advice {
			t.Errorf("%s: exit code %d, stderr: %s", test.argument, told.exitCode, told.stderr)
		}
	}
}

func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	issuer, err := startProvider(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = issuer.close() }()
	users, err := newAuthenticator(t.Context(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	api, err := serve(authenticated(users, newAPI()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = api.close() }()
	for _, authorization := range []string{"", "Bearer nonsense", "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ=="} {
		for _, path := range []string{"/api", "/version", "/api/v1/namespaces/default/pods", "/nowhere"} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", authorization)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			var status metav1.Status
			err = json.NewDecoder(response.Body).Decode(&status)
			_ = response.Body.Close()
			if err != nil || response.StatusCode != http.StatusUnauthorized || status.Kind != "Status" ||
				status.Reason != metav1.StatusReasonUnauthorized {
				t.Errorf("%s with %q: %s, %+v, %v", path, authorization, response.Status, status, err)
			}
		}
	}
}

// outcome is what a run of the demo left behind.
type outcome struct {
	stdout, stderr string
	exitCode       int
}

// runDemo runs the demo as a program of its own, and checks that it cleans up.
func runDemo(t *testing.T, environment []string, arguments ...string) outcome {
	t.Helper()
	temporary := t.TempDir()
	command := demoCommand(t, temporary, environment, arguments...)
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	checkEmpty(t, temporary)
	return outcome{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

// demoCommand makes the folder for temporary files the demo's only one.
func demoCommand(t *testing.T, temporary string, environment []string, arguments ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self, arguments...)
	command.Env = append(os.Environ(), asDemo+"=1", "TMPDIR="+temporary, "TMP="+temporary, "CI=true")
	command.Env = append(command.Env, environment...)
	return command
}

// checkStory wants every step to have gone well.
func checkStory(t *testing.T, told outcome) {
	t.Helper()
	if told.exitCode != 0 || told.stderr != "" {
		t.Errorf("exit code %d, stderr: %s", told.exitCode, told.stderr)
	}
	rest := told.stdout
	for _, expected := range []string{
		`1\. .*\n`, `Without one: 401 Unauthorized\n`,
		`2\. .*\n`, `Username +oidc:alice\n`, `Groups +\[oidc:developers system:authenticated\]\n`,
		`\([0-9.]+m?s, with a login in the browser\)\n`,
		`3\. .*\n`, `"kind":"ExecCredential"`, `"token":"eyJ.{9}\.\.\. \(\d+ characters\)"`,
		`\([0-9.]+m?s, no browser, 0 requests to the provider\)\n`,
		`4\. .*\n`, `shop-0 +1/1 +Running`, `\([0-9.]+m?s, no browser, 0 requests to the provider\)\n`,
		`5\. .*\n`, `Seconds until then: .* 2 1 now\.\n`, `Username +oidc:alice\n`,
		`\([0-9.]+m?s, no browser, requests to the provider: 1 for tokens.*\)\n`, `got a new one: each works once`,
		`6\. .*\n`, `in files there`,
	} {
		found := regexp.MustCompile(expected).FindStringIndex(rest)
		if found == nil {
			t.Fatalf("%s is missing, or not where it belongs, in:\n%s", expected, told.stdout)
		}
		rest = rest[found[1]:]
	}
	if regexp.MustCompile(`eyJ[\w-]{20,}`).MatchString(told.stdout) {
		t.Errorf("a whole token is shown:\n%s", told.stdout)
	}
	if lines := strings.Count(told.stdout, "\n"); lines > 42 {
		t.Errorf("the story has %d lines, which is too long to read", lines)
	}
}

func checkEmpty(t *testing.T, folder string) {
	t.Helper()
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind in %s: %v %v", folder, left, err)
	}
}
