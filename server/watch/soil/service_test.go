package soil_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/history"
	"aovuon/server/watch/soil"
)

var at = time.Date(2026, 12, 10, 7, 20, 0, 0, farm.Time())

// field is a co-op in memory: a farm, a register, a diary, and what probes measured as functions of how many hours ago it was.
type field struct {
	farm    *farm.Farm
	records []farm.Record
	events  []diary.Event
	series  map[string]func(ago float64) (float64, bool) // by sensor and quantity
	worst   map[string]measure.Quality
	fails   error
}

func (f *field) Farm(context.Context) (*farm.Farm, error) { return f.farm, f.fails }

func (f *field) Records(_ context.Context, kind farm.RecordKind) (out []farm.Record, err error) {
	for _, r := range f.records {
		if r.Kind == kind {
			out = append(out, r)
		}
	}
	return out, nil
}

func (f *field) Events(_ context.Context, q diary.Query) (out []diary.Event, err error) {
	for _, e := range f.events {
		if !e.At().Before(q.From) && e.At().Before(q.To) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (f *field) Range(_ context.Context, q history.Query) (out []history.Bucket, err error) {
	read, ok := f.series[q.Sensor+" "+string(q.Quantity)]
	if !ok {
		return nil, nil
	}
	for start := q.From; start.Before(q.To); start = start.Add(q.Every) {
		if v, ok := read(at.Sub(start).Hours()); ok {
			out = append(out, history.Bucket{Start: start, N: 60, Min: v, Mean: v, Max: v, Worst: f.worst[q.Sensor]})
		}
	}
	return out, nil
}

func steady(v float64) func(float64) (float64, bool) {
	return func(float64) (float64, bool) { return v, true }
}

// until is a value that stopped coming so many hours ago.
func until(v, hours float64) func(float64) (float64, bool) {
	return func(ago float64) (float64, bool) { return v, ago > hours }
}

// oneField is a farm of one plot of potato with a soil probe and the air's, and a pond with a level.
func oneField() *field {
	day := func(n int) string { return at.AddDate(0, 0, n).Format(time.DateOnly) }
	return &field{
		farm: &farm.Farm{
			Places: []farm.Place{
				{Code: "A", Kind: farm.Plot, Zone: "z1", AreaM2: 1000, Ground: farm.Ground{Texture: "silt_loam"}},
				{Code: "P", Kind: farm.Pond, Zone: "z2"},
			},
			Mounts: []farm.Mount{
				{Gateway: "g", Sensor: "am", Place: "A", Measures: []measure.Quantity{measure.SoilMoisture}},
				{Gateway: "g", Sensor: "kk", Place: "A", Measures: []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity}},
				{Gateway: "g", Sensor: "muc", Place: "P", Measures: []measure.Quantity{measure.WaterLevel}},
			},
		},
		records: []farm.Record{{Kind: farm.Cycle, ID: "c1", Values: form.Values{"name": "Khoai", "place": "A", "branch": "crop", "species": "khoai tây", "begin": day(-50), "end": day(45)}}},
		series: map[string]func(float64) (float64, bool){
			"am soil_moisture": steady(27), "kk air_temperature": func(ago float64) (float64, bool) { return 20 + 5*float64(int(ago)%24)/24, true },
			"kk relative_humidity": steady(80), "muc water_level": steady(120),
		},
		worst: map[string]measure.Quality{},
	}
}

func event(kind, place, cycle string, daysAgo float64, v form.Values) diary.Event {
	when := at.Add(-time.Duration(daysAgo * 24 * float64(time.Hour)))
	return diary.Event{ID: kind + place + when.String(), Kind: kind, Place: place, Cycle: cycle, Values: v, Occurred: when, Synced: when}
}

func TestService_ReadsAPlot(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*field)
		check  func(*soil.Field) bool
	}{
		"as it is": {func(*field) {}, func(f *soil.Field) bool {
			return f.Lacks == "" && f.Moisture == 27 && f.Method == soil.PenmanMonteith && len(f.Air) == 3 && f.AirFrom.Code == "A" && f.Assumed && f.Estimated && f.Probe == "g/am" && !f.Season.Estimated
		}},
		"planted later than the season began": {func(f *field) {
			f.events = append(f.events, event(diary.Planting, "A", "c1", 40, nil))
		}, func(f *soil.Field) bool { return f.Season.Planted.Equal(farm.Midnight(at.AddDate(0, 0, -40))) }},
		"an entry that was taken back": {func(f *field) {
			e := event(diary.Planting, "A", "c1", 40, nil)
			v := event(diary.Void, "A", "c1", 39, form.Values{"reason": "x"})
			v.Corrects = e.ID
			f.events = append(f.events, e, v)
		}, func(f *soil.Field) bool { return f.Season.Planted.Equal(farm.Midnight(at.AddDate(0, 0, -50))) }},
		"the last harvest is in": {func(f *field) {
			f.events = append(f.events, event(diary.Harvest, "A", "c1", 2, form.Values{"final": true}))
		}, func(f *soil.Field) bool { return f.Season == nil && f.Fallow }},
		"one harvest of several": {func(f *field) {
			f.events = append(f.events, event(diary.Harvest, "A", "c1", 2, nil))
		}, func(f *soil.Field) bool { return f.Season != nil }},
		"no last day": {func(f *field) { delete(f.records[0].Values, "end") }, func(f *soil.Field) bool {
			return f.Season.Estimated && f.Season.Harvest.Equal(farm.Midnight(at.AddDate(0, 0, 45)))
		}},
		"a perennial": {func(f *field) {
			f.records[0].Values["perennial"], f.records[0].Values["branch"], f.records[0].Values["species"] = true, "herb", "đinh lăng"
			delete(f.records[0].Values, "end")
		}, func(f *soil.Field) bool { return f.Season.Perennial && f.Season.Key == "herb" && f.Kc == 1.1 }},
		"by the product's name": {func(f *field) {
			f.records[0].Values["product"], f.records[0].Values["species"] = "p1", "Marabel"
			f.records = append(f.records, farm.Record{Kind: farm.Product, ID: "p1", Values: form.Values{"scientific": "Solanum tuberosum"}})
		}, func(f *soil.Field) bool { return f.Season.Key == "potato" }},
		"a season to come": {func(f *field) {
			f.records[0].Values["begin"] = at.AddDate(0, 0, 2).Format(time.DateOnly)
		}, func(f *soil.Field) bool { return f.Season == nil && !f.Fallow }},
		"no probe":    {func(f *field) { f.farm.Mounts = f.farm.Mounts[1:] }, func(f *soil.Field) bool { return f.Lacks == soil.NoProbe }},
		"taken off":   {func(f *field) { f.farm.Mounts[0].To = at.Add(-time.Hour) }, func(f *soil.Field) bool { return f.Lacks == soil.NoProbe }},
		"silent":      {func(f *field) { f.series["am soil_moisture"] = until(27, 5.2) }, func(f *soil.Field) bool { return f.Lacks == soil.Silent && !f.Newest.IsZero() }},
		"hardly late": {func(f *field) { f.series["am soil_moisture"] = until(27, 3.2) }, func(f *soil.Field) bool { return f.Lacks == "" }},
		"never spoke": {func(f *field) { delete(f.series, "am soil_moisture") }, func(f *soil.Field) bool { return f.Lacks == soil.Silent && f.Newest.IsZero() }},
		"suspect":     {func(f *field) { f.worst["am"] = measure.Suspect }, func(f *soil.Field) bool { return f.Suspect }},
		"uncalibrated is what soil probes are": {
			func(f *field) { f.worst["am"] = measure.Uncalibrated },
			func(f *soil.Field) bool { return !f.Suspect && f.Lacks == "" },
		},
		"no ground": {func(f *field) { f.farm.Places[0].Ground = farm.Ground{} }, func(f *soil.Field) bool { return f.Lacks == soil.NoGround }},
		"its own capacity": {
			func(f *field) {
				f.farm.Places[0].Ground.FieldCapacity, f.farm.Places[0].Ground.Probe = 33, "g/am"
			},
			func(f *soil.Field) bool {
				return !f.Estimated && f.Holds.FieldCapacity == 33 && f.Holds.WiltingPoint == 19
			},
		},
		"its probe was replaced": {
			func(f *field) {
				f.farm.Places[0].Ground.FieldCapacity, f.farm.Places[0].Ground.Probe = 33, "g/old"
			},
			func(f *soil.Field) bool {
				return f.Replaced && f.Estimated && f.Holds.FieldCapacity == 29 && f.Lacks == ""
			},
		},
		"replaced, no texture": {
			func(f *field) {
				f.farm.Places[0].Ground = farm.Ground{FieldCapacity: 33, WiltingPoint: 15, Probe: "g/old"}
			},
			func(f *soil.Field) bool { return f.Lacks == soil.Moved },
		},
		"two probes": {func(f *field) {
			f.farm.Mounts = append(f.farm.Mounts, farm.Mount{Gateway: "g", Sensor: "dat", Place: "A", Measures: []measure.Quantity{measure.SoilMoisture}})
			f.series["dat soil_moisture"] = steady(17)
		}, func(f *soil.Field) bool { return f.Moisture == 22 && f.Spread == 10 && f.Probe == "" }},
		"two probes, one knows the soil": {func(f *field) {
			f.farm.Mounts = append(f.farm.Mounts, farm.Mount{Gateway: "g", Sensor: "dat", Place: "A", Measures: []measure.Quantity{measure.SoilMoisture}})
			f.series["dat soil_moisture"] = steady(17)
			f.farm.Places[0].Ground.FieldCapacity, f.farm.Places[0].Ground.Probe = 33, "g/dat"
		}, func(f *soil.Field) bool { return f.Moisture == 17 && f.Probe == "g/dat" }},
		"two probes, one is silent": {func(f *field) {
			f.farm.Mounts = append(f.farm.Mounts, farm.Mount{Gateway: "g", Sensor: "dat", Place: "A", Measures: []measure.Quantity{measure.SoilMoisture}})
			f.series["dat soil_moisture"] = until(17, 9)
		}, func(f *soil.Field) bool { return f.Moisture == 27 && f.Spread == 0 && f.Lacks == "" }},
		"air without humidity": {func(f *field) { delete(f.series, "kk relative_humidity") }, func(f *soil.Field) bool { return f.Method == soil.Hargreaves }},
		"air with holes": {func(f *field) {
			f.series["kk air_temperature"] = func(ago float64) (float64, bool) { return 20, int(ago)%24 < 18 }
		}, func(f *soil.Field) bool { return f.Method == "" && len(f.Air) == 0 }},
		"the pond's air": {func(f *field) {
			f.farm.Mounts[1].Place = "P"
		}, func(f *soil.Field) bool { return f.AirFrom.Code == "P" && f.Method == soil.PenmanMonteith }},
		"a shed's air is none": {func(f *field) {
			f.farm.Places[1].Kind, f.farm.Mounts[1].Place = farm.Shed, "P"
		}, func(f *soil.Field) bool { return f.Method == "" }},
		"rain and irrigation": {func(f *field) {
			f.events = append(f.events, event("weather", "", "", 1, form.Values{"rain_mm": 42.0}), event("weather", "P", "", 1, form.Values{"rain_mm": 9.0}),
				event("irrigation", "A", "c1", 6, form.Values{"minutes": 90.0}), event("irrigation", "A", "c1", 4, form.Values{"volume_m3": 20.0}), event("irrigation", "B", "c2", 1, nil))
		}, func(f *soil.Field) bool {
			return len(f.Rain) == 1 && f.Rain[0].MM == 42 && f.Irrigated != nil && f.Irrigated.MM == 20 && f.Irrigated.At.Equal(at.AddDate(0, 0, -4))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := oneField()
			tc.change(f)
			s := soil.New(f, f)
			if _, err := s.Decide(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			got, ok := s.Report().Field("A")
			if !ok || !tc.check(got) {
				got.Hours = nil
				t.Errorf("%+v\n%+v", got, got.Season)
			}
		})
	}
}

func TestService_WaterThatRises(t *testing.T) {
	for name, tc := range map[string]struct {
		read func(float64) (float64, bool)
		want bool
	}{
		"still":        {steady(120), false},
		"12 cm":        {func(ago float64) (float64, bool) { return 120 - ago/2, true }, true},
		"9 cm":         {func(ago float64) (float64, bool) { return 120 - 9*ago/24, true }, false},
		"falls":        {func(ago float64) (float64, bool) { return 120 + ago, true }, false},
		"silent":       {func(ago float64) (float64, bool) { return 120 - ago/2, ago > 6 }, false},
		"since 10 h":   {func(ago float64) (float64, bool) { return 120 - 2*ago, ago < 10 }, false},
		"never spoken": {func(float64) (float64, bool) { return 0, false }, false},
	} {
		f := oneField()
		f.series["muc water_level"] = tc.read
		decisions, err := soil.New(f, f).Decide(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		got := false
		for _, d := range decisions {
			got = got || d.Topic == soil.Flood && d.Place == "P"
		}
		if got != tc.want {
			t.Errorf("%s: said %t", name, got)
		}
	}
}

// A store that does not answer makes the rule blind, and what was found before stays for the pages.
func TestService_BlindIsAnError(t *testing.T) {
	f := oneField()
	s := soil.New(f, f)
	if _, err := s.Decide(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	f.fails = errors.New("no database")
	if _, err := s.Decide(t.Context(), at.Add(time.Hour)); !errors.Is(err, f.fails) || !strings.Contains(err.Error(), "soil") {
		t.Errorf("%v", err)
	}
	if r := s.Report(); !r.At.Equal(at) || len(r.Fields) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestService_NowLooksAtOnePlotAgain(t *testing.T) {
	f := oneField()
	s := soil.New(f, f)
	if _, err := s.Decide(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	before, _ := s.Report().Field("A")
	f.farm.Places[0].Ground.FieldCapacity = 35
	got, ok, err := s.Now(t.Context(), "A", at)
	if after, _ := s.Report().Field("A"); err != nil || !ok || got != after || after.Holds.FieldCapacity != 35 || before.Holds.FieldCapacity != 29 {
		t.Errorf("%+v, %t, %v", got, ok, err)
	}
	if _, ok, err := s.Now(t.Context(), "P", at); ok || err != nil {
		t.Errorf("a pond: %t, %v", ok, err)
	}
}

func BenchmarkService_Decide40Plots(b *testing.B) {
	f := oneField()
	plot, probe := f.farm.Places[0], f.farm.Mounts[0]
	for i := range 39 {
		plot.Code, probe.Place = "A"+string(rune('a'+i/26))+string(rune('a'+i%26)), "A"+string(rune('a'+i/26))+string(rune('a'+i%26))
		f.farm.Places, f.farm.Mounts = append(f.farm.Places, plot), append(f.farm.Mounts, probe)
	}
	s := soil.New(f, f)
	for b.Loop() {
		if _, err := s.Decide(b.Context(), at); err != nil {
			b.Fatal(err)
		}
	}
}
