package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The tests of this file run without the plugin. When one of them fails, no other result means anything.

func TestAPIServerKnowsItsAdministrator(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	apiServer := StartAPIServer(t, ca, &StartDex(t, ca).Provider)
	computer := NewWorkstation(t, StartKeychain(t))

	output := computer.Kubectl(t, "auth", "whoami", "--output=json",
		"--server="+apiServer.URL, "--certificate-authority="+ca.File, "--token="+apiServer.AdminToken)
	if got := ParseUserInfo(t, output).Username; got != "admin" {
		t.Errorf("kubectl auth whoami says %q, want admin", got)
	}
}

func TestKeychainGivesBackWhatItKeeps(t *testing.T) {
	t.Parallel()
	keychain := StartKeychain(t)
	store := exec.Command(programs.SecretTool, "store", "--label=test", "service", "test", "username", "alice")
	store.Env = []string{"DBUS_SESSION_BUS_ADDRESS=" + keychain.BusAddress}
	store.Stdin = strings.NewReader("a secret")
	if output, err := store.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if got := keychain.Secrets(t, "test"); !slices.Equal(got, []string{"a secret"}) {
		t.Errorf("the keychain has %q", got)
	}
	if got := keychain.Secrets(t, "another"); len(got) > 0 {
		t.Errorf("the keychain has %q for a service that stored nothing", got)
	}
}

func TestBrowserLogsInToDex(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	dex := StartDex(t, ca)
	browser := StartBrowser(t, ca)
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("state " + r.FormValue("state")))
	}))
	defer callback.Close()
	query := url.Values{
		"client_id":     {ClientID},
		"redirect_uri":  {strings.Replace(callback.URL, "127.0.0.1", "localhost", 1)},
		"response_type": {"code"},
		"scope":         {"openid"},
		"state":         {"from the test"},
	}
	if output, err := exec.Command(browser.Command, dex.IssuerURL+"/auth?"+query.Encode()).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}

	page := browser.Login(t, browser.AwaitURL(t, nil), dex.User)
	if page.Text != "state from the test" {
		t.Errorf("the page at %s says %q", page.URL, page.Text)
	}
	if browser.Opened() != 1 {
		t.Errorf("the browser was opened %d times, want 1", browser.Opened())
	}
}
