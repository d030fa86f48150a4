package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Browser is a headless Chromium with a person before it, who knows the password.
type Browser struct {
	// Command is for the plugin's --browser-command: it hands the URL to the test instead of opening a window.
	Command string

	urls   chan string
	sites  []string // rules that lead to them
	opened atomic.Int32
	tab    context.Context

	mu        sync.Mutex
	requested []string
}

// Page is what the person sees.
type Page struct {
	URL        string
	Title      string
	Text       string
	Screenshot []byte // PNG
}

// StartBrowser prepares a browser that trusts the authority. Chromium itself starts with the first login.
func StartBrowser(tb testing.TB, ca *CertificateAuthority) *Browser {
	tb.Helper()
	browser := &Browser{urls: make(chan string, 100)}
	browser.receiveURLs(tb)
	browser.configureChromium(tb, ca, "localhost", "127.0.0.1")
	return browser
}

// StartBrowserOn prepares a browser that reaches the sites of the internet besides.
func StartBrowserOn(tb testing.TB, ca *CertificateAuthority, internet *Internet) *Browser {
	tb.Helper()
	browser := &Browser{urls: make(chan string, 100)}
	browser.receiveURLs(tb)
	for site, address := range internet.addresses {
		browser.sites = append(browser.sites, "MAP "+site+" "+address)
	}
	browser.configureChromium(tb, ca, "localhost", "127.0.0.1")
	return browser
}

// StartBrowserElsewhere prepares a browser of another machine: it reaches the servers, which have the address 127.0.0.1
// in these tests, but localhost is not where the plugin listens.
func StartBrowserElsewhere(tb testing.TB, ca *CertificateAuthority) *Browser {
	tb.Helper()
	browser := &Browser{}
	browser.configureChromium(tb, ca, "127.0.0.1")
	return browser
}

// receiveURLs makes Command, and the named pipe into which it writes the URL.
func (b *Browser) receiveURLs(tb testing.TB) {
	tb.Helper()
	folder := tb.TempDir()
	pipeFile := filepath.Join(folder, "urls")
	if err := syscall.Mkfifo(pipeFile, 0o600); err != nil {
		tb.Fatal(err)
	}
	// Open for writing too: then the pipe does not end when the first writer closes it.
	pipe, err := os.OpenFile(pipeFile, os.O_RDWR, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { pipe.Close() })

	b.Command = filepath.Join(folder, "browser")
	script := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$1\" >'%s'\n", pipeFile)
	if err := os.WriteFile(b.Command, []byte(script), 0o700); err != nil {
		tb.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			b.opened.Add(1)
			b.urls <- lines.Text()
		}
	}()
}

func (b *Browser) configureChromium(tb testing.TB, ca *CertificateAuthority, reachable ...string) {
	tb.Helper()
	rules := append(b.sites, "MAP * ~NOTFOUND")
	for _, host := range reachable {
		rules = append(rules, "EXCLUDE "+host)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(programs.Chromium),
		chromedp.DisableGPU,
		chromedp.WindowSize(1024, 768),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("ignore-certificate-errors-spki-list", ca.PublicKeyHash()),
		chromedp.Flag("host-resolver-rules", strings.Join(rules, ", ")),
	)
	// Not the test's context: that ends before the cleanup, which lets Chromium close its profile.
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	b.tab, _ = chromedp.NewContext(allocator)
	tb.Cleanup(func() {
		_ = chromedp.Cancel(b.tab) // stop kills it if it does not close
		stop()
	})
}

// Opened says how often a browser window was asked for.
func (b *Browser) Opened() int {
	return int(b.opened.Load())
}

// AwaitURL returns the next URL that is to be opened. If the program that should ask for it ends instead, the test fails
// with its output.
func (b *Browser) AwaitURL(tb testing.TB, program <-chan Output) string {
	tb.Helper()
	select {
	case url := <-b.urls:
		return url
	case output := <-program:
		tb.Fatalf("the program ended instead of opening the browser: %s", output)
	case <-time.After(30 * time.Second):
		tb.Fatal("waited 30s, but nobody opened the browser")
	}
	return ""
}

// Login opens the URL, logs in on the provider's page, and returns the page to which that leads in the end.
func (b *Browser) Login(tb testing.TB, url string, user User) Page {
	tb.Helper()
	return b.visit(tb, url, typeCredentials(user)...)
}

func typeCredentials(user User) []chromedp.Action[chromedp.Void] {
	return []chromedp.Action[chromedp.Void]{
		chromedp.SendKeys(chromedp.CSS(user.Form.Name), user.Email),
		chromedp.SendKeys(chromedp.CSS(user.Form.Password), user.Password),
		chromedp.Click(chromedp.CSS(user.Form.Submit)),
	}
}

// Open opens the URL of a provider that asks nothing, and returns the page to which that leads in the end.
func (b *Browser) Open(tb testing.TB, url string) Page {
	tb.Helper()
	return b.visit(tb, url)
}

func (b *Browser) visit(tb testing.TB, url string, steps ...chromedp.Action[chromedp.Void]) Page {
	tb.Helper()
	b.recordRequests(tb) // starts Chromium
	b.do(tb, append([]chromedp.Action[chromedp.Void]{chromedp.Navigate(url)}, steps...)...)
	ctx, cancel := context.WithTimeout(b.tab, time.Minute)
	defer cancel()
	return awaitLoopbackPage(ctx, tb)
}

// OpenOwn opens the URL of a page of the plugin's, and returns the page of the plugin's to which that leads in the end.
func (b *Browser) OpenOwn(tb testing.TB, url string) Page {
	tb.Helper()
	b.do(tb, chromedp.Navigate(url))
	ctx, cancel := context.WithTimeout(b.tab, time.Minute)
	defer cancel()
	var page Page
	eventually(tb, 30*time.Second, "another page", func() error {
		if page = awaitLoopbackPage(ctx, tb); page.URL == url {
			return fmt.Errorf("the browser is at %s", page.URL)
		}
		return nil
	})
	return page
}

// do does what a person does with pages.
func (b *Browser) do(tb testing.TB, steps ...chromedp.Action[chromedp.Void]) {
	tb.Helper()
	if err := chromedp.Do(b.tab); err != nil { // starts Chromium, which must outlive these steps
		tb.Fatalf("chromium: %v", err)
	}
	ctx, cancel := context.WithTimeout(b.tab, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tb.Fatalf("chromium: %v", err)
	}
}

// awaitLoopbackPage waits until Chromium shows a page of the plugin's listener, the only server without TLS.
func awaitLoopbackPage(ctx context.Context, tb testing.TB) Page {
	tb.Helper()
	var page Page
	eventually(tb, 30*time.Second, "the page after the login", func() (err error) {
		if page.URL, err = chromedp.Run(ctx, chromedp.Location()); err != nil {
			return err
		}
		loaded, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === "complete"`))
		if err != nil {
			return err
		}
		if !loaded || !strings.HasPrefix(page.URL, "http://") {
			return fmt.Errorf("the browser is at %s", page.URL)
		}
		if page.Title, err = chromedp.Run(ctx, chromedp.Title()); err != nil {
			return err
		}
		if page.Text, err = chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`)); err != nil {
			return err
		}
		page.Screenshot, err = chromedp.Run(ctx, chromedp.CaptureScreenshot())
		return err
	})
	return page
}
