package field_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/bus"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

// virtual is a clock for gateway and chips alike: sleeping is free.
type virtual struct {
	mu         sync.Mutex
	begin, now time.Time
}

func (v *virtual) wall() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

func (v *virtual) Now() measure.Instant {
	now := v.wall()
	return measure.Instant{Wall: now, Uptime: now.Sub(v.begin), Clock: measure.Synced, Boot: "0123456789abcdef"}
}

func (v *virtual) Sleep(ctx context.Context, d time.Duration) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = v.now.Add(d)
	return ctx.Err()
}

// sink keeps readings by sensor and quantity.
type sink map[string]measure.Reading

func (s sink) Take(_ context.Context, list []measure.Reading) error {
	for _, r := range list {
		if err := r.Validate(); err != nil {
			return err
		}
		s[r.Sensor+" "+string(r.Quantity)] = r
	}
	return nil
}

// specs are the gateway's sensors for the sample field: ids, kinds and addresses as the field has them.
func specs(c field.Config) (list []kind.Spec, buses map[string]kind.BusSpec) {
	buses = make(map[string]kind.BusSpec)
	for _, b := range c.Buses {
		if b.Pins != "" { // of relays: no sensor hangs there
			continue
		}
		buses[b.ID] = kind.BusSpec{W1: b.W1, Serial: b.Serial}
		if b.Socket != "" {
			buses[b.ID] = kind.BusSpec{I2C: "unix:" + b.Socket}
		}
	}
	adc := make(map[string]field.Device)
	for _, d := range c.Devices {
		s := kind.Spec{ID: d.ID, Kind: d.Kind, Bus: d.Bus, Address: d.Address}
		switch d.Kind {
		case "ads1115":
			adc[d.ID] = d
			continue
		case "aerator":
			continue
		case "transducer":
			s.Kind, s.Bus, s.Address, s.Input = "current-ads1115", adc[d.ADC].Bus, adc[d.ADC].Address, &d.Input
			s.Ampere = &kind.AmpereScale{VoltsPerAmp: d.PerAmp}
		case "modbus":
			s.Template = d.Template
		case "ds18b20":
			s.Device = d.ROM
		case "ezo-do", "ezo-ph":
			s.Temperature = d.Place + "-temp"
			if d.Kind == "ezo-do" {
				s.Salinity, s.Pressure = "0", "1013.25"
			}
		case "capacitive":
			s.Kind, s.Bus, s.Address, s.Input = "capacitive-ads1115", adc[d.ADC].Bus, adc[d.ADC].Address, &d.Input
			s.Calibration = &kind.SoilCalibration{Dry: kind.SoilPoint(*d.Dry), Wet: kind.SoilPoint(*d.Wet)}
		}
		list = append(list, s)
	}
	return list, buses
}

// last is the newest ledger entry of each device and quantity.
type last struct {
	mu sync.Mutex
	m  map[string]ledger.Entry
}

func (l *last) Record(e ledger.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.m[e.Device+" "+string(e.Quantity)] = e
}

func (l *last) get(key string) (ledger.Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.m[key]
	return e, ok
}

// rig is the real gateway's sensing side on a simulated field.
type rig struct {
	clock   *virtual
	field   *field.Field
	book    *last
	station *sense.Station
}

// newRig builds the station on buses that open gives for the field.
func newRig(t *testing.T, open func(c field.Config, f *field.Field) kind.Buses) *rig {
	t.Helper()
	c, _ := sample(t)
	list, buses := specs(c)
	return rigOf(t, c, time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC), list, buses, open)
}

// rigOf builds the station of list.
func rigOf(
	t *testing.T, c field.Config, at time.Time, list []kind.Spec, buses map[string]kind.BusSpec, open func(c field.Config, f *field.Field) kind.Buses,
) *rig {
	t.Helper()
	r := &rig{clock: &virtual{begin: at.Add(-time.Hour), now: at}, book: &last{m: make(map[string]ledger.Entry)}}
	var err error
	if r.field, err = field.New(c, field.Options{Now: r.clock.wall, Sleep: r.clock.Sleep, Ledger: r.book}); err != nil {
		t.Fatal(err)
	}
	channels, err := kind.Build(list, open(c, r.field), buses, r.clock)
	if err != nil {
		t.Fatal(err)
	}
	r.station = sense.NewStation(r.clock, channels, slog.New(slog.DiscardHandler))
	return r
}

// number is the reason of a fault that does not hinder a number.
const number = measure.FaultReason("")

// suffering is a fault of a device, and what the gateway should say of it.
type suffering struct {
	fault  fault.Kind
	reason measure.FaultReason
}

// suffer has a device suffer a fault: the readings of its sensors bear the reason and no number, all others a number.
func (r *rig) suffer(t *testing.T, device string, s suffering, mine func(sensor string) bool, poll func(t *testing.T) sink) {
	t.Helper()
	if err := r.field.Board().Set(device, s.fault); err != nil {
		t.Fatal(err)
	}
	for key, got := range poll(t) {
		switch {
		case mine(got.Sensor) && s.reason != number:
			if got.Quality != measure.Fault || got.Reason != s.reason {
				t.Errorf("%s: %s, reason %q; want a fault, %s", key, got.Quality, got.Reason, s.reason)
			}
		case got.Quality == measure.Fault:
			t.Errorf("%s: fault %s", key, got.Reason)
		}
	}
	r.field.Board().HealAll()
	poll(t) // a chip that lost its power is asked anew
}

func (r *rig) poll(t *testing.T) sink {
	t.Helper()
	s := make(sink)
	if err := r.station.PollAll(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if len(s) != 31 {
		t.Fatalf("%d readings from 21 sensors: %v", len(s), s)
	}
	return s
}

// tolerance is how far a right driver may be from the ledger: ledger/FORMAT.md.
func tolerance(r measure.Reading) float64 {
	switch {
	case r.Sensor == "thuoc1-kk" && r.Quantity == measure.AirTemperature:
		return 0.02
	case r.Sensor == "thuoc1-kk" && r.Quantity == measure.RelativeHumidity:
		return 0.05
	case r.Quantity == measure.AirPressure:
		return 0.1
	case r.Quantity == measure.SoilMoisture:
		return 0.001
	}
	return 1e-9
}

// agree compares readings with the ledger, and, loosely, with sense.
func (r *rig) agree(t *testing.T, s sink) {
	t.Helper()
	for key, got := range s {
		e, ok := r.book.get(key)
		switch {
		case got.Quality != measure.Good:
			t.Errorf("%s: %s (%s)", key, got.Quality, got.Reason)
		case !ok || e.Fault != "":
			t.Errorf("%s: read %v, the ledger has %+v", key, got.Value, e)
		case math.Abs(got.Value-e.Value) > tolerance(got):
			t.Errorf("%s: read %v, the ledger says %v", key, got.Value, e.Value)
		case got.Time.Wall.Sub(e.Time).Abs() > time.Second:
			t.Errorf("%s: read at %s, the ledger says %s", key, got.Time.Wall, e.Time)
		}
	}
}

func inProcess(_ field.Config, f *field.Field) kind.Buses { return f }

func TestDrivers_ReadWhatTheLedgerSays(t *testing.T) {
	r := newRig(t, inProcess)
	r.poll(t) // the first round makes the water temperatures known
	for range 200 {
		r.agree(t, r.poll(t))
		if err := r.clock.Sleep(t.Context(), 37*time.Minute); err != nil {
			t.Fatal(err)
		}
	}
}

// The drivers see the chips over a socket as they see them in process.
func TestDrivers_OverTheSocket(t *testing.T) {
	set := bus.NewSet(slog.New(slog.DiscardHandler))
	r := newRig(t, func(field.Config, *field.Field) kind.Buses { return set })
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() {
		done <- r.field.Serve(ctx, slog.New(slog.DiscardHandler), func() { close(ready) })
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	r.poll(t)
	// A probe on a serial line has to answer within its timeout by the machine's clock, which a busy machine may miss; then
	// it warms up again. It must have answered in between, and may have no other fault.
	late, good := map[measure.FaultReason]bool{measure.NoResponse: true, measure.NotReady: true}, 0
	for range 20 {
		for key, got := range r.poll(t) {
			serial := got.Sensor == "ao2-do-b" || got.Sensor == "khoai1-dat"
			switch {
			case got.Quality == measure.Good && serial:
				good++
			case got.Quality != measure.Good && (!serial || !late[got.Reason]):
				t.Errorf("%s: %s (%s)", key, got.Quality, got.Reason)
			}
		}
	}
	if good == 0 {
		t.Error("no probe on a serial line ever answered")
	}
	if err := r.field.Board().Set("ao2-do", fault.Unplug); err != nil {
		t.Fatal(err)
	}
	if got := r.poll(t)["ao2-do dissolved_oxygen"]; got.Reason != measure.NoResponse {
		t.Errorf("unplugged: %+v", got)
	}
	r.field.Board().HealAll()
	if got := r.poll(t)["ao2-do dissolved_oxygen"]; got.Quality != measure.Good {
		t.Errorf("healed: %+v", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := r.poll(t)["ao2-do dissolved_oxygen"]; got.Reason != measure.BusDown {
		t.Errorf("the field is gone: %+v", got)
	}
	if err := set.Close(); err != nil {
		t.Error(err)
	}
}

// A broken chip gives a reason and never a number, and heals by itself.
func TestDrivers_EveryFaultHasItsReason(t *testing.T) {
	probe := map[string][]suffering{
		"ao1-temp": {
			{fault.Unplug, measure.NoResponse},
			{fault.Shorted, measure.Shorted},
			{fault.CRC, measure.CRC},
			{fault.PowerUp, measure.PowerUp},
			{fault.Stuck, number},
			{fault.Frozen, number},
			{fault.Noise, number},
		},
		"ao1-do": {
			{fault.Unplug, measure.NoResponse},
			{fault.Shorted, measure.Shorted},
			{fault.Garbled, measure.Garbled},
			{fault.Stuck, measure.NotReady},
			{fault.Bit7, number},
			{fault.Frozen, number},
			{fault.Noise, number},
		},
		"ao1-ph":   {{fault.Unplug, measure.NoResponse}, {fault.Garbled, measure.Garbled}, {fault.Bit7, number}},
		"vuon-adc": {{fault.Unplug, measure.NoResponse}, {fault.Shorted, measure.Shorted}, {fault.Stuck, measure.NotReady}},
		"khoai1-am": {
			{fault.Unplug, measure.NoResponse},
			{fault.Shorted, measure.Shorted},
			{fault.Frozen, number},
			{fault.Noise, number},
		},
		"khoai1-kk": {
			{fault.Unplug, measure.NoResponse},
			{fault.Shorted, measure.Shorted},
			{fault.CRC, measure.CRC},
			{fault.Stuck, measure.NotReady},
			{fault.Frozen, number},
		},
		"thuoc1-kk": {
			{fault.Unplug, measure.NoResponse},
			{fault.Shorted, measure.Shorted},
			{fault.Stuck, measure.NotReady},
			{fault.PowerUp, measure.PowerUp},
			{fault.Frozen, number},
		},
	}
	r := newRig(t, inProcess)
	r.poll(t)
	for device, list := range probe {
		for _, tc := range list {
			t.Run(fmt.Sprintf("%s/%s", device, tc.fault), func(t *testing.T) {
				r.suffer(t, device, tc, func(sensor string) bool {
					return sensor == device || device == "vuon-adc" && strings.HasSuffix(sensor, "-am")
				}, r.poll)
				r.agree(t, r.poll(t))
			})
		}
	}
}
