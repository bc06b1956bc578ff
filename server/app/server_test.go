package app_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/history/influx"
	"aovuon/server/history/sqlite"
	"aovuon/server/parttest"
)

// eachHistory runs a story with SQLite's and with InfluxDB's history. open opens the history of a server that has stopped.
func eachHistory(t *testing.T, f func(t *testing.T, p *process, open func() history.Store)) {
	t.Run("sqlite", func(t *testing.T) {
		p := newProcess(t, "{ engine: sqlite }", "")
		f(t, p, func() history.Store {
			s, err := sqlite.Open(t.Context(), p.historyInUse())
			return opened(t, s, err)
		})
	})
	t.Run("influx", func(t *testing.T) {
		i := parttest.Influxd(t)
		p := newProcess(t, fmt.Sprintf("{ engine: influx, url: %q, database: aovuon }", i.URL), "")
		f(t, p, func() history.Store {
			s, err := influx.New(influx.Options{URL: i.URL, Database: "aovuon"})
			return opened(t, s, err)
		})
	})
}

// historyInUse is the newest file: one that a redraw which was killed left is dropped a minute later.
func (p *process) historyInUse() string {
	p.t.Helper()
	list, err := filepath.Glob(p.path("data/history*.db"))
	if err != nil || len(list) == 0 {
		p.t.Fatalf("histories %v, %v: want one", list, err)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return list[len(list)-1]
}

func opened(t *testing.T, s history.Store, err error) history.Store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// count counts the points of a sensor's water temperature at a place, and checks that their times only grow.
func count(t *testing.T, s history.Store, place, gateway, sensor string) (n int) {
	t.Helper()
	var last time.Time
	k := history.Series{Place: place, Quantity: measure.WaterTemperature, Gateway: gateway, Sensor: sensor}
	err := s.Each(t.Context(), k, time.Unix(0, 0), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), func(p history.Point) error {
		if !p.Time.After(last) {
			t.Errorf("%v after %v", p.Time, last)
		}
		last = p.Time
		n++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (p *process) awaitHistory(position int) {
	p.t.Helper()
	parttest.Await(p.t, "history", func() bool { return p.metric(`aovuon_projection_position{projection="history"}`) >= float64(position) })
}

// deliver sends everything as a gateway does: no more than 32 ahead of the receipts, again from the last receipt after a
// silence, over as many connections as it takes.
func (s *sender) deliver(ctx context.Context, addr string) error {
	for ctx.Err() == nil {
		if s.upto.Load() == uint64(len(s.packets)) {
			return nil
		}
		if err := s.connect(addr); err != nil {
			pause(ctx, 20*time.Millisecond)
			continue
		}
		s.session(ctx)
		if err := s.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
	}
	return ctx.Err()
}

// session sends over one connection until all is receipted or the connection fails.
func (s *sender) session(ctx context.Context) {
	next, seen, since := s.upto.Load(), s.upto.Load(), time.Now()
	for ctx.Err() == nil {
		upto := s.upto.Load()
		switch {
		case upto == uint64(len(s.packets)):
			return
		case upto != seen:
			seen, since = upto, time.Now()
		case time.Since(since) > 500*time.Millisecond:
			next, since = upto, time.Now()
		}
		if next = max(next, upto); next >= uint64(len(s.packets)) || next >= upto+benchWindow {
			pause(ctx, time.Millisecond)
			continue
		}
		if _, err := s.conn.Write(s.packets[next]); err != nil {
			return
		}
		next++
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// fleetOf enrols gateways with n signed batches of six readings each.
func (p *process) fleetOf(n int, ids ...string) []*sender {
	p.t.Helper()
	var fleet []*sender
	for _, id := range ids {
		s := &sender{gateway: p.enrol(id), patient: true}
		s.sealAll(p.t, n, 6)
		fleet = append(fleet, s)
	}
	return fleet
}

func (p *process) deliverAll(fleet []*sender) (wait func()) {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	var wg sync.WaitGroup
	for _, s := range fleet {
		wg.Go(func() {
			if err := s.deliver(ctx, p.mqtt); err != nil {
				p.t.Errorf("%s: %v, receipted up to %d of %d", s.id, err, s.upto.Load(), len(s.packets))
			}
		})
	}
	return func() { wg.Wait(); cancel() }
}

func TestServer_KilledUnderLoadLosesNothingAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("20 kills of each kind take half a minute")
	}
	eachHistory(t, func(t *testing.T, p *process, open func() history.Store) {
		const batches = 3000
		fleet := p.fleetOf(batches, "gw-one", "gw-two", "gw-three")
		p.start()
		wait := p.deliverAll(fleet)
		kills := 0
		for ; kills < 20; kills++ {
			before := fleet[0].upto.Load()
			if before >= batches*9/10 {
				break
			}
			parttest.Await(t, "load before the kill", func() bool { return fleet[0].upto.Load() >= before+50 })
			pause(t.Context(), rand.N(60*time.Millisecond))
			p.kill()
			p.start()
		}
		wait()
		if kills < 5 {
			t.Errorf("only %d kills under load: the run says little", kills)
		}
		p.awaitHistory(3 * batches)
		p.stop()
		s := open()
		for _, g := range fleet {
			if n := count(t, s, "unplaced", g.id, "ao1-temp"); n != batches {
				t.Errorf("%s: %d points in history, want %d", g.id, n, batches)
			}
		}
		t.Logf("%d kills", kills)
	})
}

func TestServer_ReprojectMovesThePointsOfASensorThatGotAPlace(t *testing.T) {
	eachHistory(t, func(t *testing.T, p *process, open func() history.Store) {
		const batches = 200
		fleet := p.fleetOf(batches, "gw-ao-phukhe")
		p.start()
		p.deliverAll(fleet)()
		p.awaitHistory(batches)
		p.stop()
		if n := count(t, open(), "unplaced", "gw-ao-phukhe", "ao1-temp"); n != batches {
			t.Fatalf("%d points before", n)
		}
		p.once("farm", "demo")
		if out := p.once("reproject", "history"); !strings.Contains(out, fmt.Sprintf("%d points of %d batches", 6*batches, batches)) {
			t.Errorf("reproject says %q", out)
		}
		s := open()
		for place, want := range map[string]int{"unplaced": 0, "F7NE3CDQ7": batches} {
			if n := count(t, s, place, "gw-ao-phukhe", "ao1-temp"); n != want {
				t.Errorf("%d points at %s, want %d", n, place, want)
			}
		}
		if n := count(t, s, "unplaced", "gw-ao-phukhe", "ao0-temp"); n != batches {
			t.Errorf("%d points of the sensor nobody placed", n)
		}
	})
}

func TestServer_HistoryDownDelaysNeitherReceiptsNorLiveValues(t *testing.T) {
	i := parttest.Influxd(t)
	p := newProcess(t, fmt.Sprintf("{ engine: influx, url: %q, database: aovuon }", i.URL), "")
	i.Kill()
	const batches = 500
	fleet := p.fleetOf(batches, "gw-one")
	p.start()
	p.deliverAll(fleet)()
	parttest.Await(t, "live values", func() bool { return p.metric(`aovuon_projection_position{projection="live"}`) == batches })
	if at := p.metric(`aovuon_projection_position{projection="history"}`); at != 0 {
		t.Errorf("history at %v with InfluxDB down", at)
	}
	i.Start()
	p.awaitHistory(batches)
	p.stop()
}

func TestServer_KnowsAGatewayEnrolledWhileItRuns(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	p.start()
	fleet := p.fleetOf(20, "gw-late")
	p.deliverAll(fleet)()
	p.once("gateway", "retire", "gw-late")
	parttest.Await(t, "end of the retired gateway's connection", func() bool {
		if err := fleet[0].connect(p.mqtt); err != nil {
			return true
		}
		return fleet[0].conn.Close() != nil
	})
	p.stop()
}

// ask asks for a page with one header, and returns the answer's status and headers.
func (p *process) ask(path, header, value string) (int, http.Header) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.web+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set(header, value)
	if header == "Host" {
		req.Host = value
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		p.t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return res.StatusCode, res.Header
}

func TestServer_MetricsAreForThisMachineAlone(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	p.start()
	if code, body, err := p.get("/metrics"); err != nil || code != http.StatusOK || !strings.Contains(body, "aovuon_ingest_batches_total 0") {
		t.Errorf("from here: %d %v", code, err)
	}
	for name, value := range map[string]string{
		"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=203.0.113.7", "X-Real-IP": "203.0.113.7", "Via": "1.1 htx.example", "Host": "htx.example",
	} {
		if code, _ := p.ask("/metrics", name, value); code != http.StatusNotFound {
			t.Errorf("through a proxy that says %s: %d", name, code)
		}
	}
	for _, path := range []string{"/metrics", "/healthz", "/enrol", "/sign-in"} {
		for _, host := range []string{"localhost:8080", "[::1]:8080", "may-chu"} {
			if code, header := p.ask(path, "Host", host); code == http.StatusNotFound || header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s of %s: %d, %v", path, host, code, header)
			}
		}
	}
	p.stop()
}

func TestServer_GuessesAtNoMalformedLabel(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	p.start()
	for _, path := range []string{"/01//x", "/01/09521234010036/../x", "/01/09521234010036/10//"} {
		code, body, err := p.get(path)
		if err != nil || code != http.StatusNotFound || !strings.Contains(body, "Chỗ sai") {
			t.Errorf("%s: %d, %v; want 404 and what is malformed", path, code, err)
		}
	}
	p.stop()
}

func TestServer_StopsPromptlyWithOpenConnections(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	p.start()
	for _, addr := range []string{p.mqtt, p.mqtt, p.web} { // silent sockets, and a live stream
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		if addr != p.web {
			continue
		}
		if _, err := fmt.Fprintf(c, "GET /live HTTP/1.1\r\nHost: %s\r\n\r\n", p.web); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatalf("live stream: %q, %v", line, err)
		}
	}
	p.stop() // fails when it takes longer than 5 s
}
