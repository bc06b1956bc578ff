package field_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/sensetest"
)

const pondField = `
seed: 3
places: [{ id: ao1, kind: pond, density: 1.8 }]
buses: [{ id: i2c, socket: ao1.sock }, { id: pins, pins: pins.sock }]
devices:
  - { id: ao1-do, kind: ezo-do, bus: i2c, address: 0x61, place: ao1 }
  - { id: adc, kind: ads1115, bus: i2c, address: 0x48 }
  - { id: ao1-quat, kind: aerator, bus: pins, pin: quat, place: ao1, amps: 3.2, rate: 0.4, relay: { active_low: true } }
  - { id: ao1-dong, kind: transducer, adc: adc, input: 1, motor: ao1-quat, volts_per_amp: 0.165 }
`

// night is the gateway's own sensing and rules on a simulated pond, in virtual time.
type night struct {
	t       *testing.T
	field   *field.Field
	clock   *sensetest.Clock
	station *sense.Station
	rules   *edge.Engine
	pin     gpioOut
	wiring  edge.Relay
	oxygen  measure.Reading
	said    []measure.Reading
}

type gpioOut interface{ Out(l gpio.Level) error }

func (n *night) Set(_ string, on bool) error { return n.pin.Out(gpio.Level(n.wiring.Level(on))) }

// Take implements sense.Sink.
func (n *night) Take(_ context.Context, readings []measure.Reading) error {
	for _, r := range readings {
		if r.Quantity == measure.DissolvedOxygen {
			n.oxygen = r
		}
	}
	n.rules.Observe(readings)
	return nil
}

func newNight(t *testing.T, from time.Time) *night {
	t.Helper()
	n := &night{t: t, clock: sensetest.NewClock(from), wiring: edge.Relay{Pin: "unix:/x/pins.sock#quat", ActiveLow: true}}
	c, err := field.Parse("field.yaml", []byte(pondField), "/x")
	if err != nil {
		t.Fatal(err)
	}
	n.field, err = field.New(c, field.Options{Now: func() time.Time { return n.clock.Now().Wall }, Sleep: n.clock.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	if n.pin, err = n.field.Pin(n.wiring.Pin); err != nil {
		t.Fatal(err)
	}
	one := 1
	channels, err := kind.Build([]kind.Spec{
		{ID: "ao1-do", Kind: "ezo-do", Bus: "ao1", Address: 0x61},
		{ID: "ao1-dong", Kind: "current-ads1115", Bus: "ao1", Address: 0x48, Input: &one, Ampere: &kind.AmpereScale{VoltsPerAmp: 0.165}},
	}, n.field, map[string]kind.BusSpec{"ao1": {I2C: "unix:/x/ao1.sock"}}, n.clock)
	if err != nil {
		t.Fatal(err)
	}
	n.station = sense.NewStation(n.clock, channels, slog.New(slog.DiscardHandler))
	n.rules = edge.New(edge.Config{Aerators: []edge.Aerator{{
		ID: "ao1-quat", Relay: n.wiring, Oxygen: "ao1-do", OnBelow: 3, OffAbove: 5, Current: &edge.Current{Sensor: "ao1-dong", Above: 1},
	}}}, n, edge.Saved{}, n.clock.Now())
	return n
}

// live lets minutes pass and calls each after every one.
func (n *night) live(minutes int, each func(s edge.AeratorStatus)) {
	n.t.Helper()
	for range minutes {
		if err := n.station.PollAll(n.t.Context(), n); err != nil {
			n.t.Fatal(err)
		}
		n.said = append(n.said, n.rules.Step(n.clock.Now()).Readings...)
		if each != nil {
			each(n.rules.Status(n.clock.Now()).Aerators[0])
		}
		if err := n.clock.Sleep(n.t.Context(), time.Minute); err != nil {
			n.t.Fatal(err)
		}
	}
}

// evening is 18:00 in Vietnam of a day late in the hot season, when the fish have grown.
func evening() time.Time { return time.Date(2026, 9, 2, 11, 0, 0, 0, time.UTC) }

func TestAerator_KeepsTheSimulatedPondAliveThroughTheNight(t *testing.T) {
	alone := newNight(t, evening())
	lowest := 99.0
	for range 14 * 60 { // nobody switches
		if err := alone.station.PollAll(t.Context(), alone); err != nil {
			t.Fatal(err)
		}
		lowest = min(lowest, alone.oxygen.Value)
		if err := alone.clock.Sleep(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if lowest > 2.6 {
		t.Fatalf("the pond without an aerator sinks only to %.2f mg/L: no test of one", lowest)
	}
	n := newNight(t, evening())
	states := make(map[edge.State]int)
	low, starts, on := 99.0, 0, false
	n.live(14*60, func(s edge.AeratorStatus) {
		states[s.State]++
		low = min(low, n.oxygen.Value)
		if s.Command && !on {
			starts++
		}
		on = s.Command
	})
	if low < 2.8 || starts == 0 || starts > 8 {
		t.Errorf("lowest %.2f mg/L with %d starts (%.2f without)", low, starts, lowest)
	}
	if states[edge.IsRunning] < 60 || states[edge.IsOff] == 0 || states[edge.IsFailed]+states[edge.IsRunningOn] > 0 {
		t.Errorf("states by the minute: %v", states)
	}
}

func TestAerator_FaultsOfTheMachineAreSeenByTheCurrent(t *testing.T) {
	for name, tc := range map[string]struct {
		device string
		fault  fault.Kind
		on     bool // commanded when it begins
		want   edge.State
	}{
		"motor broken":           {"ao1-quat", fault.Broken, true, edge.IsFailed},
		"relay's wire off":       {"ao1-quat", fault.Unplug, true, edge.IsFailed},
		"contactor welded":       {"ao1-quat", fault.Welded, false, edge.IsRunningOn},
		"relay stuck":            {"ao1-quat", fault.Stuck, true, edge.IsRunningOn}, // seen when it should stop
		"transducer fell off":    {"ao1-dong", fault.Unplug, true, edge.IsFailed},
		"converter unplugged":    {"adc", fault.Unplug, true, edge.IsOn},
		"nothing":                {"", fault.None, true, edge.IsRunning},
		"nothing, commanded off": {"", fault.None, false, edge.IsOff},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNight(t, evening())
			say := func(on bool) {
				t.Helper()
				mode := edge.Off
				if on {
					mode = edge.On
				}
				if err := n.rules.SetOverride("ao1-quat", mode, 10*time.Hour, n.clock.Now()); err != nil {
					t.Fatal(err)
				}
			}
			say(tc.on)
			n.live(10, nil)
			if tc.device != "" {
				if err := n.field.Board().Set(tc.device, tc.fault); err != nil {
					t.Fatal(err)
				}
			}
			if tc.fault == fault.Stuck {
				say(false)
			}
			var last edge.AeratorStatus
			n.live(10, func(s edge.AeratorStatus) { last = s })
			if last.State != tc.want {
				t.Errorf("%+v; want %s", last, tc.want)
			}
			alarm := 0.0
			for _, r := range n.said {
				if r.Quantity == measure.AlarmState {
					alarm = r.Value
				}
			}
			if (alarm == 1) != tc.want.Bad() {
				t.Errorf("alarm %g", alarm)
			}
			if tc.device == "" {
				return
			}
			if err := n.field.Board().Set(tc.device, fault.None); err != nil {
				t.Fatal(err)
			}
			n.live(10, func(s edge.AeratorStatus) { last = s })
			if last.State.Bad() || last.State == edge.IsOn {
				t.Errorf("healed: %+v", last)
			}
		})
	}
}

func TestParse_AeratorErrorsNameTheKey(t *testing.T) {
	for old, tc := range map[string]struct{ now, says string }{
		"bus: pins, pin: quat": {"bus: i2c, pin: quat", "has pins"},
		"pin: quat, ":          {"", "needs pin"},
		"amps: 3.2":            {"amps: 3200", "0.1 to 200"},
		"rate: 0.4":            {"rate: 1000", "an hour"},
		"active_low: true":     {"contact: both", "no or nc"},
		"motor: ao1-quat":      {"motor: ao2-quat", "above it"},
		"volts_per_amp: 0.165": {"volts_per_amp: 9", "0.001 to 5"},
		"adc: adc, input: 1":   {"adc: adc, input: 7", "0 to 3"},
		"pins: pins.sock":      {"pins: pins.sock, w1: w1", "exactly one"},
		"address: 0x48":        {"address: 0x48, motor: ao1-quat", "no motor"},
		"kind: aerator, bus":   {"kind: paddle, bus", "aerator"},
	} {
		if !strings.Contains(pondField, old) {
			t.Fatalf("no %q", old)
		}
		if _, err := field.Parse("field.yaml", []byte(strings.Replace(pondField, old, tc.now, 1)), "/x"); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v; want %q", tc.now, err, tc.says)
		}
	}
}
