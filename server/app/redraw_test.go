package app_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/parttest"
)

// While the server works, takes readings in and shows pages, the history is drawn again and again and killed at it: no page is blank, and in the
// end there is the same history.
func TestServer_RedrawsTheHistoryWhileItWorks(t *testing.T) {
	eachHistory(t, func(t *testing.T, p *process, open func() history.Store) {
		const batches, first = 2000, 1000
		fleet := p.fleetOf(batches, "gw-ao-phukhe")
		p.once("farm", "demo")
		p.start()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		sent := make(chan error, 1)
		go func() { sent <- fleet[0].deliver(ctx, p.mqtt) }()
		parttest.Await(t, "readings before the first kill", func() bool { return p.metric(`aovuon_projection_position{projection="history"}`) >= first })

		blank, seen := p.watchForBlank(ctx)
		for _, at := range []string{"reproject", "in use"} { // while it is drawn, and after the change, before the old one is dropped
			p.redrawKilledAt(ctx, at)
		}
		for range 2 {
			p.once("reproject", "history")
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		p.awaitHistory(batches)
		if n := blank.Load(); n != 0 || seen.Load() < 50 {
			t.Errorf("the series was blank %d times of %d", n, seen.Load())
		}
		cancel()
		live, _, _ := strings.Cut(p.once("history", "digest"), " ")
		p.once("reproject", "history")
		if again, _, _ := strings.Cut(p.once("history", "digest"), " "); again != live || len(live) != 64 {
			t.Errorf("digest %q, drawn again %q", live, again)
		}
		if _, text, err := p.get("/metrics"); err != nil || strings.Contains(text, `history="sqlite"`) != regexp.MustCompile(`aovuon_file_bytes\{file="history-\d+\.db"\} [1-9]`).MatchString(text) {
			t.Errorf("the size of the drawing in use is not among the metrics: %v", err)
		}
		p.stop()
		if n := count(t, open(), "F7NE3CDQ7", "gw-ao-phukhe", "ao1-temp"); n != batches {
			t.Errorf("%d points, want %d", n, batches)
		}
	})
}

// redrawKilledAt starts a redraw and kills it when it says something.
func (p *process) redrawKilledAt(ctx context.Context, says string) {
	p.t.Helper()
	heard := make(chan struct{})
	cmd := p.command("reproject", "history")
	cmd.Stderr = &listener{says: []byte(says), heard: heard}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-heard:
	case <-ctx.Done():
		p.t.Error("a redraw never said " + strconv.Quote(says))
	}
	if err := cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		p.t.Error("a redraw that was killed ended well")
	} else if _, ok := err.(*exec.ExitError); !ok { //nolint:errorlint // Wait returns it bare
		p.t.Error(err)
	}
}

// listener tells once when something was written that it listens for.
type listener struct {
	says  []byte
	heard chan struct{}
	all   bytes.Buffer
	done  bool
}

func (l *listener) Write(b []byte) (int, error) {
	l.all.Write(b)
	if !l.done && bytes.Contains(l.all.Bytes(), l.says) {
		l.done = true
		close(l.heard)
	}
	return os.Stderr.Write(b)
}

// watchForBlank asks for a series over and over, and counts how often there was nothing.
func (p *process) watchForBlank(ctx context.Context) (blank, seen *atomic.Int64) {
	blank, seen = new(atomic.Int64), new(atomic.Int64)
	path := "/api/series?place=F7NE3CDQ7&from=2026-09-01&to=2026-09-03&quantity=" + string(measure.WaterTemperature)
	go func() {
		for ctx.Err() == nil {
			status, body, err := p.get(path)
			seen.Add(1)
			if ctx.Err() == nil && (err != nil || status != http.StatusOK || !strings.Contains(body, `"mean"`)) {
				blank.Add(1)
			}
			pause(ctx, 20*time.Millisecond)
		}
	}()
	return blank, seen
}
