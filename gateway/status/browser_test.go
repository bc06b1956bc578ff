package status_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aovuon/gateway/calibrate"
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

func phone() step { return chromedp.EmulateViewport(360, 800, chromedp.EmulateScale(2)) }

// signIn gives the PIN as a person does, without a script.
func signIn(t *testing.T, ctx context.Context, srv *httptest.Server) { //nolint:revive // a test's context comes second
	t.Helper()
	do(t, ctx, command("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}), phone(), chromedp.Navigate(srv.URL+"/buses"),
		chromedp.Click(chromedp.CSS(`form[action="/buses"] button`)), chromedp.WaitVisible(chromedp.CSS(`input[name="pin"]`)),
		chromedp.SendKeys(chromedp.CSS(`input[name="pin"]`), pin), chromedp.Click(chromedp.CSS(`form[action="/pin"] button`)),
		chromedp.WaitVisible(chromedp.CSS(`form[action="/leave"]`)))
}

func TestBrowser_AnInstallerScansAndCalibratesWithoutAScript(t *testing.T) {
	m := newMade()
	srv := m.serve(t)
	ctx := parttest.Browser(t)
	signIn(t, ctx, srv)
	do(t, ctx, chromedp.Click(chromedp.CSS(`form[action="/buses"] button`)), chromedp.WaitVisible(chromedp.CSS("section.card")))
	if text := ask(t, ctx, chromedp.Text(chromedp.CSS("main"))); !strings.Contains(text, "0x64") || m.scans != 1 {
		t.Errorf("scanned %d times: %s", m.scans, text)
	}
	do(t, ctx, chromedp.Navigate(srv.URL+"/calibrate/ao1-ph"), chromedp.SendKeys(chromedp.CSS(`input[name="who"]`), "Nguyễn Văn An"),
		chromedp.Click(chromedp.CSS(`form.card button`)), chromedp.WaitVisible(chromedp.CSS(`input[name="lot"]`)),
		chromedp.SendKeys(chromedp.CSS(`input[name="celsius"]`), "28,5"), chromedp.Click(chromedp.CSS(`button[value="answer"]`)),
		chromedp.WaitVisible(chromedp.CSS(`button[value="skip"]`)), chromedp.Click(chromedp.CSS(`button[value="skip"]`)),
		chromedp.WaitVisible(chromedp.CSS(`button[value="finish"]`)), chromedp.Click(chromedp.CSS(`button[value="finish"]`)),
		chromedp.WaitVisible(chromedp.CSS(`p.chip.good`)))
	if m.state.Phase != calibrate.Done || m.state.Who != "Nguyễn Văn An" {
		t.Errorf("%+v", m.state)
	}
}

func TestBrowser_AxeFindsNothingAndNothingIsCutOff(t *testing.T) {
	axe := parttest.Axe(t)
	m := newMade()
	srv := m.serve(t)
	ctx := parttest.Browser(t)
	signIn(t, ctx, srv)
	do(t, ctx, chromedp.Click(chromedp.CSS(`form[action="/buses"] button`)), chromedp.WaitVisible(chromedp.CSS("section.card")),
		command("Emulation.setScriptExecutionDisabled", map[string]any{"value": false}))
	for _, shade := range []string{"light", "dark"} {
		for _, path := range []string{"/", "/buses", "/aerators", "/log", "/calibrate", "/calibrate/ao1-do", "/pin", "/nothing"} {
			for _, lang := range []string{"vi", "en"} {
				do(t, ctx, phone(), scheme(shade), chromedp.Navigate(srv.URL+path+"?lang="+lang), chromedp.WaitVisible(chromedp.CSS("#main")))
				if over := ask(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - 360`)); over > 0 {
					t.Errorf("%s, %s: %d pixels are beyond the screen", path, lang, over)
				}
				if complaints := axe(ctx); complaints != "" {
					t.Errorf("%s, %s, %s: %s", path, lang, shade, complaints)
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
	m := newMade()
	srv := m.serve(t)
	ctx := parttest.Browser(t)
	signIn(t, ctx, srv)
	do(t, ctx, chromedp.Click(chromedp.CSS(`form[action="/buses"] button`)), chromedp.WaitVisible(chromedp.CSS("section.card")))
	m.state = &calibrate.State{Sensor: "ao1-ph", Quantity: "ph", Method: calibrate.EZOPH, Who: "An", Steps: phSteps(), Phase: calibrate.Asking}
	long := chromedp.EmulateViewport(360, 2400, chromedp.EmulateScale(1))
	for name, path := range map[string]string{"home": "/", "buses": "/buses", "log": "/log", "calibrate": "/calibrate", "session": "/calibrate/ao1-ph", "pin": "/pin"} {
		for size, view := range map[string]step{"phone": phone(), "long": long} {
			for _, shade := range []string{"light", "dark"} {
				do(t, ctx, view, scheme(shade), chromedp.Navigate(srv.URL+path), chromedp.WaitVisible(chromedp.CSS("#main h1")))
				shot := ask(t, ctx, chromedp.CaptureScreenshot())
				if err := os.WriteFile(filepath.Join(dir, "status-"+name+"-"+size+"-"+shade+".png"), shot, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
