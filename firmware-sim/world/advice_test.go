package world_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/history"
	"aovuon/server/watch/rule"
	"aovuon/server/watch/soil"
)

// The winter potato that is watered by the server's advice (server/watch/soil) instead of by its household.
var (
	planted   = time.Date(2026, time.October, 28, 0, 0, 0, 0, farm.Time())
	harvested = time.Date(2027, time.February, 3, 0, 0, 0, 0, farm.Time())
)

// adviser is a co-op of one plot whose probes read the world, with an error of the soil probe.
type adviser struct {
	t     testing.TB
	w     *world.World
	place farm.Place
	bias  float64 // percent of the volume that the probe reads too much
	known map[string]float64
}

func (a *adviser) Farm(context.Context) (*farm.Farm, error) {
	return &farm.Farm{Places: []farm.Place{a.place}, Mounts: []farm.Mount{
		{Gateway: "g", Sensor: "am", Place: "A", Measures: []measure.Quantity{measure.SoilMoisture}},
		{Gateway: "g", Sensor: "kk", Place: "A", Measures: []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity}},
	}}, nil
}

func (a *adviser) Records(_ context.Context, kind farm.RecordKind) ([]farm.Record, error) {
	if kind != farm.Cycle {
		return nil, nil
	}
	return []farm.Record{{Kind: farm.Cycle, ID: "c", Values: form.Values{
		"name": "Khoai", "place": "A", "branch": "crop", "species": "khoai tây", "begin": planted.Format(time.DateOnly), "end": harvested.Format(time.DateOnly),
	}}}, nil
}

func (a *adviser) Events(context.Context, diary.Query) ([]diary.Event, error) { return nil, nil }

// Range reads the world at the middle of every hour. What was read once is kept: what is done later changes nothing of it.
func (a *adviser) Range(_ context.Context, q history.Query) (out []history.Bucket, err error) {
	for start := q.From; start.Before(q.To); start = start.Add(q.Every) {
		key := string(q.Quantity) + start.UTC().Format(time.RFC3339)
		v, ok := a.known[key]
		if !ok {
			v = value(a.t, a.w, "khoai1", q.Quantity, start.Add(q.Every/2))
			if q.Quantity == measure.SoilMoisture {
				v += a.bias
			}
			a.known[key] = v
		}
		out = append(out, history.Bucket{Start: start, N: 60, Min: v, Mean: v, Max: v})
	}
	return out, nil
}

// press takes the field capacity off the probe on the first morning that nothing speaks against it.
func (a *adviser) press(s *soil.Service, at time.Time) {
	readings, err := s.Capacities(a.t.Context(), a.place, at)
	if err != nil || len(readings) != 1 {
		a.t.Fatalf("%+v, %v", readings, err)
	}
	if len(readings[0].Doubts) == 0 {
		a.place.Ground.FieldCapacity, a.place.Ground.Probe = readings[0].Moisture, readings[0].Probe
	}
}

// season waters a plot for a season: it returns what is left of the yield and how much water was given, mm, in how many turns.
func (a *adviser) season(button bool) (yield, given float64, turns int) {
	s := soil.New(a, a)
	act(a.t, a.w, world.Action{At: planted.Add(6 * time.Hour), Place: "khoai1", Kind: world.Plant, What: "potato"})
	for at := planted.Add(30 * time.Hour); at.Before(harvested.Add(-24 * time.Hour)); at = at.AddDate(0, 0, 1) {
		if button && a.place.Ground.Probe == "" {
			a.press(s, at)
		}
		decisions, err := s.Decide(a.t.Context(), at)
		if err != nil {
			a.t.Fatal(err)
		}
		f, _ := s.Report().Field("A")
		for _, d := range decisions {
			switch {
			case d.Topic == soil.Irrigation && d.Verdict == rule.Notice && f.GiveMM >= 1:
				act(a.t, a.w, world.Action{At: at, Place: "khoai1", Kind: world.Irrigate, Amount: f.GiveMM, For: 150 * time.Minute})
				given, turns = given+f.GiveMM, turns+1
			case d.Topic == soil.Waterlogging && (d.Verdict == rule.Notice || d.Verdict == rule.Warn):
				act(a.t, a.w, world.Action{At: at, Place: "khoai1", Kind: world.Drain, Amount: 1, For: 24 * time.Hour})
			}
		}
	}
	return value(a.t, a.w, "khoai1", world.YieldShare, harvested.Add(-time.Hour)), given, turns
}

// usual lets the household of the simulator do as it does: it knows the water of every layer.
func usual(t testing.TB, w *world.World) (yield, given float64, turns int) {
	on := false
	for at := planted; at.Before(harvested); at = at.Add(450 * time.Second) {
		mm := value(t, w, "khoai1", world.Irrigation, at) / 8
		if mm > 0 && !on {
			turns++
		}
		given, on = given+mm, mm > 0
	}
	return value(t, w, "khoai1", world.YieldShare, harvested.Add(-30*time.Hour)), given, turns
}

// mostWater is more than any season here can use, mm: advice that gives more waters the groundwater.
const mostWater = 500.0

func TestAdvice_OverASeasonOfPotato(t *testing.T) {
	if testing.Short() {
		t.Skip("seasons")
	}
	known := map[string]float64{"sandy-loam": 0.98, "loam": 0.98, "silt-loam": 0.98, "silty-clay-loam": 0.94, "clay": 0.72} // in clay roots drown after rain
	astray := map[string]float64{"sandy-loam": 0.98, "loam": 0.98, "silt-loam": 0.95, "silty-clay-loam": 0.9}
	t.Logf("%-16s %-34s %s", "soil", "watered by", "yield share, mm given (turns), of each seed")
	for _, ground := range []string{"sandy-loam", "loam", "silt-loam", "silty-clay-loam", "clay"} {
		texture := strings.ReplaceAll(ground, "-", "_")
		other := map[bool]string{true: "sandy_loam", false: "silt_loam"}[ground == "silt-loam" || ground == "loam"]
		for _, way := range []struct {
			name    string
			texture string
			button  bool
			bias    float64
			care    world.Care
			nobody  bool
			least   map[string]float64 // yield, by the soil; none: it may be anything
		}{
			{name: "nobody", nobody: true, care: world.None},
			{name: "its household, who sees all", care: world.Usual},
			{name: "advice, texture known", texture: texture, care: world.None, least: known},
			{name: "advice, button", texture: texture, button: true, care: world.None, least: known},
			{name: "advice, wrong texture", texture: other, care: world.None},
			{name: "advice, wrong texture, button", texture: other, button: true, care: world.None, least: astray},
			{name: "advice, probe +5 %, texture known", texture: texture, bias: 5, care: world.None},
			{name: "advice, probe +5 %, button", texture: texture, bias: 5, button: true, care: world.None, least: astray},
		} {
			var line []string
			for seed := range uint64(3) {
				w, err := world.New(world.Options{Seed: seed, Begin: planted.AddDate(0, -2, 0), Places: []world.Place{{ID: "khoai1", Kind: world.Plot, Care: way.care, Soil: world.Soils()[ground]}}})
				if err != nil {
					t.Fatal(err)
				}
				var yield, mm float64
				var turns int
				switch {
				case way.care == world.Usual:
					yield, mm, turns = usual(t, w)
				case way.nobody:
					act(t, w, world.Action{At: planted.Add(6 * time.Hour), Place: "khoai1", Kind: world.Plant, What: "potato"})
					yield = value(t, w, "khoai1", world.YieldShare, harvested.Add(-time.Hour))
				default:
					a := &adviser{t: t, w: w, bias: way.bias, known: map[string]float64{}, place: farm.Place{Code: "A", Kind: farm.Plot, AreaM2: 1000, Ground: farm.Ground{Texture: way.texture}}}
					yield, mm, turns = a.season(way.button)
				}
				if least := way.least[ground]; yield < least || mm > mostWater {
					t.Errorf("%s, seed %d, watered by %s: yield %.2f with %.0f mm; want %.2f with %.0f at most", ground, seed, way.name, yield, mm, least, mostWater)
				}
				line = append(line, fmt.Sprintf("%.2f %4.0f (%2d)", yield, mm, turns))
			}
			t.Logf("%-16s %-34s %s", ground, way.name, strings.Join(line, "   "))
		}
	}
}
