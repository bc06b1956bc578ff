package status_test

import (
	"context"
	"errors"
	"fmt"
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

	"aovuon/gateway/calibrate"
	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
	"aovuon/gateway/scan"
	"aovuon/gateway/status"
)

const pin = "20481234"

// made is a gateway made up: every quality, every reason a fault can have, a calibration in each phase.
type made struct {
	word  string // a person's, over an aerator
	mu    sync.Mutex
	at    time.Time
	snap  status.Snapshot
	scans int
	state *calibrate.State
	asked []any
}

func now() time.Time { return time.Date(2026, 11, 25, 3, 4, 5, 0, time.UTC) }

func newMade() *made {
	age := int64(12)
	m := &made{at: now(), snap: status.Snapshot{
		Gateway: "gw-ao-phukhe", Version: "v1.2.3", Server: "ssl://htx.example:8883", Time: now(), Clock: "synced", Uptime: 86400,
		Link: true, LinkFor: 7200, Receipts: 99, ReceiptAge: &age, Pending: 4, Sealed: 1, Bytes: 1 << 20, Health: "ok",
	}}
	add := func(sensor, bus string, q measure.Quantity, v float64, quality measure.Quality, reason measure.FaultReason, inputs string) {
		info, _ := q.Info()
		c := status.Channel{Sensor: sensor, Bus: bus, Quantity: q, Unit: info.Unit, Quality: quality.String(), Reason: string(reason), Inputs: inputs, Time: now(), Age: 7, For: 3700}
		if quality != measure.Fault {
			c.Value = &v
		}
		m.snap.Channels = append(m.snap.Channels, c)
	}
	add("ao1-temp", "ao-w1", measure.WaterTemperature, 28.44, measure.Good, "", "")
	add("ao1-do", "ao-i2c", measure.DissolvedOxygen, 5.61, measure.Estimated, "", "t=28.44@ao1-temp+12;s=0?;p=1013.25?")
	add("ao1-ph", "ao-i2c", measure.PH, 7.92, measure.Uncalibrated, "", "t=28.44@ao1-temp+720?")
	add("ao1-do", "ao-i2c", measure.OxygenSaturation, 71, measure.Good, "", "")
	add("ao1-level", "ao-485", measure.WaterLevel, 134.2, measure.Suspect, "", "")
	m.snap.Channels[4].Raw, m.snap.Channels[4].Why = new(134.9), "the same value for 6h"
	add("khoai1-am", "vuon-i2c", measure.SoilMoisture, 117, measure.OutOfRange, "", "")
	add("ao2-temp", "ao-w1", measure.WaterTemperature, 0, measure.Fault, measure.CRC, "")
	return m
}

func (m *made) options() status.Options {
	log := status.NewLog(2<<20, time.Hour)
	l := slog.New(log)
	l.Info("started", slog.Int("sensors", 6))
	l.Warn("sensor fault began", slog.String("sensor", "ao2-temp"), slog.String("reason", "crc"))
	due := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	return status.Options{
		Snapshot: func(context.Context) status.Snapshot { return m.snap },
		Targets: func() []calibrate.Target {
			return []calibrate.Target{
				{Sensor: "ao1-ph", Quantity: measure.PH, Kind: "ezo-ph", Methods: []calibrate.Method{calibrate.EZOPH}, Standing: calibrate.DueSoon, Due: &due},
				{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Kind: "ezo-do", Methods: []calibrate.Method{calibrate.EZODO, calibrate.Linear}, Standing: calibrate.Overdue},
			}
		},
		Desk: m, Log: log, PIN: pin, Hosts: []string{"aovuon"},
		Edge: func() edge.Status {
			return edge.Status{
				Aerators: []edge.AeratorStatus{
					{ID: "ao1-quat", Command: true, State: edge.IsFailed, Cause: edge.ByLow, Since: 90 * time.Second, Mode: edge.Auto},
					{ID: "ao2-quat", State: edge.IsOff, Cause: edge.ByPerson, Mode: edge.Off, ModeLeft: 25 * time.Minute, Relay: "pin GPIO99: no such pin"},
				},
				Alarms: []edge.AlarmStatus{
					{ID: "ao1-thieu-oxy", Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, On: true, Known: true},
					{ID: "ao1-nong", Sensor: "ao1-temp", Quantity: measure.WaterTemperature},
				},
			}
		},
		Override: func(_ context.Context, aerator string, mode edge.Mode, length time.Duration) error {
			if aerator != "ao1-quat" {
				return errors.New("no such aerator")
			}
			m.word = fmt.Sprintf("%s %s %v", aerator, mode, length)
			return nil
		},
		Now: func() time.Time { m.mu.Lock(); defer m.mu.Unlock(); return m.at },
		Scan: func(context.Context) (scan.Report, error) {
			m.scans++
			return scan.Report{
				Found: []scan.Found{
					{Bus: "ao-i2c", Address: 0x61, Kind: "ezo-do", Chip: "EZO-D.O., firmware 2.16", Sensor: "ao1-do"},
					{Bus: "ao-i2c", Address: 0x64, Kind: "ezo-ec", Chip: "EZO-EC, firmware 2.10"},
					{Bus: "ao-i2c", Address: 0x68, Chip: "unknown (often a battery-backed clock)"},
				},
				Trouble: []scan.Trouble{{Bus: "vuon-i2c", Err: "/dev/i2c-3 does not exist"}},
			}, nil
		},
	}
}

func (m *made) serve(t *testing.T) *httptest.Server {
	t.Helper()
	s, err := status.New(m.options())
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv
}

// The desk: it does what is asked and remembers it.
func (m *made) do(what any, change func(st *calibrate.State)) (calibrate.State, error) {
	m.asked = append(m.asked, what)
	if m.state == nil {
		return calibrate.State{}, &calibrate.Refusal{Code: "none", Text: "nobody is calibrating"}
	}
	if change != nil {
		change(m.state)
	}
	return *m.state, nil
}

func phSteps() []calibrate.Step {
	return []calibrate.Step{
		{Name: "mid", Text: "Rinse.", Asks: "the pH", Nominal: new(7.0), Least: 6.98, Most: 7.03, Buffer: true, Celsius: true},
		{Name: "low", Text: "Rinse.", Optional: true, Asks: "the pH", Nominal: new(4.0), Buffer: true},
	}
}

func (m *made) Begin(_ context.Context, b calibrate.Begin) (calibrate.State, error) {
	if b.Who == "" {
		return calibrate.State{}, &calibrate.Refusal{Code: "malformed", Text: "who: want a name"}
	}
	m.state = &calibrate.State{Version: 1, Sensor: b.Sensor, Quantity: measure.PH, Method: calibrate.EZOPH, Who: b.Who, Steps: phSteps(), Phase: calibrate.Asking}
	return m.do(b, nil)
}

func (m *made) State(context.Context, string, int) (calibrate.State, error) {
	if m.state == nil {
		return calibrate.State{}, &calibrate.Refusal{Code: "none", Text: "nobody is calibrating"}
	}
	return *m.state, nil
}

func (m *made) Answer(_ context.Context, _ string, a calibrate.Answer) (calibrate.State, error) {
	return m.do(a, func(st *calibrate.State) {
		if st.At++; st.At == len(st.Steps) {
			st.Phase, st.Verdict, st.Slope = calibrate.Review, calibrate.Good, new(98.4)
		}
	})
}

func (m *made) Finish(_ context.Context, _, note string) (calibrate.State, error) {
	return m.do(note, func(st *calibrate.State) { st.Phase = calibrate.Done })
}

func (m *made) Abort(context.Context, string) (calibrate.State, error) {
	return m.do("abort", func(st *calibrate.State) { st.Phase = calibrate.Aborted })
}

// visitor is a browser without a screen.
type visitor struct {
	t   *testing.T
	url string
	c   *http.Client
}

func visit(t *testing.T, srv *httptest.Server) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, srv.URL, &http.Client{Jar: jar}}
}

// reply is the head of an answer.
type reply struct {
	StatusCode int
	Status     string
	Header     http.Header
}

func (v *visitor) do(req *http.Request) (reply, string) {
	v.t.Helper()
	res, err := v.c.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		v.t.Error(err)
	}
	return reply{res.StatusCode, res.Status, res.Header}, string(body)
}

func (v *visitor) get(path string) (reply, string) {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodGet, v.url+path, http.NoBody)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(req)
}

func (v *visitor) post(path string, form url.Values) (reply, string) {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodPost, v.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(req)
}
