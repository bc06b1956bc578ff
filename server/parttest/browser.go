package parttest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// lifetime ends a browser that hangs. The longest test asks axe about a hundred pages: minutes on an idle machine, many times that on a busy one.
const lifetime = 20 * time.Minute

// Browser starts Chromium for one test, with a blank page, and ends it with the test. The context is what chromedp's
// functions take; it is over after lifetime.
func Browser(t testing.TB) context.Context {
	t.Helper()
	return browserWith(t, ChromiumFlags(t))
}

// BrowserAt is Browser with what an earlier one left in a folder of its own: its data go with dir, not with the test.
func BrowserAt(t testing.TB, dir string, flags ...string) context.Context {
	t.Helper()
	all := slices.DeleteFunc(ChromiumFlags(t), func(f string) bool { return strings.HasPrefix(f, "--user-data-dir=") })
	return browserWith(t, append(append(all, "--user-data-dir="+dir), flags...))
}

func browserWith(t testing.TB, flags []string) context.Context {
	t.Helper()
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(Chromium(t)), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Flag("hide-scrollbars", true),
	}
	for _, f := range flags {
		if name, value, with := strings.Cut(strings.TrimPrefix(f, "--"), "="); with {
			opts = append(opts, chromedp.Flag(name, value))
		} else {
			opts = append(opts, chromedp.Flag(name, true))
		}
	}
	limit, cancel := context.WithTimeout(context.Background(), lifetime)
	alloc, stop := chromedp.NewExecAllocator(limit, opts...)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("chromium: %v", err)
		}
		end()
		stop()
		cancel()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("parttest: start chromium: %v", err)
	}
	return ctx
}

// axeAsks is the question to axe: WCAG 2.2 AA, and beyond it the stricter contrast (7:1) and the size of targets.
const axeAsks = `axe.run({resultTypes: ["violations"], elementRef: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	rules: {"color-contrast-enhanced": {enabled: true}, "target-size": {enabled: true}}}).then(r => r.passes.length < 10 ? "axe did not look" :
	r.violations.length == 0 ? "" : JSON.stringify(r.violations.map(v =>
	({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html.slice(0, 200) + " | " + (n.any[0] || n.all[0] || n.none[0] || {}).message)})), null, " "))`

// Axe returns a function that gives axe-core's complaints about the page a Browser shows, "" when it has none.
func Axe(t testing.TB) func(browser context.Context) (complaints string) {
	t.Helper()
	root, _ := repository()
	axe, err := os.ReadFile(filepath.Join(root, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		Missing(t, "axe-core", "npm ci")
	}
	return func(browser context.Context) string {
		t.Helper()
		if _, err := chromedp.Run(browser, chromedp.Evaluate[int](string(axe)+";1")); err != nil {
			t.Fatalf("parttest: load axe: %v", err)
		}
		complaints, err := chromedp.Run(browser, chromedp.Evaluate[string](axeAsks, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatalf("parttest: ask axe: %v", err)
		}
		return complaints
	}
}
