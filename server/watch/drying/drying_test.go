package drying_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/history"
	"aovuon/server/watch/drying"
	"aovuon/server/watch/rule"
)

var at = time.Date(2026, 12, 10, 15, 0, 0, 0, farm.Time())

// room is a shed in memory: what its probes read by how many hours ago it was.
type room struct {
	branch  string
	mounts  []farm.Mount
	batches []diary.Event
	heat    func(ago float64) (float64, bool)
	fails   error
}

func (r *room) Farm(context.Context) (*farm.Farm, error) {
	return &farm.Farm{Places: []farm.Place{{Code: "S", Kind: farm.Shed}, {Code: "A", Kind: farm.Plot}}, Mounts: r.mounts}, r.fails
}

func (r *room) Records(context.Context, farm.RecordKind) ([]farm.Record, error) {
	return []farm.Record{{Kind: farm.Cycle, ID: "c", Values: form.Values{"place": "S", "branch": r.branch, "begin": "2026-01-01"}}}, nil
}

func (r *room) Events(context.Context, diary.Query) ([]diary.Event, error) { return r.batches, nil }

func (r *room) Range(_ context.Context, q history.Query) (out []history.Bucket, err error) {
	for start := q.From.Truncate(time.Hour); start.Before(q.To); start = start.Add(q.Every) {
		v, ok := r.heat(at.Sub(start).Hours())
		if q.Quantity == measure.RelativeHumidity {
			v = 35
		}
		if ok {
			out = append(out, history.Bucket{Start: start, N: 60, Mean: v, Min: v, Max: v})
		}
	}
	return out, nil
}

func batch(begin, end float64, v form.Values) diary.Event {
	values := form.Values{"dry_begin": at.Add(-time.Duration(begin * float64(time.Hour))).Format(time.RFC3339), "lot_code": "L1"}
	if end >= 0 {
		values["dry_end"] = at.Add(-time.Duration(end * float64(time.Hour))).Format(time.RFC3339)
	}
	maps.Copy(values, v)
	return diary.Event{ID: "e" + values.Text("dry_begin"), Kind: diary.Batch, Place: "S", Cycle: "c", Values: values, Occurred: at.Add(-time.Duration(begin * float64(time.Hour)))}
}

func steady(v float64) func(float64) (float64, bool) {
	return func(float64) (float64, bool) { return v, true }
}

func TestRule_SaysHowABatchDries(t *testing.T) {
	for name, tc := range map[string]struct {
		branch string
		change func(*room)
		want   string
	}{
		"nothing dries":       {"herb", func(r *room) { r.batches = nil }, ""},
		"herbs, as they like": {"herb", func(*room) {}, "calm:runs,damp"},
		"herbs, too hot":      {"herb", func(r *room) { r.heat = steady(60.5) }, "warn:hot,damp>hot"},
		"herbs, at the limit": {"herb", func(r *room) { r.heat = steady(60) }, "calm:runs,damp"},
		"herbs, too cool":     {"herb", func(r *room) { r.heat = steady(39) }, "notice:cool,damp>cool"},
		"herbs, warming up":   {"herb", func(r *room) { r.heat, r.batches = steady(39), []diary.Event{batch(1.5, -1, nil)} }, "calm:runs,damp"},
		"bánh đa, hot":        {"process", func(r *room) { r.heat = steady(70) }, "calm:runs,damp"},
		"no probe":            {"herb", func(r *room) { r.mounts = nil }, "unknown:no_probe>no_probe"},
		"silent":              {"herb", func(r *room) { r.heat = func(ago float64) (float64, bool) { return 50, ago > 4 } }, "unknown:silent,damp>silent"},
		"never spoke":         {"herb", func(r *room) { r.heat = func(float64) (float64, bool) { return 0, false } }, "unknown:silent>silent"},
		"just begun": {"herb", func(r *room) {
			r.heat, r.batches = func(float64) (float64, bool) { return 0, false }, []diary.Event{batch(0.5, -1, nil)}
		}, "unknown:begun"},
		"forgotten":             {"herb", func(r *room) { r.batches = []diary.Event{batch(80, -1, nil)} }, "notice:forgotten>forgotten"},
		"nobody said how dry":   {"herb", func(r *room) { r.batches = []diary.Event{batch(20, 8, nil)} }, "notice:unweighed>unweighed"},
		"herbs at 13.5":         {"herb", func(r *room) { r.batches = []diary.Event{batch(20, 8, form.Values{"moisture_pct": 13.5})} }, "notice:moist>moist"},
		"bánh đa at 13.5":       {"process", func(r *room) { r.batches = []diary.Event{batch(20, 8, form.Values{"moisture_pct": 13.5})} }, "calm:dry"},
		"bánh đa at 14":         {"process", func(r *room) { r.batches = []diary.Event{batch(20, 8, form.Values{"moisture_pct": 14.0})} }, "calm:dry"},
		"bánh đa at 14.5":       {"process", func(r *room) { r.batches = []diary.Event{batch(20, 8, form.Values{"moisture_pct": 14.5})} }, "notice:moist>moist"},
		"long ago":              {"herb", func(r *room) { r.batches = []diary.Event{batch(220, 200, nil)} }, ""},
		"the newest counts":     {"herb", func(r *room) { r.batches = []diary.Event{batch(80, 60, nil), batch(6, -1, nil)} }, "calm:runs,damp"},
		"ends before it begins": {"herb", func(r *room) { r.batches = []diary.Event{batch(6, 9, nil)} }, ""},
		"to come":               {"herb", func(r *room) { r.batches = []diary.Event{batch(-4, -1, nil)} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &room{branch: tc.branch, heat: steady(52), batches: []diary.Event{batch(6, -1, nil)}, mounts: []farm.Mount{{Gateway: "g", Sensor: "kk", Place: "S", Measures: []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity}}}}
			tc.change(r)
			got, err := drying.New(r, r).Decide(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			if s := said(t, got); s != tc.want {
				t.Errorf("said %q, want %q", s, tc.want)
			}
		})
	}
}

func said(t *testing.T, all []rule.Decision) string {
	t.Helper()
	var out []string
	for _, d := range all {
		var why []string
		for _, r := range d.Why {
			if !slices.Contains(drying.Words(), "why."+r.Key) {
				t.Errorf("why.%s is not among the words", r.Key)
			}
			why = append(why, strings.TrimPrefix(r.Key, "drying_"))
		}
		s := string(d.Verdict) + ":" + strings.Join(why, ",")
		for _, r := range d.Do {
			if !slices.Contains(drying.Words(), "do."+r.Key) {
				t.Errorf("do.%s is not among the words", r.Key)
			}
			s += ">" + strings.TrimPrefix(r.Key, "drying_")
		}
		if d.Place != "S" || d.Topic != drying.Topic || d.Source.VI == "" {
			t.Errorf("%+v", d)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestRule_KeepsWhatABatchHad(t *testing.T) {
	r := &room{branch: "herb", batches: []diary.Event{batch(10, 4, form.Values{"moisture_pct": 12.0})}, mounts: []farm.Mount{{Gateway: "g", Sensor: "kk", Place: "S", Measures: []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity}}}}
	r.heat = func(ago float64) (float64, bool) { return 40 + ago, true }
	d := drying.New(r, r)
	if _, err := d.Decide(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	s, ok := d.Shed("S")
	if !ok || len(s.Batches) != 1 {
		t.Fatalf("%+v", s)
	}
	b := s.Batches[0]
	if !b.Herb || b.Lot != "L1" || b.Heat.Hours != 6 || b.Heat.Min != 45 || b.Heat.Max != 50 || b.Heat.Mean != 47.5 || b.Damp.Mean != 35 || b.Moisture != 12 || b.End.Sub(b.Begin) != 6*time.Hour {
		t.Errorf("%+v", b)
	}
	r.fails = errors.New("no database")
	if _, err := d.Decide(t.Context(), at); !errors.Is(err, r.fails) {
		t.Errorf("blind: %v", err)
	}
	if _, ok := d.Shed("S"); !ok {
		t.Error("what was found before is gone")
	}
	if _, ok := d.Shed("A"); ok {
		t.Error("a plot is a shed")
	}
}
