package kind_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

// brackish is a pond whose oxygen is compensated with everything, and what is derived from it.
const brackish = `
buses:
  ao-i2c: { i2c: "1" }
  ao-w1: { w1: /sys/bus/w1/devices }
sensors:
  - { id: ao1-do, kind: ezo-do, bus: ao-i2c, address: 0x61, temperature: ao1-temp, salinity: ao1-man, pressure: ao1-kk,
      rate: 1.5, flat: { over: 6h }, filter: { median: 3 }, report: { change: 0.1 } }
  - { id: ao1-ph, kind: ezo-ph, bus: ao-i2c, address: 0x63, temperature: 28.5 }
  - { id: ao1-ec, kind: ezo-ec, bus: ao-i2c, address: 0x64, temperature: ao1-temp }
  - { id: ao1-kk, kind: bme280, bus: ao-i2c, address: 0x76, each: { air_temperature: { filter: { mean: 4 } } } }
  - { id: ao1-temp, kind: ds18b20, bus: ao-w1, device: 28-000000000001 }
derived:
  - { id: ao1-bao-hoa, kind: oxygen-saturation, oxygen: ao1-do, temperature: ao1-temp, salinity: ao1-man, pressure: ao1-kk }
  - { id: ao1-man, kind: salinity, conductivity: ao1-ec }
  - { id: ao1-nh3, kind: unionised-ammonia, ph: ao1-ph, temperature: ao1-temp, ammonia: 0.5, tested: 2026-11-20 }
  - { id: ao1-suong, kind: dew-point, humidity: ao1-kk, temperature: ao1-kk }
`

// whole is config with derived channels.
type whole struct {
	Buses   map[string]kind.BusSpec `yaml:"buses"`
	Sensors []kind.Spec             `yaml:"sensors"`
	Derived []kind.DerivedSpec      `yaml:"derived"`
}

func parseWhole(t *testing.T, text string) whole {
	t.Helper()
	var c whole
	if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return c
}

func brackishField() *field {
	f := newField()
	f.thermometer(1, at31)
	f.chips[0x61] = ezoChip("D.O.", "6.41", nil)
	f.chips[0x63] = ezoChip("pH", "7.3", nil)
	f.chips[0x64] = ezoChip("EC", "10000", nil)
	f.chips[0x76] = bmeChip()
	return f
}

func (c whole) build(t *testing.T, w *kind.Works, f *field) []sense.Channel {
	t.Helper()
	channels, err := w.Build(c.Sensors, f, c.Buses, kind.WithDerived(c.Derived))
	if err != nil {
		t.Fatal(err)
	}
	return channels
}

// round asks everything once and returns what came, by sensor and quantity.
func round(t *testing.T, st *sense.Station) map[string]measure.Reading {
	t.Helper()
	var sink taken
	if err := st.PollAll(t.Context(), &sink); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]measure.Reading)
	for _, r := range sink.all {
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
		out[r.Sensor+" "+string(r.Quantity)] = r
	}
	return out
}

func TestChain_InputsOfAnyChannelInOneRound(t *testing.T) {
	c, clk := parseWhole(t, brackish), clock()
	st := sense.NewStation(clk, c.build(t, kind.NewWorks(clk), brackishField()), quiet())
	got := round(t, st)
	if len(got) != 11 { // 7 from probes, 4 derived
		t.Errorf("%d readings: %v", len(got), got)
	}
	for key, want := range map[string]string{
		"ao1-do dissolved_oxygen":       "t=31.25@ao1-temp s=5.627@ao1-man p=1006.533@ao1-kk",
		"ao1-ph ph":                     "t=28.5",
		"ao1-ec conductivity":           "t=31.25@ao1-temp",
		"ao1-man salinity":              "c=10000@ao1-ec",
		"ao1-bao-hoa oxygen_saturation": "o=6.41@ao1-do t=31.25@ao1-temp s=5.627@ao1-man p=1006.533@ao1-kk",
		"ao1-nh3 unionised_ammonia":     "h=7.3@ao1-ph t=31.25@ao1-temp n=0.5@ao1-nh3",
		"ao1-suong dew_point":           "r=45.785@ao1-kk a=25.082@ao1-kk",
	} {
		r, ok := got[key]
		in, err := measure.ParseInputs(r.Inputs)
		if !ok || err != nil || r.Quality != measure.Good {
			t.Errorf("%s: %+v, %v", key, r, err)
		}
		var words []string
		for _, i := range in {
			if i.Age > 10*time.Second && i.Quantity != measure.TotalAmmonia { // nothing of the round before
				t.Errorf("%s: %+v", key, i)
			}
			text, _, _ := strings.Cut(measure.FormatInputs([]measure.Input{i}), "+")
			words = append(words, text)
		}
		if diff := cmp.Diff(want, strings.Join(words, " ")); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	if r := got["ao1-do dissolved_oxygen"]; !r.Filtered || r.Raw != 6.41 {
		t.Errorf("%+v", r)
	}
	if !got["ao1-kk air_temperature"].Filtered || got["ao1-kk relative_humidity"].Filtered {
		t.Error("each does not mean each")
	}
	if again := round(t, st); len(again) != 10 {
		t.Errorf("an oxygen that did not change was sent again: %v", again)
	}
}

// An air pressure of the morning is better than none; a salinity is not.
func TestChain_EveryInputHasItsAge(t *testing.T) {
	f, c, clk := brackishField(), parseWhole(t, strings.Replace(brackish, ", report: { change: 0.1 }", "", 1)), clock()
	st := sense.NewStation(clk, c.build(t, kind.NewWorks(clk), f), quiet())
	round(t, st)
	f.unplug(0x76, true)
	sleep := func(d time.Duration) measure.Reading {
		if err := clk.Sleep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		return round(t, st)["ao1-do dissolved_oxygen"]
	}
	if r := sleep(2*time.Hour + 50*time.Minute); r.Quality != measure.Good || !strings.Contains(r.Inputs, "p=1006.533@ao1-kk+10") {
		t.Errorf("%+v", r)
	}
	f.unplug(0x64, true)
	if r := sleep(20 * time.Minute); r.Quality != measure.Estimated || !strings.HasSuffix(r.Inputs, "?") || strings.Count(r.Inputs, "?") != 1 {
		t.Errorf("pressure of 3:10: %+v", r)
	}
	if r := sleep(45 * time.Minute); r.Quality != measure.Estimated || strings.Count(r.Inputs, "?") != 2 {
		t.Errorf("salinity of 1:05: %+v", r)
	}
}

// A channel that did not change keeps its filter, its doubts and what it reported; one that did begins anew.
func TestWorks_KeepTheStateOfWhatDidNotChange(t *testing.T) {
	f, clk := brackishField(), clock()
	w := kind.NewWorks(clk)
	c := parseWhole(t, brackish)
	channels := c.build(t, w, f)
	st := sense.NewStation(clk, channels, quiet())
	round(t, st)
	changed := parseWhole(t, strings.NewReplacer("temperature: 28.5", "temperature: 29", "ammonia: 0.5", "ammonia: 0.7").Replace(brackish))
	st.Replace(changed.build(t, w, f))
	before := make(map[string]sense.Channel)
	for _, ch := range channels {
		before[ch.ID] = ch
	}
	for _, ch := range st.Channels() {
		same := ch.Refine == before[ch.ID].Refine && ch.Sensor == before[ch.ID].Sensor
		if want := ch.ID != "ao1-ph" && ch.ID != "ao1-nh3"; same != want {
			t.Errorf("%s: the same channel: %v; want %v", ch.ID, same, want)
		}
	}
	got := round(t, st)
	if _, sent := got["ao1-do dissolved_oxygen"]; sent {
		t.Error("the oxygen forgot what it reported")
	}
	if r := got["ao1-ph ph"]; r.Inputs != "t=29" {
		t.Errorf("%+v", r)
	}
	if r := got["ao1-nh3 unionised_ammonia"]; !strings.Contains(r.Inputs, "n=0.7@") {
		t.Errorf("%+v", r)
	}
	// Another thermometer: what the old one said counts no more.
	other := parseWhole(t, strings.Replace(brackish, "28-000000000001", "28-000000000002", 1))
	st.Replace(other.build(t, w, f))
	if _, ok := w.Board().Input("ao1-temp", measure.WaterTemperature); ok {
		t.Error("the old thermometer's value is used")
	}
	// Gone sensors are forgotten.
	none := parseWhole(t, brackish)
	none.Derived = none.Derived[:2]
	st.Replace(none.build(t, w, f))
	for _, k := range w.Board().Latest() {
		if k.Sensor == "ao1-nh3" || k.Sensor == "ao1-suong" {
			t.Errorf("%+v", k)
		}
	}
}

// A twin is named once and counts for both.
func TestChain_TwinsDoubtEachOther(t *testing.T) {
	f, clk := brackishField(), clock()
	f.chips[0x65] = ezoChip("D.O.", "5.2", nil)
	c := parseWhole(t, strings.Replace(brackish, "  - { id: ao1-ph",
		"  - { id: ao1-do-b, kind: ezo-do, bus: ao-i2c, address: 0x65, temperature: ao1-temp, salinity: 5, pressure: 1010, twin: { sensor: ao1-do, apart: 0.5 } }\n  - { id: ao1-ph", 1))
	st := sense.NewStation(clk, c.build(t, kind.NewWorks(clk), f), quiet())
	round(t, st)
	got := round(t, st)
	for _, id := range []string{"ao1-do-b", "ao1-do"} {
		if r := got[id+" dissolved_oxygen"]; r.Quality != measure.Suspect {
			t.Errorf("%s: %+v", id, r)
		}
	}
	if r := got["ao1-bao-hoa oxygen_saturation"]; r.Quality != measure.Suspect {
		t.Errorf("%+v", r)
	}
}

func TestBuild_NamesWhatIsWrongInTheChain(t *testing.T) {
	const sensor, derived = false, true
	for name, tc := range map[string]struct {
		old, new    string
		derived     bool
		index       int
		field, says string
	}{
		"no such sensor":          {"salinity: ao1-man, pressure: ao1-kk,\n", "salinity: ao9-man, pressure: ao1-kk,\n", sensor, 0, "salinity", `no sensor "ao9-man"`},
		"another quantity":        {"pressure: ao1-kk,\n", "pressure: ao1-ph,\n", sensor, 0, "pressure", "a bme280"},
		"no pressure":             {"pressure: ao1-kk,\n", "pressure: 101.3,\n", sensor, 0, "pressure", "300 to 1100 hPa"},
		"no temperature":          {"temperature: 28.5", "temperature: 285", sensor, 1, "temperature", "-5 to 60"},
		"no number":               {"temperature: 28.5", "temperature: .nan", sensor, 1, "temperature", "-5 to 60"},
		"salinity of a pH":        {"temperature: 28.5", "salinity: 5", sensor, 1, "salinity", "remove it"},
		"asked too seldom":        {"device: 28-000000000001", "device: 28-000000000001, every: 30m", sensor, 0, "temperature", "at least every 10m0s"},
		"rate below zero":         {"rate: 1.5", "rate: -1", sensor, 0, "rate", "0 for any change"},
		"flat of nothing":         {"flat: { over: 6h }", "flat: { less_than: 0 }", sensor, 0, "flat.less_than", "a living probe"},
		"flat, negative":          {"flat: { over: 6h }", "flat: { over: -6h }", sensor, 0, "flat.over", "0s for never"},
		"flat without its time":   {"temperature: ao1-temp }\n  - { id: ao1-kk", "temperature: ao1-temp, flat: { less_than: 5 } }\n  - { id: ao1-kk", sensor, 2, "flat", "over: 24h"},
		"no filter":               {"filter: { median: 3 }", "filter: {}", sensor, 0, "filter", "{ median: 5 }"},
		"even median":             {"filter: { median: 3 }", "filter: { median: 4 }", sensor, 0, "filter.median", "odd number"},
		"mean of one":             {"filter: { median: 3 }", "filter: { mean: 1 }", sensor, 0, "filter.mean", "from 2 to 60"},
		"report of no change":     {"report: { change: 0.1 }", "report: { at_least: 5m }", sensor, 0, "report.change", "mg/L"},
		"report too seldom":       {"report: { change: 0.1 }", "report: { change: 0.1, at_least: 48h }", sensor, 0, "report.at_least", "up to 24h0m0s"},
		"twin of itself":          {"rate: 1.5", "twin: { sensor: ao1-do, apart: 1 }", sensor, 0, "twin.sensor", "another probe"},
		"no twin":                 {"rate: 1.5", "twin: { sensor: ao9-do, apart: 1 }", sensor, 0, "twin.sensor", `"ao9-do"`},
		"twin of another kind":    {"rate: 1.5", "twin: { sensor: ao1-ph, apart: 1 }", sensor, 0, "twin.sensor", "same quantity"},
		"twins of any distance":   {"rate: 1.5", "twin: { sensor: ao1-bao-hoa }", sensor, 0, "twin.sensor", "same quantity"},
		"several quantities":      {"each: { air_temperature: { filter: { mean: 4 } } }", "filter: { mean: 4 }", sensor, 3, "filter", "each: { air_temperature: { filter"},
		"each of another":         {"each: { air_temperature:", "each: { ph:", sensor, 3, "each.ph", "air_temperature, relative_humidity, air_pressure"},
		"each, wrong":             {"mean: 4", "mean: 400", sensor, 3, "each.air_temperature.filter.mean", "from 2 to 60"},
		"derived of no kind":      {"kind: salinity", "kind: salt", derived, 1, "kind", "oxygen-saturation, unionised-ammonia, salinity, dew-point, vapour-pressure-deficit, soil-water"},
		"derived twice":           {"id: ao1-nh3", "id: ao1-do", derived, 2, "id", "sensor 1 of the list"},
		"derived, one name":       {"id: ao1-suong", "id: ao1-nh3", derived, 3, "id", "derived channel 3"},
		"a number for a name":     {"id: ao1-suong", `id: "12"`, derived, 3, "id", "inputs may be numbers"},
		"main input left out":     {"oxygen: ao1-do, ", "", derived, 0, "oxygen", "computed from dissolved oxygen"},
		"main input is a number":  {"oxygen: ao1-do", "oxygen: 6", derived, 0, "oxygen", "a sensor"},
		"input left out":          {"humidity: ao1-kk, temperature: ao1-kk", "humidity: ao1-kk", derived, 3, "temperature", "the temperature of air"},
		"input of another":        {"conductivity: ao1-ec", "conductivity: ao1-ec, ph: ao1-ph", derived, 1, "ph", "remove it"},
		"input of water":          {"humidity: ao1-kk, temperature: ao1-kk", "humidity: ao1-kk, temperature: ao1-temp", derived, 3, "temperature", "does not measure the temperature of air"},
		"no day of the test":      {", tested: 2026-11-20", "", derived, 2, "tested", "the day of the test"},
		"no day":                  {"tested: 2026-11-20", "tested: 20/11/2026", derived, 2, "tested", "2026-11-20"},
		"day of no test":          {"conductivity: ao1-ec", "conductivity: ao1-ec, tested: 2026-11-20", derived, 1, "tested", "remove it"},
		"ammonia from a pH probe": {"ammonia: 0.5, tested: 2026-11-20", "ammonia: ao1-ph", derived, 2, "ammonia", "total ammonia"},
		"derived, refined wrong":  {"conductivity: ao1-ec", "conductivity: ao1-ec, filter: { median: 2 }", derived, 1, "filter.median", "odd"},
	} {
		text := strings.Replace(brackish, tc.old, tc.new, 1)
		if text == brackish {
			t.Fatalf("%s: nothing changed", name)
		}
		c := parseWhole(t, text)
		channels, err := kind.Build(c.Sensors, newField(), c.Buses, clock(), kind.WithDerived(c.Derived))
		var list kind.SpecErrors
		if channels != nil || !errors.As(err, &list) || len(list) == 0 {
			t.Errorf("%s: %v, %v", name, channels, err)
			continue
		}
		found := false
		for _, e := range list {
			found = found || e.Index == tc.index && e.Derived == tc.derived && e.Field == tc.field && strings.Contains(e.Error(), tc.says) && e.Mend != ""
		}
		if !found {
			t.Errorf("%s: want %s of %d to say %q:\n%v", name, tc.field, tc.index, tc.says, err)
		}
	}
}

func TestBuild_NothingIsComputedWithItself(t *testing.T) {
	for _, tc := range []struct {
		needs map[string]string
		want  string
	}{
		{map[string]string{"a": "b", "b": "c"}, ""},
		{map[string]string{"a": "c", "b": "c"}, ""},
		{map[string]string{"a": "a"}, "a needs a"},
		{map[string]string{"a": "b", "b": "c", "c": "b"}, "b needs c needs b"},
		{map[string]string{"a": "20", "b": "a"}, ""},
	} {
		got := kind.Circle(tc.needs, "a", "b", "c")
		if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%v: %q; want %q", tc.needs, got, tc.want)
		}
	}
}
