package e2e

import (
	"context"
	_ "embed" // for the script that measures contrast
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// View is how a person looks at a page.
type View struct {
	Scheme        string // light or dark
	Width, Height int64
}

// views are a phone and a desktop, by day and by night.
func views() []View {
	return []View{{"light", 360, 740}, {"dark", 360, 740}, {"light", 1024, 640}, {"dark", 1024, 640}}
}

func (v View) String() string { return fmt.Sprintf("%s-%d", v.Scheme, v.Width) }

// Look is what there is to see.
type Look struct {
	PNG        []byte   // the whole page
	PageWidth  int64    // more than the view's: the person must scroll sideways
	Ground     string   // the color behind everything
	WeakColors []string // texts that are hard to read
}

//go:embed contrast.js
var contrastScript string

// Look shows the page in another view.
func (b *Browser) Look(tb testing.TB, view View) Look {
	tb.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 30*time.Second)
	defer cancel()
	scheme := emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.Scheme}},
	}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, scheme); err != nil {
		tb.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(view.Width, view.Height)); err != nil {
		tb.Fatal(err)
	}
	return Look{
		PNG:        see(ctx, tb, chromedp.FullScreenshot(100)),
		PageWidth:  see(ctx, tb, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)),
		Ground:     see(ctx, tb, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`)),
		WeakColors: see(ctx, tb, chromedp.Evaluate[[]string](contrastScript)),
	}
}

// Count says how many elements of the page a CSS selector finds.
func (b *Browser) Count(tb testing.TB, selector string) int {
	tb.Helper()
	quoted, err := json.Marshal(selector)
	if err != nil {
		tb.Fatal(err)
	}
	return see(b.tab, tb, chromedp.Evaluate[int](fmt.Sprintf(`document.querySelectorAll(%s).length`, quoted)))
}

// Replace changes text of the page. Pictures that are kept show lasting addresses instead of this run's ports.
func (b *Browser) Replace(tb testing.TB, old, new string) {
	tb.Helper()
	texts, err := json.Marshal([]string{old, new})
	if err != nil {
		tb.Fatal(err)
	}
	see(b.tab, tb, chromedp.Evaluate[bool](fmt.Sprintf(`(([before, after]) => {
		const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(before, after);
		return true;
	})(%s)`, texts)))
}

// recordRequests notes what the pages without TLS, which are those of the plugin, ask for.
func (b *Browser) recordRequests(tb testing.TB) {
	tb.Helper()
	err := chromedp.Listen(b.tab, func(event any) {
		request, ok := event.(*network.EventRequestWillBeSent)
		if ok && strings.HasPrefix(request.DocumentURL, "http://") {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.requested = append(b.requested, request.Request.URL)
		}
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// Requested returns the addresses that the plugin's pages asked for.
func (b *Browser) Requested() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.requested
}

// see runs an action that must work.
func see[T any](ctx context.Context, tb testing.TB, action chromedp.Action[T]) T {
	tb.Helper()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		tb.Fatalf("chromium: %v", err)
	}
	return result
}
