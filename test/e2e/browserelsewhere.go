package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// LoginElsewhere logs in with a browser that cannot reach the plugin, and returns what its address bar shows in the end.
func (b *Browser) LoginElsewhere(tb testing.TB, url string, user User) (address string) {
	tb.Helper()
	b.do(tb, append([]chromedp.Action[chromedp.Void]{chromedp.Navigate(url)}, typeCredentials(user)...)...)
	eventually(tb, 30*time.Second, "the browser to leave the provider", func() error {
		history, err := chromedp.Run(b.tab, chromedp.NavigationEntries())
		if err != nil {
			return err
		}
		address = history.Entries[history.CurrentIndex].URL
		if !strings.HasPrefix(address, "http://localhost") {
			return fmt.Errorf("the browser is at %s", address)
		}
		return nil
	})
	if body := see(b.tab, tb, chromedp.Evaluate[string](`document.location.protocol`)); body != "chrome-error:" {
		tb.Fatalf("the browser reached the plugin, so pasting proves nothing: %s", body)
	}
	return address
}

// LoginForCode logs in where the provider's last page shows the code, and returns that.
func (b *Browser) LoginForCode(tb testing.TB, url string, user User, selector string) (code string) {
	tb.Helper()
	b.do(tb, append([]chromedp.Action[chromedp.Void]{chromedp.Navigate(url)}, typeCredentials(user)...)...)
	eventually(tb, 30*time.Second, "the provider's page with the code", func() (err error) {
		code, err = chromedp.Run(b.tab, chromedp.Evaluate[string](
			fmt.Sprintf(`(document.querySelector(%q) ?? {value: ""}).value`, selector)))
		if err == nil && code == "" {
			err = errors.New("there is none")
		}
		return err
	})
	return code
}

// ApproveDevice opens an address that has the code of a device login in it, compares where that can be done, logs in and
// consents.
func (b *Browser) ApproveDevice(tb testing.TB, provider *Provider, address, code string) {
	tb.Helper()
	pages := provider.Device
	b.do(tb, chromedp.Navigate(address))
	if pages.ShowsCode {
		shown := fmt.Sprintf(`document.querySelector(%q).value`, pages.Code)
		if got := see(b.tab, tb, chromedp.Evaluate[string](shown)); got != code {
			tb.Errorf("the provider's page shows the code %q, and the terminal %q", got, code)
		}
		b.do(tb, chromedp.Click(chromedp.CSS(pages.Enter)))
	}
	b.answerDevice(tb, provider, pages.Allow)
	b.awaitText(tb, pages.Done)
}

// EnterDeviceCode opens an address without a code, types the code, and logs in. Answer is the button to press then, if any.
func (b *Browser) EnterDeviceCode(tb testing.TB, provider *Provider, address, code, answer string) {
	tb.Helper()
	b.do(tb,
		chromedp.Navigate(address),
		chromedp.SendKeys(chromedp.CSS(provider.Device.Code), code),
		chromedp.Click(chromedp.CSS(provider.Device.Enter)),
	)
	b.answerDevice(tb, provider, answer)
	b.awaitText(tb, provider.Device.Done)
}

func (b *Browser) answerDevice(tb testing.TB, provider *Provider, answer string) {
	tb.Helper()
	b.do(tb, typeCredentials(provider.User)...)
	if answer != "" {
		b.do(tb, chromedp.Click(chromedp.CSS(answer)))
	}
}

func (b *Browser) awaitText(tb testing.TB, want string) {
	tb.Helper()
	eventually(tb, 30*time.Second, fmt.Sprintf("the page to say %q", want), func() error {
		text, err := chromedp.Run(b.tab, chromedp.Evaluate[string](`document.body.innerText`))
		if err == nil && !strings.Contains(text, want) {
			err = errors.New(text)
		}
		return err
	})
}
