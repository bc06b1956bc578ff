package panel_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/gateway/measure"
	"aovuon/server/parttest"
)

type step = chromedp.Action[chromedp.Void]

func do(t *testing.T, ctx context.Context, steps ...step) { //nolint:revive // a test's context comes second
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T { //nolint:revive // a test's context comes second
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// command sends one command of the DevTools protocol.
func command(method string, params map[string]any) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error { return t.Call(ctx, method, params, nil) })
}

func scheme(s string) step {
	return command("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": s}}})
}

func scripts(run bool) step {
	return command("Emulation.setScriptExecutionDisabled", map[string]any{"value": !run})
}

func view(width int) step {
	return chromedp.EmulateViewport(int64(width), 900, chromedp.EmulateScale(1))
}

// shown is a field in which something is seen everywhere: a probe that is right, one that nobody noticed, one that is out.
func shown(t *testing.T) *made {
	t.Helper()
	m := newMade(t)
	oxygen := m.truth(t, "ao1", measure.DissolvedOxygen)
	m.answer("ao1-do", measure.DissolvedOxygen, oxygen, "")
	m.answer("ao1-ph", measure.PH, 8.6, "")
	m.answer("ao1-temp", "", 0, "unplug")
	m.product.say("ao1-do", measure.DissolvedOxygen, oxygen, measure.Good, "", 0)
	m.product.say("ao1-ph", measure.PH, 8.6, measure.Good, "", 0)
	m.product.say("ao1-temp", measure.WaterTemperature, 0, measure.Fault, measure.NoResponse, 0)
	for _, line := range []string{"set ao1-temp unplug", "set ao1-do love", "drift ao1-ph 1.1 0.3"} {
		if _, err := m.field.Desk().Do(t.Context(), line); err != nil {
			t.Log(err)
		}
	}
	return m
}

func TestBrowser_AProbeIsUnpluggedAndTheProductSaysSo(t *testing.T) {
	m := newMade(t)
	oxygen := m.truth(t, "ao1", measure.DissolvedOxygen)
	m.answer("ao1-do", measure.DissolvedOxygen, oxygen, "")
	m.product.say("ao1-do", measure.DissolvedOxygen, oxygen, measure.Good, "", 0)
	ctx := parttest.Browser(t)
	button := `#f-ao1-do-set-device-fault-number button`
	do(t, ctx, view(360), chromedp.Navigate(m.URL+"/"), chromedp.WaitVisible(chromedp.CSS(`a[href="/place/ao1"]`)),
		parttest.Click(chromedp.CSS(`a[href="/place/ao1"]`)), chromedp.WaitVisible(chromedp.CSS(`#d-ao1-do summary`)),
		parttest.Click(chromedp.CSS(`#d-ao1-do summary`)), chromedp.WaitVisible(chromedp.CSS(button)),
		parttest.Click(chromedp.CSS(button)), chromedp.WaitVisible(chromedp.CSS(`#done`)))
	if text := ask(t, ctx, chromedp.Text(chromedp.CSS("#done"))); !strings.Contains(text, "ao1-do hỏng: Rút dây") {
		t.Errorf("it says %q", text)
	}
	now := func(says string) string { return `document.querySelector("#now").innerText.includes("` + says + `")` } // at once: the page takes a new one now and then
	if !ask(t, ctx, chromedp.Evaluate[bool](now("AoVườn nói đúng"))) {
		t.Errorf("before the product noticed: %s", ask(t, ctx, chromedp.Evaluate[string](`document.querySelector("#now").innerText`)))
	}
	// The product notices. The page says so without being loaded again.
	m.product.say("ao1-do", measure.DissolvedOxygen, 0, measure.Fault, measure.NoResponse, 0)
	m.wait(3 * time.Second) // an answer of the product is used for two
	parttest.Until(t, ctx, "the page shows what the product says now", now("Không trả lời"))
	if !ask(t, ctx, chromedp.Evaluate[bool](now("AoVườn biết đầu dò hỏng"))) {
		t.Errorf("afterwards: %s", ask(t, ctx, chromedp.Evaluate[string](`document.querySelector("#now").innerText`)))
	}
}

func TestBrowser_WorksWithoutAScript(t *testing.T) {
	m := newMade(t)
	ctx := parttest.Browser(t)
	do(t, ctx, scripts(false), view(1280), chromedp.Navigate(m.URL+"/place/ao1"), chromedp.WaitVisible(chromedp.CSS(`#d-ao1-ph summary`)),
		chromedp.Click(chromedp.CSS(`#d-ao1-ph summary`)), chromedp.WaitVisible(chromedp.CSS(`#f-ao1-ph-dip-device-value-celsius-value`)),
		chromedp.SendKeys(chromedp.CSS(`#f-ao1-ph-dip-device-value-celsius-value`), "7,O1"), chromedp.Click(chromedp.CSS(`#f-ao1-ph-dip-device-value-celsius button`)),
		chromedp.WaitVisible(chromedp.CSS(`[role=alert]`)))
	if text := ask(t, ctx, chromedp.Text(chromedp.CSS("[role=alert]"))); !strings.Contains(text, "phải là một số") {
		t.Errorf("it says %q", text)
	}
}

func TestBrowser_AxeFindsNothingAndNothingIsCutOff(t *testing.T) {
	axe := parttest.Axe(t)
	m := shown(t)
	ctx := parttest.Browser(t)
	for _, shade := range []string{"light", "dark"} {
		for _, width := range []int{360, 1280} {
			for _, path := range []string{"/", "/place/ao1", "/place/khoai1", "/machines", "/log", "/nothing"} {
				lang := map[string]string{"light": "vi", "dark": "en"}[shade]
				do(t, ctx, view(width), scheme(shade), chromedp.Navigate(m.URL+path+"?lang="+lang), chromedp.WaitVisible(chromedp.CSS("#main h1")))
				ask(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll("details").forEach(d => { d.open = true; }), 1`))
				if over := ask(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - window.innerWidth`)); over > 0 {
					t.Errorf("%s, %d wide: %d pixels are beyond the screen", path, width, over)
				}
				if complaints := axe(ctx); complaints != "" {
					t.Errorf("%s, %s, %s, %d wide: %s", path, lang, shade, width, complaints)
				}
			}
		}
	}
}

// TestBrowser_Screenshots writes what the pages look like to the folder AOVUON_SCREENSHOTS names.
func TestBrowser_Screenshots(t *testing.T) {
	dir := os.Getenv("AOVUON_SCREENSHOTS")
	if dir == "" {
		t.Skip("AOVUON_SCREENSHOTS names no folder")
	}
	m := shown(t)
	ctx := parttest.Browser(t)
	for name, path := range map[string]string{"home": "/", "place": "/place/ao1", "machines": "/machines", "log": "/log"} {
		for size, width := range map[string]int{"phone": 360, "desktop": 1280} {
			do(t, ctx, view(width), chromedp.Navigate(m.URL+path), chromedp.WaitVisible(chromedp.CSS("#main h1")))
			shot := ask(t, ctx, chromedp.CaptureScreenshot())
			if err := os.WriteFile(filepath.Join(dir, "panel-"+name+"-"+size+".png"), shot, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
