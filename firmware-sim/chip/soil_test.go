package chip_test

import (
	"encoding/binary"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

func soilRig(t *testing.T, moisture float64) *rig {
	t.Helper()
	r := newRig()
	adc := chip.NewADS1115(r.part(t, "adc", chip.ADS1115Faults()))
	dry, wet := chip.SoilPoint{Volts: 2.4, VWC: 5}, chip.SoilPoint{Volts: 1.2, VWC: 45}
	probe := chip.NewCapacitive(r.part(t, "soil", chip.CapacitiveFaults()), constant(moisture), dry, wet)
	if !adc.Connect(1, probe) || adc.Connect(1, probe) || adc.Connect(4, probe) {
		t.Fatal("Connect takes free inputs 0 to 3 only")
	}
	r.add(t, 0x48, adc)
	return r
}

func (r *rig) register(t *testing.T, reg byte) uint16 {
	t.Helper()
	return binary.BigEndian.Uint16(r.tx(t, 0x48, []byte{reg}, 2))
}

// convert starts a single conversion and waits for it.
func (r *rig) convert(t *testing.T, config uint16) float64 {
	t.Helper()
	r.tx(t, 0x48, []byte{1, byte(config >> 8), byte(config)}, 0)
	if c := r.register(t, 1); c&0x8000 != 0 {
		t.Errorf("config %04x: idle during a conversion", c)
	}
	r.clock.pass(10 * time.Millisecond) // 1/128 s and 10 %
	if c := r.register(t, 1); c&0x8000 == 0 {
		t.Errorf("config %04x: busy after 10 ms", c)
	}
	return float64(int16(r.register(t, 0)))
}

func TestADS1115_ConvertsTheProbesVoltage(t *testing.T) {
	r := soilRig(t, 25) // half way: 1.8 V
	if c := r.register(t, 1); c != 0x8583 {
		t.Errorf("config at power-on %04x, want 8583", c)
	}
	for _, tc := range []struct {
		config uint16
		lsb    float64
	}{
		{0xD383, 125e-6},   // AIN1 to ground, 4.096 V, single shot, 128/s
		{0xD583, 62.5e-6},  // 2.048 V
		{0xD183, 187.5e-6}, // 6.144 V
	} {
		raw := r.convert(t, tc.config)
		near(t, "volts", raw*tc.lsb, 1.8, 0.01)
		// 30 mV a percent; what the ledger says is what a driver makes of the bits.
		near(t, "ledger", r.book.last(t, measure.SoilMoisture).Value, 5+(raw*tc.lsb-2.4)/(1.2-2.4)*40, 1e-9)
	}
	if n := len(r.book.all()); n != 3 {
		t.Errorf("%d ledger entries for 3 conversions", n)
	}
	r.register(t, 0)
	if n := len(r.book.all()); n != 3 {
		t.Errorf("a second look at the same conversion is a new entry")
	}
	if raw := r.convert(t, 0xD783); raw != 32767 { // 1.024 V range: beyond full scale
		t.Errorf("overload reads %v, want 32767", raw)
	}
	near(t, "open input", r.convert(t, 0xC383)*125e-6, 0.57, 0.1)
	near(t, "difference", r.convert(t, 0x8383)*125e-6, 0.57-1.8, 0.1)
}

func TestADS1115_Faults(t *testing.T) {
	r := soilRig(t, 25)
	r.set(t, "soil", fault.Shorted)
	near(t, "shorted probe", r.convert(t, 0xD383), 0, 5)
	if e := r.book.last(t, measure.SoilMoisture); e.Fault != "shorted" || e.Device != "soil" {
		t.Errorf("ledger: %+v", e)
	}
	r.set(t, "soil", fault.Unplug)
	near(t, "floating probe", r.convert(t, 0xD383)*125e-6, 0.57, 0.1)
	r.set(t, "soil", fault.None)
	r.set(t, "adc", fault.Stuck)
	r.tx(t, 0x48, []byte{1, 0xD3, 0x83}, 0)
	r.clock.pass(time.Hour)
	if c := r.register(t, 1); c&0x8000 != 0 {
		t.Errorf("stuck: config %04x is idle", c)
	}
	r.set(t, "adc", fault.None)
	near(t, "healed", r.convert(t, 0xD383)*125e-6, 1.8, 0.01)
}
