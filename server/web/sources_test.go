package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/calibration"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/history/historytest"
	"aovuon/server/privacy"
	"aovuon/server/trace"
	"aovuon/server/trace/scan"
	"aovuon/server/watch"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
	"aovuon/server/web"
)

// now is when every page of these tests is drawn.
func now() time.Time { return time.Date(2026, 11, 24, 7, 40, 12, 0, farm.Time()) }

// sources is a made-up co-op: the demo farm, a season of plausible water in memory, one lot.
type sources struct {
	gone time.Time // readings before were let go; zero: none were

	phone web.Phone // of the co-op; nil: none
	farm  *farm.Farm
	demo  trace.Demo
	live  *watch.Live

	clock  func() time.Time // of the pages; nil: now
	ranges atomic.Int64     // how often the history gave a range
	advice *rule.Board
	alarms []alarm.Alarm // open
	deaf   atomic.Bool   // alarms cannot be read

	ledger web.Ledger
	logKey web.LogKey

	mu       sync.Mutex
	failing  bool // the history and the database do not answer
	dossiers map[trace.Link]trace.Dossier
	gln      string
	twins    map[trace.Link]string // lots that share the short code of another one
	system   web.System
	people   []privacy.Shown
	items    map[string]trace.Item
	boxes    map[string]trace.Box
	goods    []trace.Goods
	ofBox    []trace.Goods // what was done with any box
	seen     scan.Facts
	scanned  []scan.Scanned
	said     []string // what readers said of where they are, and what staff changed
	reports  []scan.Report
	entries  []diary.Event // of the diary; nil: there is none
	records  []farm.Record
	shelf    web.Shelf
	lots     web.Lots // nil: sources itself
}

// demoEvidence weighs the season of the demo lot: the same for all tests, once.
var demoEvidence = sync.OnceValues(func() ([]trace.Evidence, error) {
	f, err := farm.Demo()
	if err != nil {
		return nil, err
	}
	demo, ok := trace.NewDemo(f, now())
	if !ok {
		return nil, errors.New("no demo lot")
	}
	return trace.Weigh(context.Background(), f, &sources{farm: f, demo: demo}, demo.Lot, now())
})

func newSources(t testing.TB) *sources {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	demo, ok := trace.NewDemo(f, now())
	if !ok {
		t.Fatal("no demo lot")
	}
	s := &sources{farm: f, demo: demo, live: watch.NewLive(), advice: rule.NewBoard(), system: madeUpSystem()}
	rows, err := demoEvidence()
	if err != nil {
		t.Fatal(err)
	}
	s.dossiers = map[trace.Link]trace.Dossier{demo.Lot.Link(): {
		Lot: demo.Lot, Product: demo.Product, Certificates: []trace.Certificate{demo.Certificate}, Evidence: slices.Clone(rows), Weighed: now().Add(-3 * time.Minute),
	}}
	s.live.Update(s.newest())
	db, p := newLedger(t, 12)
	s.ledger, s.logKey = db, web.LogKey{VKey: p.VKey(), Verifier: p.Verifier()}
	return s
}

func (s *sources) pages(t testing.TB) *httptest.Server {
	t.Helper()
	done := make(chan struct{})
	var evidence web.Evidence
	if e, ok := s.ledger.(web.Evidence); ok {
		evidence = e
	}
	var book web.Book
	if s.entries != nil {
		book = sourcesBook{s}
	}
	lots := s.lots
	if lots == nil {
		lots = s
	}
	board, foretold := foretell(t, s, s, now())
	h, err := web.New(web.Options{
		Board: board, Dawn: foretold,
		Soil: s.looked(t), Book: book, Shelf: s.shelf, Packed: s, Scans: s, Reports: s,
		Farm: s, Lots: lots, Names: s, GLN: s.gln, People: s, Calibrations: s, Ledger: s.ledger, Evidence: evidence, LogKey: s.logKey, Live: s.live, History: s, OpenPages: true, PublicURL: "https://tx.example.vn", HSTS: true, Now: s.time, Batches: madeUpBatches, Log: slog.New(slog.DiscardHandler), Done: done,
		Phone:  s.phone,
		CA:     &web.CA{PEM: []byte("pem\n"), DER: []byte("der"), Fingerprint: strings.TrimSuffix(strings.Repeat("AB:", 32), ":")},
		System: func(context.Context) (web.System, error) { return s.system, s.fail() },
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(func() { close(done); srv.Close() })
	return srv
}

func (s *sources) fail() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing {
		return errors.New("secret-dsn: connection refused")
	}
	return nil
}

func (s *sources) setFailing(v bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = v
}

func (s *sources) time() time.Time {
	if s.clock != nil {
		return s.clock()
	}
	return now()
}

func (s *sources) openAlarms(context.Context) ([]alarm.Alarm, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deaf.Load() {
		return nil, errors.New("secret-dsn: no alarms")
	}
	return slices.Clone(s.alarms), nil
}

// Producers is what the people of the lot agreed to.
func (s *sources) Producers(context.Context, []string) ([]privacy.Shown, error) {
	return s.people, s.fail()
}

func (s *sources) FarmRevision(context.Context) (string, error) { return "1", s.fail() }
func (s *sources) Farm(context.Context) (*farm.Farm, error)     { return s.farm, s.fail() }
func (s *sources) Lots(context.Context) ([]trace.Lot, error) {
	return []trace.Lot{s.demo.Lot}, s.fail()
}

// calibrations are the made-up ones of the first pond's probes, the newest first: pH overdue, oxygen in force, and one nobody
// can read.
func (s *sources) Calibrations(_ context.Context, _, sensor string, limit int) ([]calibration.Entry, error) {
	var out []calibration.Entry
	add := func(days int, body string) {
		e := calibration.New("gw", wire.Document{Kind: wire.DocCalibration, Body: body})
		e.Sensor, e.Time, e.Received = sensor, now().AddDate(0, 0, -days), now()
		if r, err := calibration.Read(body); err == nil {
			e.Quantity = r.Quantity
		}
		out = append(out, e)
	}
	switch sensor {
	case "ao1-ph":
		add(40, phRecord)
		add(75, phRecord)
		add(80, `{"format":"aovuon/calibration/1","sensor":"ao1-ph","quantity":"ph","verdict":"<script>alert(1)</script>","points":[]}`)
	case "ao1-do":
		add(4, `{"format":"aovuon/calibration/1","id":"0000000000000002","sensor":"ao1-do","quantity":"dissolved_oxygen","kind":"ezo-do","method":"ezo-do",
			"who":"Nguyễn Văn Tâm<b>","points":[{"name":"air","expected":7.83,"before":7.4,"after":7.83,"celsius":28}],"slope_percent":94.5,"verdict":"good","every_s":2592000}`)
	}
	return out[:min(limit, len(out))], s.fail()
}

const phRecord = `{"format":"aovuon/calibration/1","id":"0000000000000001","sensor":"ao1-ph","quantity":"ph","kind":"ezo-ph","method":"ezo-ph","who":"Lê Thị Hoa",
	"serial":"P-1","points":[{"name":"mid","nominal":7,"expected":6.994,"before":7.2,"after":6.99,"celsius":28.1,"lot":"L7","expiry":"2027-03"},
	{"name":"low","nominal":4,"expected":4.006,"before":4.1,"after":4.01,"celsius":28.1,"lot":"L4"}],
	"slope_percent":92.4,"offset":-11.2,"offset_unit":"mV","verdict":"worn","reasons":["acid slope 92.4 %: clean it"],"every_s":2592000,"note":"sau mưa"}`

func (s *sources) CalibrationAt(ctx context.Context, gateway, sensor string, q measure.Quantity, at time.Time) (calibration.Entry, bool, error) {
	list, err := s.Calibrations(ctx, gateway, sensor, 10)
	for _, e := range list {
		if e.Quantity == q && !e.Time.After(at) {
			return e, true, err
		}
	}
	return calibration.Entry{}, false, err
}

func (s *sources) Dossier(_ context.Context, l trace.Link) (trace.Dossier, error) {
	if err := s.fail(); err != nil {
		return trace.Dossier{}, err
	}
	d, ok := s.dossiers[l]
	if !ok {
		return trace.Dossier{}, trace.ErrUnknown
	}
	return d, nil
}

// Coded implements epcis.Lots.
func (s *sources) Coded(_ context.Context, code string) ([]trace.Link, error) {
	var out []trace.Link
	for l := range s.dossiers {
		if l.Lot == code {
			out = append(out, l)
		}
	}
	return out, s.fail()
}

// Shortened implements web.Names.
func (s *sources) Shortened(_ context.Context, code string) ([]trace.Link, error) {
	var out []trace.Link
	for l := range s.dossiers {
		if short, err := l.Short(); err == nil && short == code || s.twins[l] == code {
			out = append(out, l)
		}
	}
	return out, s.fail()
}

// LotRevision changes with whatever the page of a lot is drawn from.
func (s *sources) LotRevision(_ context.Context, l trace.Link) (string, error) {
	raw, err := json.Marshal([]any{s.dossiers[l], s.people, s.farm, s.goods})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), s.fail()
}

// Item, Box and GoodsOf are what was packed.
func (s *sources) Item(_ context.Context, serial string) (trace.Item, bool, error) {
	i, ok := s.items[serial]
	return i, ok, s.fail()
}

func (s *sources) Box(_ context.Context, sscc string) (trace.Box, bool, error) {
	b, ok := s.boxes[sscc]
	return b, ok, s.fail()
}

func (s *sources) GoodsOf(_ context.Context, of trace.Ref) ([]trace.Goods, error) {
	if of.Kind == trace.RefBox {
		return s.ofBox, s.fail()
	}
	return s.goods, s.fail()
}

// Scanned is what was seen of a code before.
func (s *sources) Scanned(_ context.Context, in scan.Scanned) scan.Facts {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scanned = append(s.scanned, in)
	return s.seen
}

func (s *sources) Note(in scan.Scanned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scanned = append(s.scanned, in)
}

func (s *sources) Say(in scan.Scanned, province string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, province+" "+in.Code)
}

func (s *sources) Changed(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, "changed "+code)
}

func (s *sources) AddReport(_ context.Context, r scan.Report) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, r)
	return nil
}

// water is the made-up value of a series at a time; ok is false where there is none.
func water(sr history.Series, at time.Time) (v float64, ok bool) {
	local := at.UTC().Add(7 * time.Hour)
	day := local.Sub(time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)).Hours() / 24
	if day < 0 || (day > 20.3 && day < 21.1) || (sr.Sensor == "ao2-ph" && day > 27) || (sr.Sensor == "khoai2-am" && day > 30.19) {
		return 0, false // no probe yet; no power; faults; silence
	}
	hour := float64(local.Hour()) + float64(local.Minute())/60
	sun := math.Sin((hour - 9) * math.Pi / 12) // greatest at 15
	drift := math.Sin(day/4.5) + 0.4*math.Sin(day*1.7+float64(len(sr.Sensor)))
	noise := math.Sin(day*977+float64(sr.Sensor[len(sr.Sensor)-1])) * 0.03
	number := 0.0 // of the pond or plot
	if i := strings.IndexAny(sr.Sensor, "0123456789"); i >= 0 {
		number = float64(sr.Sensor[i] - '0')
	}
	own, pond := math.Sin(number*2.4), 0.0
	if strings.HasPrefix(sr.Sensor, "ao3") {
		pond = -3.6
	}
	aerates := 0.0 // before dawn
	if hour > 2 && hour < 6.5 {
		aerates = 1
	}
	celsius := 23.5 - day*0.08 + 1.4*sun + 0.9*drift + 0.6*own + noise
	oxygen := math.Max(1.2, 6.3+2.2*sun+0.5*drift+0.7*own+pond*0.8+noise*4)
	v, ok = map[measure.Quantity]float64{
		measure.WaterTemperature: celsius,
		measure.DissolvedOxygen:  oxygen,
		measure.PH:               7.7 + 0.35*sun + 0.1*drift + 0.2*own + noise,
		measure.SoilMoisture:     34 - 9*math.Mod(day+number, 6)/6 + noise*6,
		measure.AirTemperature:   21 + 4.2*sun + 1.6*drift + 0.4*own + noise*8,
		measure.RelativeHumidity: 78 - 13*sun - 3*drift + noise*30,
		measure.AirPressure:      1013 + drift,
		measure.OxygenSaturation: 100 * oxygen * (31.6 + celsius) / 468, // a rule of thumb
		measure.SoilTemperature:  22 + 1.1*sun + 1.2*drift + noise,
		measure.SoilConductivity: 330 - 12*math.Mod(day+number, 6) + noise*60,
		measure.VapourDeficit:    math.Max(0.05, 0.75+0.6*sun+0.1*drift),
		measure.AeratorCommand:   aerates,
		measure.AeratorRunning:   aerates,
		measure.Current:          0.003 + aerates*(6.8+noise),
		measure.AlarmState:       0,
	}[sr.Quantity]
	return v, ok
}

func (s *sources) series() []history.Series {
	var out []history.Series
	for _, m := range s.farm.Mounts {
		for _, q := range m.Measures {
			out = append(out, history.Series{Place: m.Place, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor})
		}
	}
	return out
}

func (s *sources) newest() []watch.Value {
	var out []watch.Value
	for _, sr := range s.series() {
		at := now().Add(-time.Duration(len(sr.Sensor)) * 11 * time.Second)
		v, ok := water(sr, at)
		switch {
		case ok && sr.Sensor == "thuoc1-am":
			out = append(out, watch.Value{Series: sr, Time: at.UTC(), Value: v, Quality: measure.Uncalibrated})
		case ok:
			out = append(out, watch.Value{Series: sr, Time: at.UTC(), Value: v})
		case sr.Sensor == "ao2-ph":
			out = append(out, watch.Value{Series: sr, Time: at.UTC(), Quality: measure.Fault, Reason: measure.NoResponse})
		default:
			at = now().Add(-3*time.Hour - 20*time.Minute)
			v, _ = water(sr, at)
			out = append(out, watch.Value{Series: sr, Time: at.UTC(), Value: v})
		}
	}
	return out
}

func (s *sources) Latest(context.Context, []history.Series) ([]history.Point, error) {
	return nil, s.fail()
}

func (s *sources) Range(_ context.Context, q history.Query) ([]history.Bucket, error) {
	defer s.ranges.Add(1)
	if err := s.fail(); err != nil {
		return nil, err
	}
	var out []history.Bucket
	if q.Every == 0 { // every reading
		err := s.Each(context.Background(), q.Series, q.From, q.To, func(p history.Point) error { out = append(out, p.Bucket()); return nil })
		return out, err
	}
	for at := q.From; at.Before(q.To); at = at.Add(q.Every) {
		b := history.Bucket{Start: at, Min: math.Inf(1), Max: math.Inf(-1)}
		for i := range 6 {
			t := at.Add(q.Every * time.Duration(i) / 6)
			if v, ok := water(q.Series, t); ok && t.Before(q.To) {
				b.N++
				b.Min, b.Max, b.Mean = min(b.Min, v), max(b.Max, v), b.Mean+v
			}
		}
		if b.N > 0 {
			b.Mean /= float64(b.N)
			out = append(out, b)
		}
	}
	return out, nil
}

// Rollups are kept of the time before gone alone, whose readings were let go.
func (s *sources) Rollups(_ context.Context, _ history.Series, _ history.Span, from, to time.Time) (out []history.Rollup, err error) {
	if err := s.fail(); err != nil {
		return nil, err
	}
	for ; from.Before(to) && from.Before(s.gone); from = from.Add(time.Hour) {
		out = append(out, history.Rollup{Summary: history.Summary{From: from, To: from.Add(time.Hour)}, Gone: true})
	}
	return append(out, historytest.Unrolled(from, to)...), nil
}

func (s *sources) Each(_ context.Context, sr history.Series, from, to time.Time, f func(history.Point) error) error {
	if err := s.fail(); err != nil {
		return err
	}
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		if v, ok := water(sr, at); ok {
			if err := f(history.Point{Series: sr, Time: at, Value: v}); err != nil {
				return err
			}
		}
	}
	return nil
}

// set lets a new value of a sensor arrive.
func (s *sources) set(sensor string, q measure.Quantity, v float64, quality measure.Quality, reason measure.FaultReason) {
	all := s.series()
	sr := all[slices.IndexFunc(all, func(sr history.Series) bool { return sr.Sensor == sensor && sr.Quantity == q })]
	s.live.Update([]watch.Value{{Series: sr, Time: now().UTC(), Value: v, Quality: quality, Reason: reason}})
}

func madeUpSystem() web.System {
	at := now()
	return web.System{
		Started: at.Add(-51 * time.Hour), Version: "0.2.0", Database: "sqlite", History: "sqlite", Broker: "127.0.0.1:1883", LogEnd: 91234,
		Projections: []web.Projection{{Name: "live", Position: 91234}, {Name: "history", Position: 91112, Behind: 122, Err: "history engine unavailable: connection refused", Undated: 12}},
		Processes: []web.Process{
			{Name: "may-1 10.0.0.11:8080", Roles: []string{"ingest", "web", "project"}, Leads: []string{"alarms", "history", "ledger", "lots", "messages"}, Started: at.Add(-51 * time.Hour), Seen: at, Own: true, Version: "3f2a91c0de11 2026-11-20"},
			{Name: "may-2 10.0.0.12:8080", Roles: []string{"ingest", "web", "project"}, Started: at.Add(-26 * time.Hour), Seen: at, Trouble: "the disk is full"},
			{Name: "may-3 10.0.0.13:8080", Roles: []string{"ingest", "weigh"}, Leads: []string{"settings"}, Started: at.Add(-9 * time.Hour), Seen: at.Add(-4 * time.Minute), Silent: true},
		},
		Gateways: []web.Gateway{
			{
				ID: "gw-ao-phukhe", State: "online", Since: at.Add(-5 * time.Hour), Seen: at.Add(-20 * time.Second), Clock: "synced", Seq: 86412, Refused: 2,
				Settings: web.Settings{State: "refused", Version: 3, Wanted: 3, Why: "seal.every: every of 1ms: write a time from 100ms to 1h0m0s"},
			},
			{ID: "gw-vuon", State: "offline", Since: at.Add(-3 * time.Hour), Seen: at.Add(-3 * time.Hour), Clock: "estimated", Seq: 4822},
			{ID: "gw-moi"},
		},
		Refusals: []web.Refusal{
			{Gateway: "gw-ao-phukhe", Reason: "bad-signature", Count: 2, First: at.Add(-30 * time.Hour), Last: at.Add(-29 * time.Hour)},
			{Gateway: "", Reason: "unknown-gateway", Count: 1412, First: at.Add(-30 * time.Hour), Last: at.Add(-time.Minute)},
		},
		Samples: []web.Sample{
			{Gateway: "", Reason: "unknown-gateway", Detail: "no gateway <script>alert(1)</script> is enrolled", Received: at.Add(-time.Minute), Size: 1048576},
			{Gateway: "gw-ao-phukhe", Reason: "bad-signature", Detail: "signature of gw-ao-phukhe does not verify", Received: at.Add(-29 * time.Hour), Size: 812},
		},
	}
}
