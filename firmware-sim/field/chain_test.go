package field_test

import (
	"log/slog"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/gateway/measure"
	"aovuon/gateway/seal"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

const chainField = `
seed: 3
places: [{ id: ao1, kind: pond, density: 1.0 }]
buses: [{ id: i2c, socket: ao1.sock }, { id: w1, w1: w1 }]
devices:
  - { id: ao1-temp, kind: ds18b20, bus: w1, rom: 28-00000a01f1a1, place: ao1 }
  - { id: ao1-do, kind: ezo-do, bus: i2c, address: 0x61, place: ao1 }
  - { id: ao1-ph, kind: ezo-ph, bus: i2c, address: 0x63, place: ao1 }
`

// chained is the gateway's own way from a simulated probe to a sealed batch, in virtual time, asked every minute.
type chained struct {
	t       *testing.T
	field   *field.Field
	clock   *sensetest.Clock
	station *sense.Station
	sealer  *seal.Sealer
	spool   *spool.Spool
	key     note.Verifier
	seq     uint64
}

func newChained(t *testing.T, specs []kind.Spec, derived ...kind.DerivedSpec) *chained {
	t.Helper()
	return newChainedOn(t, chainField, specs, derived...)
}

// newChainedOn is newChained on another field with the same buses.
func newChainedOn(t *testing.T, text string, specs []kind.Spec, derived ...kind.DerivedSpec) *chained {
	t.Helper()
	c := &chained{t: t, clock: sensetest.NewClock(time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC))}
	config, err := field.Parse("field.yaml", []byte(text), "/x")
	if err != nil {
		t.Fatal(err)
	}
	if c.field, err = field.New(config, field.Options{Now: func() time.Time { return c.clock.Now().Wall }, Sleep: c.clock.Sleep}); err != nil {
		t.Fatal(err)
	}
	buses := map[string]kind.BusSpec{"i2c": {I2C: "unix:/x/ao1.sock"}, "w1": {W1: "/x/w1"}}
	channels, err := kind.Build(specs, c.field, buses, c.clock, kind.WithDerived(derived))
	if err != nil {
		t.Fatal(err)
	}
	c.station = sense.NewStation(c.clock, channels, slog.New(slog.DiscardHandler))
	secret, public, err := note.GenerateKey(nil, "gw-test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	if c.key, err = note.NewVerifier(public); err != nil {
		t.Fatal(err)
	}
	if c.spool, _, err = spool.Open(t.Context(), filepath.Join(t.TempDir(), "spool.db"), time.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.spool.Close(); err != nil {
			t.Error(err)
		}
	})
	c.sealer = seal.New(c.spool, seal.Options{Gateway: "gw-test", Signer: signer, Log: slog.New(slog.DiscardHandler)})
	return c
}

// live asks every probe once a minute for so many minutes and returns what of one sensor stands in the batches then.
func (c *chained) live(minutes int, sensor string) (list []measure.Reading) {
	c.t.Helper()
	for range minutes {
		begin := c.clock.Now().Uptime
		if err := c.station.PollAll(c.t.Context(), c.sealer); err != nil {
			c.t.Fatal(err)
		}
		if err := c.clock.Sleep(c.t.Context(), begin+time.Minute-c.clock.Now().Uptime); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := c.sealer.Flush(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	for {
		batches, err := c.spool.After(c.t.Context(), c.spool.Epoch(), c.seq, 100)
		if err != nil {
			c.t.Fatal(err)
		}
		if len(batches) == 0 {
			return list
		}
		for _, s := range batches {
			b, err := wire.Open(s.Body, c.key)
			if err != nil {
				c.t.Fatal(err)
			}
			for _, r := range b.Readings {
				if r.Sensor == sensor {
					list = append(list, r)
				}
			}
			c.seq = s.Seq
		}
	}
}

func (c *chained) set(device string, k fault.Kind) {
	c.t.Helper()
	if err := c.field.Board().Set(device, k); err != nil {
		c.t.Fatal(err)
	}
}

func thermometer() kind.Spec {
	return kind.Spec{ID: "ao1-temp", Kind: "ds18b20", Bus: "w1", Device: "28-00000a01f1a1"}
}

func oxygen(r kind.Refinement) kind.Spec {
	return kind.Spec{
		ID: "ao1-do", Kind: "ezo-do", Bus: "i2c", Address: 0x61, Temperature: "ao1-temp", Salinity: "0", Pressure: "1010", Refinement: r,
	}
}

// qualities counts readings by their quality.
func qualities(list []measure.Reading) map[measure.Quality]int {
	n := make(map[measure.Quality]int)
	for _, r := range list {
		n[r.Quality]++
	}
	return n
}

func TestChain_AStaleThermometerMakesTheOxygenEstimated(t *testing.T) {
	c := newChained(t, []kind.Spec{thermometer(), oxygen(kind.Refinement{})}, kind.DerivedSpec{
		ID: "ao1-bao-hoa", Kind: "oxygen-saturation", Oxygen: "ao1-do", Temperature: "ao1-temp", Salinity: "0", Pressure: "1010",
	})
	good := c.live(5, "ao1-do")
	in, err := measure.ParseInputs(good[4].Inputs)
	if err != nil || good[4].Quality != measure.Good || len(in) != 3 || in[0].Sensor != "ao1-temp" || in[0].Assumed || in[2].Value != 1010 {
		t.Fatalf("%+v: %+v, %v", good[4], in, err)
	}
	last := in[0].Value
	c.set("ao1-temp", fault.Unplug)
	for minute, r := range c.live(20, "ao1-do") {
		in, err := measure.ParseInputs(r.Inputs)
		if err != nil || len(in) != 3 || in[0].Sensor != "ao1-temp" || in[0].Value != last {
			t.Fatalf("minute %d: %+v: %+v, %v", minute, r, in, err)
		}
		// The value of the minute before is a minute old in minute 0; after ten minutes it is stale.
		if stale := in[0].Age > 10*time.Minute; in[0].Assumed != stale || (r.Quality == measure.Estimated) != stale {
			t.Errorf("minute %d: %+v", minute, r)
		}
		if age := time.Duration(minute+1) * time.Minute; (in[0].Age - age).Abs() > 5*time.Second {
			t.Errorf("minute %d: the temperature is %v old", minute, in[0].Age)
		}
	}
	c.set("ao1-temp", fault.None)
	if r := c.live(1, "ao1-bao-hoa"); len(r) != 1 || r[0].Quality != measure.Good {
		t.Errorf("healed: %+v", r)
	}
	c.set("ao1-temp", fault.Unplug)
	derived := c.live(20, "ao1-bao-hoa")
	for minute, r := range derived { // computed some seconds after the probes were asked
		in, err := measure.ParseInputs(r.Inputs)
		if err != nil || len(in) != 4 || in[0].Sensor != "ao1-do" || in[1].Assumed != (in[1].Age > 10*time.Minute) || in[1].Assumed != (r.Quality == measure.Estimated) {
			t.Errorf("minute %d: %+v: %+v, %v", minute, r, in, err)
		}
	}
	if n := qualities(derived)[measure.Estimated]; n < 10 || n > 11 {
		t.Errorf("%d of 20 saturations are estimated", n)
	}
}

func TestChain_AFrozenProbeIsSuspectInTime(t *testing.T) {
	hour := time.Hour
	c := newChained(t, []kind.Spec{thermometer(), oxygen(kind.Refinement{Flat: &kind.FlatSpec{Over: &hour}})})
	if diff := cmp.Diff(map[measure.Quality]int{measure.Good: 30}, qualities(c.live(30, "ao1-do"))); diff != "" {
		t.Fatal(diff)
	}
	c.set("ao1-do", fault.Frozen)
	frozen := c.live(70, "ao1-do")
	first := -1
	for i, r := range frozen {
		if r.Quality == measure.Suspect && first < 0 {
			first = i
		}
		if first >= 0 && r.Quality != measure.Suspect {
			t.Fatalf("minute %d: %+v", i, r)
		}
	}
	if first < 0 || first > 60 {
		t.Fatalf("suspect from minute %d", first)
	}
	c.set("ao1-do", fault.None)
	// It is believed again as soon as it has moved by what a living probe moves.
	healed := c.live(120, "ao1-do")
	if r := healed[119]; r.Quality != measure.Good {
		t.Errorf("healed: %+v", r)
	}
}

func TestChain_NoiseIsFilteredAndTheRawValueIsKept(t *testing.T) {
	off := 0.0
	c := newChained(t, []kind.Spec{thermometer(), oxygen(kind.Refinement{Rate: &off, Filter: &kind.FilterSpec{Median: 7, Mean: 4}})})
	c.live(15, "ao1-do")
	c.set("ao1-do", fault.Noise)
	noisy := c.live(120, "ao1-do")
	var raw, filtered float64
	for i, r := range noisy {
		if !r.Filtered || r.Quality != measure.Good {
			t.Fatalf("%+v", r)
		}
		if i > 0 {
			raw += math.Abs(r.Raw - noisy[i-1].Raw)
			filtered += math.Abs(r.Value - noisy[i-1].Value)
		}
	}
	if raw < 5*filtered || filtered == 0 {
		t.Errorf("from minute to minute the raw value moves by %.3f, the filtered one by %.3f", raw/119, filtered/119)
	}
}

// A quiet water is sent as often as it has to be, and not more.
func TestChain_ReportsOnChange(t *testing.T) {
	c := newChained(t, []kind.Spec{thermometer(), oxygen(kind.Refinement{Report: &kind.ReportSpec{Change: 0.3}})})
	sent := c.live(240, "ao1-do")
	if n := len(sent); n < 16 || n > 80 {
		t.Errorf("%d of 240 readings were sent", n)
	}
	for i, r := range sent[1:] {
		gap, change := r.Time.Wall.Sub(sent[i].Time.Wall), math.Abs(r.Value-sent[i].Value)
		if gap > 15*time.Minute+30*time.Second || change < 0.3 && gap < 15*time.Minute-30*time.Second {
			t.Errorf("%v after the one before, %.2f from it", gap, change)
		}
	}
	c.set("ao1-do", fault.Unplug)
	if n := len(c.live(10, "ao1-do")); n != 10 {
		t.Errorf("%d of 10 faults were sent", n)
	}
}
