package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"aovuon/server/parttest"
)

// moody stands before a real InfluxDB and answers writes as one in trouble does.
type moody struct {
	*httptest.Server
	mood   atomic.Value // string
	writes atomic.Int64 // that were answered by the mood
}

func newMoody(t *testing.T, behind string) *moody {
	t.Helper()
	at, err := url.Parse(behind)
	if err != nil {
		t.Fatal(err)
	}
	m := &moody{}
	m.mood.Store("well")
	back := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) }, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mood := m.mood.Load().(string) //nolint:forcetypeassert // nothing else is stored
		if !strings.Contains(r.URL.Path, "write") || mood == "well" {
			back.ServeHTTP(w, r)
			return
		}
		m.writes.Add(1)
		switch mood {
		case "busy":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case "down":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "stranger": // a password that was changed
			w.WriteHeader(http.StatusUnauthorized)
		case "mute":
			mute(w, r, back)
		}
	}))
	t.Cleanup(m.Close)
	return m
}

// mute keeps a write, and the connection breaks before it says so.
func mute(w http.ResponseWriter, r *http.Request, back http.Handler) {
	back.ServeHTTP(httptest.NewRecorder(), r)
	c, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		err = c.Close()
	}
	_ = err // the client sees a broken connection either way
}

// A day of readings (two gateways, a batch a minute) meets an InfluxDB that is busy, refuses, knows the password no more, keeps a write and breaks off
// before it says so, and is killed. Everything is receipted meanwhile; when it is well again every reading is there, once.
func TestServer_ADayWithoutInfluxLosesNothing(t *testing.T) {
	const minutes, readings = 24 * 60, 6
	i := parttest.Influxd(t)
	front := newMoody(t, i.URL)
	p := newProcess(t, fmt.Sprintf("{ engine: influx, url: %q, database: aovuon }", front.URL), "")
	p.start()
	parttest.Await(t, "the database is made", func() bool { return influxCount(i.URL) == 0 })
	front.mood.Store("busy")
	fleet := p.fleetOf(minutes, "gw-one", "gw-two")
	p.deliverAll(fleet)()
	for _, mood := range []string{"busy", "down", "mute"} {
		before := front.writes.Load()
		front.mood.Store(mood)
		parttest.Await(t, mood, func() bool { return front.writes.Load() > before })
	}
	i.Kill()
	front.mood.Store("stranger")
	before := front.writes.Load()
	parttest.Await(t, "stranger", func() bool { return front.writes.Load() > before })
	if at := p.metric(`aovuon_projection_position{projection="live"}`); at != 2*minutes {
		t.Errorf("live values at %v of %d", at, 2*minutes)
	}
	t.Logf("resident while a day waits: %.0f MB", p.metric("process_resident_memory_bytes")/1e6)
	i.Start()
	front.mood.Store("well")
	p.awaitHistory(2 * minutes)
	if n := influxCount(i.URL); n != 2*minutes*readings {
		t.Errorf("InfluxDB has %d readings, want %d", n, 2*minutes*readings)
	}
	p.stop()
}

// influxCount counts the readings; -1: it cannot be asked.
func influxCount(at string) int {
	res, err := http.Get(at + "/query?db=aovuon&q=" + url.QueryEscape(`SELECT count(q) FROM water_temperature, dissolved_oxygen, ph`))
	if err != nil {
		return -1
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.Body.Close() != nil {
		return -1
	}
	var m struct {
		Results []struct {
			Error  string
			Series []struct{ Values [][]any }
		}
	}
	if json.Unmarshal(raw, &m) != nil || len(m.Results) != 1 || m.Results[0].Error != "" {
		return -1
	}
	n := 0
	for _, s := range m.Results[0].Series {
		n += int(s.Values[0][1].(float64)) //nolint:forcetypeassert // a number of JSON
	}
	return n
}
