package parttest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Until waits for a condition of the page a Browser shows: a script's expression, or a promise of one. It is asked again and again, whatever page has
// come meanwhile, and not when the page changes: what is typed, chosen or kept changes no element.
func Until(t testing.TB, browser context.Context, what, condition string) { //nolint:revive // a test's context comes second
	t.Helper()
	var last error
	met := false
	defer func() {
		if !met {
			t.Logf("%s: %v; the browser shows %s", what, last, shown(browser))
		}
	}()
	Await(t, what, func() bool {
		ctx, cancel := context.WithTimeout(browser, Patience/4) // a page that goes may take its answer along
		defer cancel()
		met, last = chromedp.Run(ctx, chromedp.Evaluate[bool](`Promise.resolve(`+condition+`).then(Boolean)`, chromedp.EvalAwaitPromise))
		if browser.Err() != nil {
			t.Fatalf("%s: the browser is over: %v", what, browser.Err())
		}
		met = met && last == nil
		return met
	})
}

// shown is where a browser is and what it says there.
func shown(browser context.Context) string {
	ctx, cancel := context.WithTimeout(browser, Patience/4)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[location.href, document.readyState, (document.activeElement || {outerHTML: ""}).outerHTML.slice(0, 200), document.body.innerText].join("\n")`))
	if err != nil {
		return err.Error()
	}
	return text
}

// steady waits in the page until an element can be pressed and lies where it did two frames before, with nothing over it, and has the page take note
// of where the next click goes: one that goes elsewhere does nothing there. It says why the element cannot be pressed; "": it can.
const steady = `async function () {
	const frame = () => new Promise((done) => { requestAnimationFrame(done); setTimeout(done, 250); });
	const box = () => { const r = this.getBoundingClientRect(); return [r.left, r.top, r.width, r.height].join(" "); };
	const still = async () => { let was = box(); for (let same = 0; same < 2;) { await frame(); same = box() === was ? same + 1 : 0; was = box(); } };
	const over = () => { const r = this.getClientRects()[0]; return r ? document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2) : null; };
	if (this.disabled) return "disabled";
	this.scrollIntoViewIfNeeded();
	await still();
	if (!this.contains(over())) { this.scrollIntoView({ block: "center", behavior: "instant" }); await still(); }
	if (!this.contains(over())) return "under " + (over() || document.body).outerHTML.slice(0, 120);
	if (self.pressing) self.pressing.abort();
	self.pressing = new AbortController();
	this.pressed = "";
	self.addEventListener("click", (event) => {
		this.pressed = this.contains(event.target) ? "here" : "elsewhere";
		if (this.pressed === "elsewhere") { event.preventDefault(); event.stopImmediatePropagation(); }
	}, { capture: true, once: true, signal: self.pressing.signal });
	return "";
}`

// errUnpressed is a press that went nowhere, or elsewhere.
var errUnpressed = errors.New("not pressed")

// Click presses an element with the mouse as chromedp's does, but not before it lies still, and again where the press was lost: under load the page
// moves between the moment it is measured and the one it is pressed, and a press before the first frame is drawn is dropped. It needs a page with
// scripts.
func Click[S chromedp.Selectable](sel S) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		limit, cancel := context.WithTimeout(ctx, Patience)
		defer cancel()
		for {
			_, err := chromedp.QueryAfter(sel, press, chromedp.NodeVisible)(limit, t)
			if !errors.Is(err, errUnpressed) {
				return err
			}
			select {
			case <-limit.Done():
				return err
			case <-time.After(lastAsk):
			}
		}
	})
}

func press(ctx context.Context, t *chromedp.Target, nodes []*chromedp.Node) (none chromedp.Void, err error) {
	if len(nodes) == 0 {
		return none, errUnpressed
	}
	var on struct {
		Object struct {
			ID string `json:"objectId"`
		} `json:"object"`
	}
	if err := t.Call(ctx, "DOM.resolveNode", map[string]any{"nodeId": nodes[0].NodeID}, &on); err != nil {
		return none, fmt.Errorf("%w: %w", errUnpressed, err)
	}
	ask := func(script string) (string, error) {
		var said struct {
			Result struct {
				Value string `json:"value"`
			} `json:"result"`
		}
		err := t.Call(ctx, "Runtime.callFunctionOn", map[string]any{"functionDeclaration": script, "objectId": on.Object.ID, "awaitPromise": true, "returnByValue": true}, &said)
		return said.Result.Value, err
	}
	switch why, err := ask(steady); {
	case err != nil:
		return none, fmt.Errorf("%w: %w", errUnpressed, err)
	case why != "":
		return none, fmt.Errorf("%w: %s", errUnpressed, why)
	}
	_, failed := chromedp.MouseClickNode(nodes[0])(ctx, t)
	where, err := ask(`function () { return this.pressed; }`)
	if err == nil && where != "here" {
		return none, errors.Join(fmt.Errorf("%w: it went %q", errUnpressed, where), failed)
	}
	return none, ctx.Err() // a page that cannot be asked is gone, because it was pressed
}
