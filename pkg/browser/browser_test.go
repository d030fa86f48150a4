package browser

import (
	"io/fs"
	"slices"
	"testing"
)

func TestCommandWords(t *testing.T) {
	t.Parallel()
	for command, want := range map[string][]string{
		"":                                   nil,
		"no-such-program":                    {"no-such-program"},
		"a  b ":                              {"a", "b"},
		`a "b c" 'd "e'`:                     {"a", "b c", `d "e`},
		`"/mnt/c/Program Files/x.exe" --new`: {"/mnt/c/Program Files/x.exe", "--new"},
		`a --x=""  ''`:                       {"a", "--x=", ""},
		"a %s &":                             {"a", "%s"},
		"a 'never closed":                    {"a", "never closed"},
	} {
		if got := commandWords(command); !slices.Equal(got, want) {
			t.Errorf("%s: expected %q, got %q", command, want, got)
		}
	}
}

func TestWithURL(t *testing.T) {
	t.Parallel()
	const url = "https://issuer.example/?a=%s&b={url}"
	for _, test := range [][2][]string{
		{nil, {url}},
		{{"--new"}, {"--new", url}},
		{{"%s", "--new"}, {url, "--new"}},
		{{"--app={url}", "x"}, {"--app=" + url, "x"}},
	} {
		if got := withURL(test[0], url); !slices.Equal(got, test[1]) {
			t.Errorf("%q: expected %q, got %q", test[0], test[1], got)
		}
	}
}

// Shells and PowerShell find nothing in the URL that is theirs.
func TestPlain(t *testing.T) {
	t.Parallel()
	const harmless = "https://[::1]:8000/a/b;c?scope=openid+x&redirect_uri=http%3A%2F%2Flocalhost&x=1,2~@#"
	if got := plain(harmless); got != harmless {
		t.Errorf("it was changed to %s", got)
	}
	const hostile = "https://issuer.example/'$(x)`y`\"|<>^!*{}\\ \n\u2019"
	if got := plain(hostile); got != "https://issuer.example/%27%24%28x%29%60y%60%22%7C%3C%3E%5E%21%2A%7B%7D%5C%20%0A%E2%80%99" {
		t.Errorf("got %s", got)
	}
}

func TestOpenOnlyURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "--help", "file:///etc/passwd", "javascript:alert(1)", "/etc/passwd"} {
		if err := (Command{Program: "true"}).Open(url); err == nil {
			t.Errorf("%q was opened", url)
		}
	}
}

func TestFindPlace(t *testing.T) {
	t.Parallel()
	const wsl, linux = "Linux version 5.15.90.1-Microsoft-standard-WSL2", "Linux version 6.12.0-amd64"
	for name, test := range map[string]struct {
		environment []string
		files       map[string]string
		want        Place // but for Display, which is the system's
	}{
		"desktop":               {files: map[string]string{"/proc/version": linux}},
		"no files to read":      {},
		"SSH":                   {environment: []string{"SSH_TTY=/dev/pts/0"}, want: Place{SSH: true}},
		"WSL":                   {files: map[string]string{"/proc/version": wsl}, want: Place{WSL: true}},
		"WSL's environment":     {environment: []string{"WSL_INTEROP=/run/WSL/1_interop"}, want: Place{WSL: true}},
		"container on WSL":      {files: map[string]string{"/.dockerenv": "", "/proc/version": wsl}, want: Place{Container: true}},
		"WSL made of an image":  {environment: []string{"WSL_DISTRO_NAME=x"}, files: map[string]string{"/.dockerenv": ""}, want: Place{WSL: true}},
		"podman, closed to us":  {files: map[string]string{"/run/.containerenv": "forbidden"}, want: Place{Container: true}},
		"pod":                   {environment: []string{"KUBERNETES_SERVICE_HOST=10.0.0.1"}, want: Place{Container: true}},
		"Flatpak":               {environment: []string{"FLATPAK_ID=org.x"}, want: Place{Sandbox: "Flatpak"}},
		"Snap":                  {environment: []string{"SNAP=/snap/x/1"}, want: Place{Sandbox: "Snap"}},
		"a variable set to nil": {environment: []string{"SNAP=/x", "SNAP="}},
	} {
		got := FindPlace(test.environment, func(name string) ([]byte, error) {
			switch text, ok := test.files[name]; {
			case !ok:
				return nil, fs.ErrNotExist
			case text == "forbidden":
				return nil, fs.ErrPermission
			default:
				return []byte(text), nil
			}
		})
		got.Display = false
		if got != test.want {
			t.Errorf("%s: expected %+v, got %+v", name, test.want, got)
		}
	}
}
