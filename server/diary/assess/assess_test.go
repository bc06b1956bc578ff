package assess_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/gateway/measure"
	"aovuon/server/calibration"
	"aovuon/server/diary"
	"aovuon/server/diary/assess"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/history"
)

const ao1, khoai1, ao4 = "F7NE3CDQ7", "WW08G83KH", "E8SG6VC0T"

// desk is what is on record, in memory.
type desk struct {
	t       *testing.T
	farm    *farm.Farm
	records []farm.Record
	events  []diary.Event
	asked   []diary.Query
	skip    func(hour time.Time) bool // hours without a value
	fails   error
	probes  map[string][]calibration.Entry
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, farm: f, records: []farm.Record{
		{Kind: farm.Cycle, ID: "fish", Values: form.Values{"place": ao1, "branch": "fish", "species": "x", "begin": "2026-05-01", "degree_days": 100.0}},
		{Kind: farm.Input, ID: "drug", Values: form.Values{"name": "Thuốc", "type": "drug", "unit": "g", "withdrawal_days": 1.0}},
		{Kind: farm.Input, ID: "karate", Values: form.Values{"name": "Karate", "type": "pesticide", "unit": "ml", "phi_days": 3.0}},
	}}
}

func (d *desk) Farm(context.Context) (*farm.Farm, error) { return d.farm, d.fails }

func (d *desk) Records(context.Context, farm.RecordKind) ([]farm.Record, error) {
	return d.records, nil
}

func (d *desk) Events(_ context.Context, q diary.Query) ([]diary.Event, error) {
	d.asked = append(d.asked, q)
	var out []diary.Event
	for _, e := range d.events {
		if (len(q.Places) == 0 || slices.Contains(q.Places, e.Place)) && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, e.Kind)) && !e.At().Before(q.From) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (d *desk) Calibrations(_ context.Context, _, sensor string, _ int) ([]calibration.Entry, error) {
	return d.probes[sensor], nil
}

// Range answers 20 °C for every hour that is not skipped.
func (d *desk) Range(_ context.Context, q history.Query) ([]history.Bucket, error) {
	if q.Place != ao1 || q.Quantity != measure.WaterTemperature || q.Every != time.Hour {
		d.t.Errorf("asked %+v", q)
	}
	var out []history.Bucket
	for h := q.From.Truncate(time.Hour); h.Before(q.To); h = h.Add(time.Hour) {
		if d.skip == nil || !d.skip(h) {
			out = append(out, history.Bucket{Start: h, N: 6, Mean: 20})
		}
	}
	return out, d.fails
}

func (d *desk) wrote(kind, place, input string, at time.Time) {
	d.events = append(d.events, diary.Event{
		ID: ulid.MustNew(uint64(len(d.events)+1), nil2{}).String(), Kind: kind, Place: place, Values: form.Values{"input": input, "amount": 1.0}, Occurred: at, Recorded: at, Synced: at,
	})
}

// nil2 is entropy of nothing.
type nil2 struct{}

func (nil2) Read(p []byte) (int, error) { return len(p), nil }

func day(d, hour int) time.Time { return time.Date(2026, 10, d, hour, 0, 0, 0, farm.Time()) }

func (d *desk) assessor(now time.Time) *assess.Assessor {
	return &assess.Assessor{Book: d, History: d, Calibrations: d, Settings: gate.Defaults(), Now: func() time.Time { return now }}
}

func TestVerdict_AddsUpTheDaysThatWereMeasured(t *testing.T) {
	d := newDesk(t)
	d.wrote(diary.Treatment, ao1, "drug", day(1, 6))
	free := func(now time.Time) gate.Harvest {
		t.Helper()
		v, err := d.assessor(now).Verdict(t.Context(), ao1)
		if err != nil {
			t.Fatal(err)
		}
		h, ok := v.Harvest(ao1, "fish")
		if !ok {
			t.Fatalf("%+v", v)
		}
		return h
	}
	if h := free(day(7, 0)); h.Unknown || !h.From.Equal(day(7, 0)) { // 5 days of 20 °C after 01/10
		t.Errorf("%+v", h)
	}
	if h := free(day(6, 23)); !h.Unknown {
		t.Errorf("%+v", h)
	}
	// Seven hours missing of a day are too many, six are not.
	missing := 7
	d.skip = func(h time.Time) bool { l := h.In(farm.Time()); return l.Day() == 3 && l.Hour() < missing }
	if h := free(day(7, 0)); !h.Unknown {
		t.Errorf("%+v", h)
	}
	missing = 6
	if h := free(day(7, 0)); h.Unknown {
		t.Errorf("%+v", h)
	}
}

func TestVerdict_OfAPondKnowsWhatIsSprayedBesideIt(t *testing.T) {
	d := newDesk(t)
	d.wrote(diary.Spraying, khoai1, "karate", day(1, 6))
	v, err := d.assessor(day(3, 9)).Verdict(t.Context(), ao4)
	if err != nil || !slices.ContainsFunc(v.Of(ao4), func(f gate.Finding) bool { return f.Rule == gate.DriftNear }) {
		t.Errorf("%+v, %v", v.Findings, err)
	}
	whole, err := d.assessor(day(3, 9)).Verdict(t.Context(), "")
	if err != nil || len(whole.Harvests) != len(d.farm.Places) || len(whole.Holds(khoai1, "")) != 1 {
		t.Errorf("%+v, %v", whole, err)
	}
}

func TestVerdict_SaysWhatFailed(t *testing.T) {
	d := newDesk(t)
	d.wrote(diary.Treatment, ao1, "drug", day(1, 6))
	d.fails = errors.New("the disk is gone")
	if _, err := d.assessor(day(7, 0)).Verdict(t.Context(), ao1); !errors.Is(err, d.fails) {
		t.Error(err)
	}
	// A history that does not answer is an error, never a day without a value.
	x := d.assessor(day(7, 0))
	v, err := x.Judge(t.Context(), gate.Case{Farm: d.farm, Records: d.records, Entries: diary.Entries(d.events), Now: day(7, 0)})
	if !errors.Is(err, d.fails) || !errors.Is(err, assess.ErrTemperatures) || len(v.Holds(ao1, "fish")) != 1 {
		t.Errorf("%v: %+v", err, v)
	}
}

func TestVerdict_ReadsTheNewestCalibration(t *testing.T) {
	d := newDesk(t)
	body := `{"format":"aovuon/calibration/1","sensor":"ao1-ph","quantity":"ph","verdict":"good","every_s":86400}`
	d.probes = map[string][]calibration.Entry{"ao1-ph": {
		{Sensor: "ao1-ph", Quantity: measure.PH, Time: day(1, 0), Body: body}, {Sensor: "ao1-ph", Quantity: measure.PH, Time: day(1, 0).AddDate(-1, 0, 0), Body: "no record"},
	}}
	v, err := d.assessor(day(3, 9)).Verdict(t.Context(), ao1)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(v.Findings, func(f gate.Finding) bool { return f.Rule == gate.CalibrationDue })
	if i < 0 || v.Findings[i].Args[0] != "ao1-ph" || !v.Findings[i].Args[1].(time.Time).Equal(day(2, 0)) {
		t.Errorf("%+v", v.Findings)
	}
}
