package e2e

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/loopback"
)

var updateImages = flag.Bool("update-images", false, "write the pictures of the last page into docs/images")

// The cluster that a login is for; no test asks it anything.
const imaginaryCluster = "https://cluster.example.com:6443"

func TestLastPageOfALogin(t *testing.T) {
	t.Parallel()
	dex, browser, plugin := startGetToken(t, "email")
	last := browser.Login(t, browser.AwaitURL(t, plugin), dex.User)
	subject := ParseClaims(t, ParseToken(t, <-plugin)).Subject

	assertContains(t, last.Text, "You are logged in", dex.User.Email, subject, dex.IssuerURL, imaginaryCluster,
		"You can close this window")
	if strings.Contains(last.Text, "closes in") {
		t.Error("the page promises to close a window that the browser will keep open, for it has shown the login")
	}
	assertLooksGood(t, browser, last, "logged-in", dex.IssuerURL)
}

// Dex does not know the scope, and says so in its answer.
func TestLastPageOfAFailure(t *testing.T) {
	t.Parallel()
	dex, browser, plugin := startGetToken(t, "admin")
	last := browser.Open(t, browser.AwaitURL(t, plugin))
	if output := <-plugin; output.ExitCode != 5 {
		t.Errorf("the login did not fail as it should: %s", output)
	}

	assertContains(t, last.Text, "You are not logged in", "invalid_scope", `"admin"`, "What you can do", "--oidc-extra-scope",
		dex.IssuerURL, imaginaryCluster, ClientID)
	assertLooksGood(t, browser, last, "not-logged-in", dex.IssuerURL)
}

// startGetToken starts a login for the imaginary cluster.
func startGetToken(t *testing.T, scope string) (*Dex, *Browser, <-chan Output) {
	t.Helper()
	ca := NewCertificateAuthority(t)
	dex := StartDex(t, ca)
	browser := StartBrowser(t, ca)
	computer := NewWorkstation(t, &Keychain{}) // nothing is stored
	computer.Environment = []string{`KUBERNETES_EXEC_INFO={"kind":"ExecCredential",` +
		`"apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":true,"cluster":{"server":"` + imaginaryCluster + `"}}}`}
	return dex, browser, computer.StartPlugin(t, "get-token",
		"--oidc-issuer-url="+dex.IssuerURL,
		"--oidc-client-id="+ClientID,
		"--oidc-extra-scope="+scope,
		"--certificate-authority="+ca.File,
		"--listen-address="+freeAddress(t),
		"--token-cache-storage=none",
		"--browser-command="+browser.Command)
}

// assertLooksGood looks at the page from all sides, and keeps a picture of each.
func assertLooksGood(t *testing.T, browser *Browser, last Page, name, issuer string) {
	t.Helper()
	outcome, _, _ := strings.Cut(last.Text, "\n")
	if !strings.HasPrefix(last.Title, outcome) {
		t.Errorf("the window is titled %q, but the outcome is %q", last.Title, outcome)
	}
	for _, selector := range []string{"html[lang=en]", "main h1", "h1", "main", "footer", "[role=status]#closing"} {
		if count := browser.Count(t, selector); count != 1 {
			t.Errorf("the page has %d of %s, want 1", count, selector)
		}
	}
	ours, err := url.Parse(last.URL)
	if err != nil {
		t.Fatal(err)
	}
	requested := browser.Requested()
	for _, address := range requested {
		if asked, err := url.Parse(address); err != nil || asked.Host != ours.Host {
			t.Errorf("the page asked a stranger for %s", address)
		}
	}
	if !slices.Contains(requested, last.URL) {
		t.Errorf("the page itself was not among the requests %q, so they prove nothing", requested)
	}
	browser.Replace(t, issuer, "https://issuer.example.com")
	grounds := map[string]bool{}
	for _, view := range views() {
		look := browser.Look(t, view)
		if look.PageWidth > view.Width {
			t.Errorf("%s: the page is %d wide", view, look.PageWidth)
		}
		for _, weak := range look.WeakColors {
			t.Errorf("%s: too little contrast, %s", view, weak)
		}
		grounds[look.Ground] = true
		keepPicture(t, name+"-"+view.String()+".png", look.PNG)
	}
	if len(grounds) != 2 || grounds["rgba(0, 0, 0, 0)"] {
		t.Errorf("want one ground for light and one for dark, got %v", grounds)
	}
}

func keepPicture(t *testing.T, name string, png []byte) {
	t.Helper()
	folder := t.ArtifactDir()
	if *updateImages {
		folder = filepath.Join("..", "..", "docs", "images")
	}
	if err := os.WriteFile(filepath.Join(folder, name), png, 0o600); err != nil {
		t.Error(err)
	}
}

// A window that has shown nothing but the way to the last page may close itself, as after a login that asked nothing.
func TestLastPageClosesItsWindow(t *testing.T) {
	t.Parallel()
	browser := StartBrowser(t, NewCertificateAuthority(t))
	window := browser.openWindow(t, answeredLogin(t))
	eventually(t, 30*time.Second, "the window to close", func() error {
		if browser.hasWindow(t, window) {
			return os.ErrExist
		}
		return nil
	})
}

// Here the clock is the test's, and so is the window's past.
func TestLastPageStaysIfAsked(t *testing.T) {
	t.Parallel()
	browser := StartBrowser(t, NewCertificateAuthority(t))
	script := page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		Object.defineProperty(history, "length", { value: 1 });
		window.setTimeout = (step) => { window.ring = step; return 7; };
		window.clearTimeout = (timer) => { if (timer === 7) window.ring = () => {}; };
		window.close = () => { document.title = "closing"; };`}
	if _, err := chromedp.Call(browser.tab, page.AddScriptToEvaluateOnNewDocument, script); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, press, title string }{
		{"nobody asks, and the browser refuses", "", "closing"},
		{"asked", "button", "You are logged in"},
	} {
		last := browser.Open(t, answeredLogin(t))
		assertContains(t, last.Text, "closes in 5 seconds", "Keep it open")
		if test.press != "" {
			see(browser.tab, t, chromedp.Click(chromedp.CSS(test.press)))
		}
		see(browser.tab, t, chromedp.Evaluate[bool](`window.ring(), true`))
		assertContains(t, see(browser.tab, t, chromedp.Text(chromedp.CSS("#closing"))), "You can close this window")
		assertContains(t, see(browser.tab, t, chromedp.Title()), test.title)
	}
}

// answeredLogin returns an address that ends a login well.
func answeredLogin(t *testing.T) string {
	t.Helper()
	listener, err := loopback.Listen(loopback.Config{Addresses: []string{"127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listener.Close)
	go func() {
		_ = listener.Receive(t.Context(), "state", func(url.Values) loopback.Outcome {
			return loopback.Outcome{Page: loopback.Page{OK: true, Title: "You are logged in"}}
		}, nil)
	}()
	return listener.RedirectURI() + "/?state=state"
}

func (b *Browser) openWindow(t *testing.T, address string) target.ID {
	t.Helper()
	opened, err := chromedp.CallBrowser(b.tab, target.CreateTarget, target.CreateTargetParams{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	return opened.TargetID
}

func (b *Browser) hasWindow(t *testing.T, id target.ID) bool {
	t.Helper()
	windows, err := chromedp.Targets(b.tab)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(windows, func(window *target.Info) bool { return window.TargetID == id })
}

func assertContains(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in: %s", want, text)
		}
	}
}
