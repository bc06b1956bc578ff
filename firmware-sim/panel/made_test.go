package panel_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	"aovuon/firmware-sim/panel"
	"aovuon/gateway/measure"
)

// everything is a field with a device of every kind.
const everything = `
seed: 7
begin: 2026-05-01
places:
  - { id: ao1, kind: pond }
  - { id: khoai1, kind: plot }
buses:
  - { id: ao, socket: ao.sock }
  - { id: w1, w1: w1 }
  - { id: rs485, serial: rs485 }
  - { id: rs485-muc, serial: rs485-muc }
  - { id: pins, pins: pins.sock }
devices:
  - { id: ao1-temp, kind: ds18b20, bus: w1, rom: 28-00000a01f1a1, place: ao1 }
  - { id: ao1-do, kind: ezo-do, bus: ao, address: 0x61, place: ao1 }
  - { id: ao1-orp, kind: ezo-orp, bus: ao, address: 0x62, place: ao1 }
  - { id: ao1-ph, kind: ezo-ph, bus: ao, address: 0x63, place: ao1 }
  - { id: ao1-ec, kind: ezo-ec, bus: ao, address: 0x64, place: ao1 }
  - { id: ao1-rtd, kind: ezo-rtd, bus: ao, address: 0x66, place: ao1 }
  - { id: ao1-do-b, kind: modbus, template: yosemitech-y504, bus: rs485, address: 1, place: ao1 }
  - { id: ao1-muc, kind: ultrasonic-uart, bus: rs485-muc, place: ao1, height: 300 }
  - { id: adc, kind: ads1115, bus: ao, address: 0x48 }
  - { id: ao1-ph-b, kind: analog, template: dfrobot-sen0161-v2, adc: adc, input: 0, place: ao1, points: [{ volts: 1.53, value: 7 }] }
  - { id: ao1-quat, kind: aerator, bus: pins, pin: quat, place: ao1, amps: 6.8, rate: 0.3 }
  - { id: ao1-dong, kind: transducer, adc: adc, input: 1, motor: ao1-quat, volts_per_amp: 0.165 }
  - { id: khoai1-am, kind: capacitive, adc: adc, input: 2, place: khoai1, dry: { volts: 2.42, vwc: 5 }, wet: { volts: 1.31, vwc: 45 } }
  - { id: khoai1-kk, kind: sht3x, bus: ao, address: 0x44, place: khoai1 }
  - { id: khoai1-kk-b, kind: sht4x, bus: ao, address: 0x45, place: khoai1 }
  - { id: khoai1-tram, kind: bme280, bus: ao, address: 0x76, place: khoai1 }
  - { id: khoai1-dat, kind: seesaw-soil, bus: ao, address: 0x36, place: khoai1 }
`

func now() time.Time { return time.Date(2026, 5, 10, 2, 0, 0, 0, time.UTC) }

// product is the server's API made up: what it says can be changed.
type product struct {
	*httptest.Server
	mu     sync.Mutex
	places []panel.ProductPlace
	status int
	asked  int
}

func newProduct(t *testing.T) *product {
	t.Helper()
	p := &product{status: http.StatusOK}
	mux := http.NewServeMux()
	send := func(w http.ResponseWriter, v any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked++
		w.WriteHeader(p.status)
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /api/places", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		v := map[string]any{"places": p.places}
		p.mu.Unlock()
		send(w, v)
	})
	mux.HandleFunc("GET /api/series", func(w http.ResponseWriter, _ *http.Request) {
		var steps []map[string]any
		for i := range 144 {
			st := map[string]any{"start": now().Add(time.Duration(i-144) * 10 * time.Minute)}
			if i < 60 || i > 80 { // a hole
				st["mean"] = 5 + float64(i)/50
			}
			steps = append(steps, st)
		}
		send(w, map[string]any{"series": []any{map[string]any{"sensor": "ao1-do", "steps": steps}}})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// say has the product say something of a sensor.
func (p *product) say(sensor string, q measure.Quantity, value float64, quality measure.Quality, reason measure.FaultReason, age time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := panel.ProductNewest{Quantity: q, Sensor: sensor, Gateway: "gw-ao", Time: now().Add(-age), Quality: quality.String(), Reason: reason}
	if quality != measure.Fault {
		n.Value = &value
	}
	if len(p.places) == 0 {
		p.places = []panel.ProductPlace{{Code: "F7NE3CDQ7", Name: "ao1", Title: "Ao số một", State: "fine"}}
	}
	list := p.places[0].Series
	for i := range list {
		if list[i].Sensor == sensor && list[i].Quantity == q {
			list[i] = n
			return
		}
	}
	p.places[0].Series = append(list, n)
}

// made is a field with its page.
type made struct {
	field   *field.Field
	product *product
	seen    *ledger.Newest
	said    *panel.Log
	mu      sync.Mutex
	at      time.Time
	server  *httptest.Server
	URL     string
}

func (m *made) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at
}

func (m *made) wait(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = m.at.Add(d)
}

func newMade(t *testing.T) *made {
	t.Helper()
	m := &made{product: newProduct(t), seen: ledger.NewNewest(nil), said: panel.NewLog(), at: now()}
	c, err := field.Parse("field.yaml", []byte(everything), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if m.field, err = field.New(c, field.Options{Now: m.now, Ledger: m.seen}); err != nil {
		t.Fatal(err)
	}
	m.field.Desk().Watch(func(told control.Told) { m.said.Note(m.now(), told) })
	server, err := panel.NewServer(m.product.URL, m.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	page, err := panel.New(panel.Options{
		Field: m.field, Desk: m.field.Desk(), Answers: m.seen, Product: server, Speed: 1, Said: m.said, Hosts: []string{"lop-hoc"},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: m.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	m.server = httptest.NewServer(page)
	m.URL = m.server.URL
	t.Cleanup(m.server.Close)
	return m
}

// truth is what is so.
func (m *made) truth(t *testing.T, place string, q measure.Quantity) float64 {
	t.Helper()
	v, ok := m.field.Truth(place, q, m.now())
	if !ok {
		t.Fatalf("no %s at %s", q, place)
	}
	return v
}

// answer has a chip answer.
func (m *made) answer(device string, q measure.Quantity, v float64, fault string) {
	m.seen.Record(ledger.Entry{Time: m.now(), Device: device, Quantity: q, Value: v, Fault: fault})
}

// visitor is a browser without a screen. It follows where it is led.
type visitor struct {
	t *testing.T
	m *made
	c *http.Client
}

func visit(t *testing.T, m *made) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, m, &http.Client{Jar: jar, Transport: m.server.Client().Transport}}
}

func (v *visitor) do(req *http.Request) (status int, body string, head http.Header) {
	v.t.Helper()
	res, err := v.c.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		v.t.Error(err)
	}
	return res.StatusCode, strings.ReplaceAll(string(raw), "&#43;", "+"), res.Header
}

func (v *visitor) get(path string) (status int, body string) {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodGet, v.m.URL+path, http.NoBody)
	if err != nil {
		v.t.Fatal(err)
	}
	status, body, _ = v.do(req)
	return status, body
}

func (v *visitor) post(form url.Values) (status int, body string) {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodPost, v.m.URL+"/do", strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body, _ = v.do(req)
	return status, body
}
