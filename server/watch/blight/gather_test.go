package blight_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/history"
	"aovuon/server/watch/blight"
	"aovuon/server/watch/rule"
)

const khoai1, khoai2, ao1 = "WW08G83KH", "77S9RTVPH", "F7NE3CDQ7"

// desk is what is on record and was measured, in memory.
type desk struct {
	farm    *farm.Farm
	records []farm.Record
	events  []diary.Event
	air     func(q history.Query, at time.Time) (v float64, quality measure.Quality, ok bool)
	asked   []history.Query
	fails   error
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	return &desk{farm: f, records: []farm.Record{
		{Kind: farm.Product, ID: "khoai", Values: form.Values{"name": "Khoai tây", "branch": "crop", "scientific": "Solanum tuberosum"}},
		{Kind: farm.Cycle, ID: "c1", Values: form.Values{"name": "Khoai tây ruộng 1", "place": khoai1, "branch": "crop", "species": "khoai tây", "variety": "Solara", "begin": "2026-09-28", "product": "khoai"}},
		{Kind: farm.Input, ID: "man", Values: form.Values{"name": "Mancozeb 80 WP", "type": "pesticide", "unit": "kg", "actives": []string{"mancozeb"}, "phi_days": 14.0, "registration_no": "1"}},
		{Kind: farm.Input, ID: "cym", Values: form.Values{"name": "Cymoxanil", "type": "pesticide", "unit": "kg", "actives": []string{"cymoxanil"}, "phi_days": 7.0, "registration_no": "2"}},
		{Kind: farm.Input, ID: "cyp", Values: form.Values{"name": "Cypermethrin 10 EC", "type": "pesticide", "unit": "l", "actives": []string{"cypermethrin"}, "phi_days": 14.0}},
		{Kind: farm.Input, ID: "mix", Values: form.Values{"name": "Thuốc pha chưa ghi", "type": "pesticide", "unit": "kg"}},
		{Kind: farm.Input, ID: "cop", Values: form.Values{"name": "Đồng oxyclorua", "type": "pesticide", "unit": "kg", "actives": []string{"Đồng oxyclorua"}}},
	}, air: func(q history.Query, _ time.Time) (float64, measure.Quality, bool) {
		if q.Quantity == measure.AirTemperature {
			return 18, measure.Good, true
		}
		return 60, measure.Good, true
	}}
}

func (d *desk) Farm(context.Context) (*farm.Farm, error) { return d.farm, d.fails }

func (d *desk) Records(context.Context, farm.RecordKind) ([]farm.Record, error) {
	return d.records, nil
}

func (d *desk) Events(_ context.Context, q diary.Query) ([]diary.Event, error) {
	var out []diary.Event
	for _, e := range d.events {
		if slices.Contains(q.Kinds, e.Kind) && !e.At().Before(q.From) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (d *desk) Range(_ context.Context, q history.Query) ([]history.Bucket, error) {
	d.asked = append(d.asked, q)
	var out []history.Bucket
	for h := q.From; h.Before(q.To); h = h.Add(q.Every) {
		if v, quality, ok := d.air(q, h); ok {
			out = append(out, history.Bucket{Start: h, N: 60, Mean: v, Worst: quality})
		}
	}
	return out, d.fails
}

func (d *desk) wrote(kind, place string, when time.Time, v form.Values) {
	id := fmt.Sprintf("%026d", len(d.events)+1)
	d.events = append(d.events, diary.Event{ID: id, Kind: kind, Place: place, Values: v, Occurred: when, Recorded: when, Synced: when})
}

func plotOf(t *testing.T, w *blight.Watch, place string, when time.Time) blight.Plot {
	t.Helper()
	list, err := w.Plots(t.Context(), when, place)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d plots, %v", len(list), err)
	}
	return list[0]
}

// Eight humid hours in quarters are eight hours: the history is asked by the hour, in local time.
func TestWatch_AsksByTheLocalHour(t *testing.T) {
	d := newDesk(t)
	d.wrote(diary.Planting, khoai1, at(10, 1, 9), form.Values{"density_m2": 5.0})
	d.air = func(q history.Query, h time.Time) (float64, measure.Quality, bool) {
		if q.Quantity == measure.AirTemperature {
			return 18, measure.Good, true
		}
		if local := h.In(farm.Time()).Hour(); local < 8 {
			return 95, measure.Good, true
		}
		return 60, measure.Good, true
	}
	p := plotOf(t, blight.New(d, d), khoai1, at(10, 18, 12))
	for _, q := range d.asked {
		if q.Every != time.Hour || q.Zone.String() != farm.Time().String() || !q.From.Equal(at(10, 14, 12)) {
			t.Errorf("asked %+v", q)
		}
	}
	if !p.Planted.Equal(at(10, 1, 0)) || len(p.Days) != 4 || p.Days[0].Humid != 8 || p.Days[0].Hutton != blight.Yes || p.Alarm != blight.Yes || p.Units.Lo != 8 {
		t.Errorf("%s: %d days, %+v, %+v", p.Planted, len(p.Days), p.Units, p.Days[0])
	}
	if !p.ClassSaid && p.Class != blight.Usual || p.ClassSaid {
		t.Errorf("class %s", p.Class)
	}
}

// A plot whose probe is silent borrows the hours of the nearest one in its zone, and says so; a value in doubt is no value.
func TestWatch_BorrowsFromTheZone(t *testing.T) {
	d := newDesk(t)
	d.wrote(diary.Planting, khoai1, at(10, 1, 9), form.Values{"density_m2": 5.0})
	whole := d.air
	d.air = func(q history.Query, h time.Time) (float64, measure.Quality, bool) {
		v, quality, ok := whole(q, h)
		return v, quality, ok && (q.Place != khoai1 || h.Before(at(10, 17, 0)))
	}
	p := plotOf(t, blight.New(d, d), khoai1, at(10, 19, 7))
	if len(p.Lenders) != 1 || p.Lenders[0].VI != "Ruộng khoai 2" || p.Days[1].Lent != 0 || p.Days[2].Lent != 24 || !p.Days[2].Known || !slices.Contains(keys(p.Why), "blight_lent") {
		t.Errorf("%v %+v", p.Lenders, p.Days[2])
	}
	d.air = func(q history.Query, h time.Time) (float64, measure.Quality, bool) {
		v, _, ok := whole(q, h)
		if h.Before(at(10, 17, 0)) || q.Quantity == measure.RelativeHumidity {
			return v, measure.Good, ok
		}
		return v, measure.Suspect, ok
	}
	p = plotOf(t, blight.New(d, d), khoai1, at(10, 19, 7))
	if p.Days[2].Known || p.Days[2].Measured != 0 || p.Alarm != blight.Unknown || len(p.Lenders) != 0 {
		t.Errorf("in doubt: %+v", p.Days[2])
	}
	d.farm.Mounts = nil
	p = plotOf(t, blight.New(d, d), khoai1, at(10, 30, 13))
	if p.Verdict != rule.Unknown || !slices.Contains(keys(p.Why), "blight_no_probe") {
		t.Errorf("no probe: %s %v", p.Verdict, keys(p.Why))
	}
}

// Only what stops late blight counts as a spray, corrected and voided entries as they stand; rain is the plot's own before the co-op's.
func TestWatch_ReadsTheDiary(t *testing.T) {
	d := newDesk(t)
	d.wrote(diary.Planting, khoai1, at(10, 3, 9), form.Values{})
	d.wrote(diary.Planting, khoai1, at(10, 1, 9), form.Values{})
	spray := func(day int, input, pest string) {
		d.wrote(diary.Spraying, khoai1, at(10, day, 16), form.Values{"input": input, "amount": 1.0, "pest": pest})
	}
	spray(16, "man", "mốc sương")
	spray(18, "cyp", "sâu xám")
	spray(19, "cyp", "mốc sương") // an insecticide stops no mould, whatever was written
	spray(20, "mix", "rệp")
	spray(21, "mix", "Sương mai")
	spray(22, "cop", "thán thư")
	d.wrote(diary.Spraying, khoai2, at(10, 24, 16), form.Values{"input": "man", "pest": "mốc sương"})
	spray(23, "man", "mốc sương")
	void := d.events[len(d.events)-1]
	d.wrote(diary.Void, khoai1, at(10, 23, 18), form.Values{"reason": "x"})
	d.events[len(d.events)-1].Corrects = void.ID
	d.wrote("weather", "", at(10, 23, 6), form.Values{"sky": "rain", "rain_mm": 12.0})
	d.wrote("weather", "", at(10, 23, 18), form.Values{"sky": "rain", "rain_mm": 15.0})
	d.wrote("weather", khoai2, at(10, 24, 6), form.Values{"rain_mm": 3.0}) // the same zone
	d.wrote("weather", "", at(10, 24, 6), form.Values{"rain_mm": 40.0})
	d.wrote("weather", ao1, at(10, 25, 6), form.Values{"rain_mm": 99.0}) // another zone
	d.wrote("weather", "", at(10, 26, 6), form.Values{"sky": "sun"})
	d.wrote("weather", "", at(10, 27, 6), form.Values{"sky": "cloud"})
	d.wrote("irrigation", khoai1, at(10, 28, 6), form.Values{"source": "rain", "mm": 7.5})
	d.wrote("irrigation", khoai1, at(10, 29, 6), form.Values{"source": "canal", "mm": 20.0})
	d.wrote("scouting", khoai1, at(10, 20, 6), form.Values{"pest": "mốc sương", "affected_pct": 0.0})
	d.wrote("scouting", khoai1, at(10, 21, 6), form.Values{"pest": "rệp", "affected_pct": 9.0})
	d.wrote("scouting", khoai1, at(10, 22, 6), form.Values{"pest": "Mốc  sương", "affected_pct": 2.0})

	p := plotOf(t, blight.New(voids{d}, d), khoai1, at(10, 30, 7))
	var counted []int
	for _, s := range p.Sprays {
		if s.Counts {
			counted = append(counted, s.Day.Day())
		}
	}
	if !slices.Equal(counted, []int{16, 21, 22}) {
		t.Errorf("sprays that count: %v", counted)
	}
	if p.Last == nil || p.Last.Day.Day() != 22 || p.Last.Product != "Đồng oxyclorua" || !p.Planted.Equal(at(10, 1, 0)) {
		t.Errorf("last %+v, planted %s", p.Last, p.Planted)
	}
	want := map[string]float64{"2026-10-23": 15, "2026-10-24": 3, "2026-10-26": 0, "2026-10-28": 7.5}
	if fmt.Sprint(p.Rain) != fmt.Sprint(want) {
		t.Errorf("rain %v, want %v", p.Rain, want)
	}
	if len(p.Seen) != 1 || p.Seen[0].Day.Day() != 22 || p.Seen[0].Share != 2 {
		t.Errorf("seen %+v", p.Seen)
	}
}

// voids hands out events of the kind void too, as the database does with what they correct.
type voids struct{ *desk }

func (v voids) Events(ctx context.Context, q diary.Query) ([]diary.Event, error) {
	q.Kinds = append(slices.Clone(q.Kinds), diary.Void)
	return v.desk.Events(ctx, q)
}

func TestWatch_WhichPlots(t *testing.T) {
	d := newDesk(t)
	list, err := blight.New(d, d).Plots(t.Context(), at(10, 5, 7))
	if err != nil || len(list) != 2 || list[0].Place.Code != khoai2 || list[0].Verdict != rule.Unknown || list[1].Verdict != rule.Calm {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, tt := range []struct {
		cycle, product form.Values
		want           bool
	}{
		{form.Values{"species": "khoai tây"}, nil, true},
		{form.Values{"species": "Khoai Tay Solara"}, nil, true},
		{form.Values{"species": "khoai lang"}, nil, false},
		{form.Values{"species": "sweet potato"}, nil, false},
		{form.Values{"species": "potato"}, nil, true},
		{form.Values{"species": "khoai"}, form.Values{"scientific": "solanum tuberosum"}, true},
		{form.Values{"species": "khoai tây"}, form.Values{"scientific": "Ipomoea batatas"}, false},
	} {
		if got := blight.IsPotato(farm.Record{Values: tt.cycle}, farm.Record{Values: tt.product}); got != tt.want {
			t.Errorf("%v %v: %v", tt.cycle, tt.product, got)
		}
	}
	// A season with a class of its own; over: none.
	d.records[1].Values["blight_class"] = "hr"
	if p := plotOf(t, blight.New(d, d), khoai1, at(10, 5, 7)); p.Class != blight.HighlyResistant || !p.ClassSaid {
		t.Errorf("%s", p.Class)
	}
	d.records[1].Values["end"] = "2026-10-04"
	if p := plotOf(t, blight.New(d, d), khoai1, at(10, 5, 7)); p.Cycle != "" || p.Verdict != rule.Unknown {
		t.Errorf("over: %+v", p)
	}
}

// The rule tells the board one decision for each plot, which runs out; a history that does not answer makes it blind.
func TestWatch_Decides(t *testing.T) {
	d := newDesk(t)
	d.wrote(diary.Planting, khoai1, at(10, 1, 9), form.Values{})
	d.air = func(q history.Query, _ time.Time) (float64, measure.Quality, bool) {
		if q.Quantity == measure.AirTemperature {
			return 18, measure.Good, true
		}
		return 96, measure.Good, true
	}
	w := blight.New(d, d)
	now := at(10, 22, 7)
	list, err := w.Decide(t.Context(), now)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	x := list[0]
	if x.Place != khoai1 || x.Verdict != rule.Warn || x.Rule != w.ID() || x.Topic != blight.Topic || !x.Until.After(now) || len(x.Why) == 0 || x.Source.VI == "" {
		t.Errorf("%+v", x)
	}
	if list[1].Place != khoai2 || list[1].Verdict != rule.Unknown {
		t.Errorf("%+v", list[1])
	}
	d.fails = errors.New("the disk is gone")
	if _, err := blight.New(d, d).Decide(t.Context(), now); !errors.Is(err, d.fails) {
		t.Error(err)
	}
}

// What was read is not read again at once; what a gateway handed in late is.
func TestWatch_RemembersHours(t *testing.T) {
	d := newDesk(t)
	d.wrote(diary.Planting, khoai1, at(10, 1, 9), form.Values{})
	late := false
	whole := d.air
	d.air = func(q history.Query, h time.Time) (float64, measure.Quality, bool) {
		v, quality, ok := whole(q, h)
		return v, quality, ok && (late || h.After(at(10, 18, 0)) || h.Before(at(10, 17, 0)))
	}
	w := blight.New(d, d)
	d.farm.Mounts = slices.DeleteFunc(d.farm.Mounts, func(m farm.Mount) bool { return m.Place == khoai2 })
	now := at(10, 24, 7)
	if p := plotOf(t, w, khoai1, now); p.Days[2].Known {
		t.Fatalf("%+v", p.Days[2])
	}
	d.asked, late = nil, true
	if p := plotOf(t, w, khoai1, now.Add(5*time.Minute)); len(d.asked) != 0 || p.Days[2].Known {
		t.Errorf("asked again at once: %v", d.asked)
	}
	p := plotOf(t, w, khoai1, now.Add(11*time.Minute))
	if len(d.asked) != 2 || !d.asked[0].From.Equal(at(10, 21, 7)) || p.Days[2].Known {
		t.Errorf("the last days are read again: %+v", d.asked)
	}
	if p := plotOf(t, w, khoai1, now.Add(13*time.Hour)); !p.Days[2].Known {
		t.Error("what came late is not known")
	}
}

// Spraying is tried on the gates: each product says from when may be harvested, and what is wrong with it.
func TestChoices(t *testing.T) {
	d := newDesk(t)
	d.wrote(diary.Receipt, "", at(10, 1, 8), form.Values{"input": "man", "amount": 5.0, "lot": "L1"})
	d.wrote(diary.Spraying, khoai2, at(10, 2, 8), form.Values{"input": "man", "amount": 1.5, "lot": "L1"}) // from the same bag
	c := gate.Case{Farm: d.farm, Records: d.records, Entries: diary.Entries(d.events), Settings: gate.Defaults(), Now: at(10, 20, 9)}
	list := blight.NewChooser(c).Choices(khoai1, "c1")
	var names []string
	for _, x := range list {
		names = append(names, x.Input.ID)
	}
	if !slices.Equal(names, []string{"cym", "man", "cop"}) {
		t.Fatalf("%v", names)
	}
	if !list[0].Harvest.From.Equal(at(10, 28, 0)) || !list[1].Harvest.From.Equal(at(11, 4, 0)) || list[1].Left != 3.5 || list[0].Left != 0 {
		t.Errorf("%+v %+v", list[0], list[1])
	}
	if !list[2].Harvest.Unknown || len(list[2].Found) == 0 || list[2].Found[0].Rule != gate.UnknownDays || list[2].Found[0].Cause != "" {
		t.Errorf("%+v", list[2])
	}
	if len(c.Entries) != 2 {
		t.Error("the case was changed")
	}
}

func TestFights(t *testing.T) {
	for text, want := range map[string]bool{
		"mancozeb": true, "Mancozeb 64 % + metalaxyl-M 4 %": true, "đồng hydroxit": true, "copper oxychloride": true, "Bordeaux": true, "Fosetyl-aluminium": true,
		"Chlorothalonil": true, "clorothalonil": true, "cypermethrin": false, "abamectin": false, "carbendazim": false, "hexaconazole": false, "validamycin": false, "": false,
	} {
		if got := blight.Fights(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
