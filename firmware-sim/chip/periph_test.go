package chip_test

import (
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/onewire"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/devices/v3/ads1x15"
	"periph.io/x/devices/v3/bmxx80"
	"periph.io/x/devices/v3/ds18b20"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
)

// periph's own drivers, which nobody here wrote, read the simulated chips. They sleep by the machine's clock, so each test
// lives in a bubble whose clock is theirs and the chips'.

// bubble is a part of a chip that lives by the bubble's clock, and a transaction with it takes so long.
func bubble(t *testing.T, seed uint64, transaction time.Duration) chip.Part {
	t.Helper()
	s, err := fault.NewBoard().Add("chip")
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time {
		time.Sleep(transaction)
		return time.Now()
	}
	return chip.Part{Name: "chip", Seed: seed, Now: now, Faults: s, Ledger: chip.Silent{}}
}

func TestPeriph_ReadsTheDS18B20(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := bubble(t, 1, 0)
		wire := chip.NewOneWire("sim", p.Now)
		d := chip.NewDS18B20(p, "28-000001318252", constant(28.5))
		if err := wire.Add(d); err != nil {
			t.Fatal(err)
		}
		list, err := wire.Search(false)
		if err != nil || len(list) != 1 || list[0] != onewire.Address(0x7a00000131825228) {
			t.Fatalf("Search = %x, %v", list, err)
		}
		for _, bits := range []int{12, 9} {
			dev, err := ds18b20.New(wire, list[0], bits)
			if err != nil {
				t.Fatal(err)
			}
			var e physic.Env
			if err := dev.Sense(&e); err != nil {
				t.Fatal(err)
			}
			near(t, "temperature", e.Temperature.Celsius(), 28.5, 0.6)
			if writes := d.EEPROMWrites(); (writes == 0) != (bits == 12) { // periph stores another resolution in the chip
				t.Errorf("%d bits: the EEPROM was written %d times", bits, writes)
			}
		}
	})
}

// periph reads the signed 12-bit H5 as unsigned, so of chips whose H5 is negative it gets the humidity wrong (0 % at 25 °C):
// another reason for a driver of our own.
func TestPeriph_ReadsTheBME280(t *testing.T) {
	var right, wrong int
	for seed := range uint64(16) {
		synctest.Test(t, func(t *testing.T) {
			b := chip.NewBus("sim")
			// periph asks whether the chip is ready as fast as it can: without time passing it would ask for ever.
			p := bubble(t, seed, 100*time.Microsecond)
			if err := b.Add(0x76, chip.NewBME280(p, constant(25), constant(60), constant(1008)), nil); err != nil {
				t.Fatal(err)
			}
			dev, err := bmxx80.NewI2C(b, 0x76, &bmxx80.DefaultOpts)
			if err != nil {
				t.Fatal(err)
			}
			var e physic.Env
			if err := dev.Sense(&e); err != nil {
				t.Fatal(err)
			}
			near(t, "temperature", e.Temperature.Celsius(), 25, 0.5)
			near(t, "pressure", float64(e.Pressure)/float64(physic.Pascal)/100, 1008, 1.5)
			if e.Humidity == 0 {
				wrong++
				return
			}
			right++
			near(t, "humidity", float64(e.Humidity)/float64(physic.PercentRH), 60, 2)
		})
	}
	if right < 2 || wrong < 2 {
		t.Errorf("the humidity of %d chips was read rightly, of %d wrongly", right, wrong)
	}
}

// periph waits for exactly one conversion, by a clock that is not the chip's. Whose oscillator is slow gives it the
// conversion before: one reason why the gateway has a driver of its own.
func TestPeriph_ReadsTheADS1115(t *testing.T) {
	var right, stale int
	for seed := range uint64(10) {
		v := periphVolts(t, seed)
		if v == 0 { // nothing was converted before
			stale++
			continue
		}
		right++
		near(t, "volts", v, 1.9, 0.05)
	}
	if right < 2 || stale < 2 {
		t.Errorf("%d chips were read rightly, %d too early", right, stale)
	}
}

func periphVolts(t *testing.T, seed uint64) (volts float64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := chip.NewBus("sim")
		adc := chip.NewADS1115(bubble(t, seed, 0))
		if err := b.Add(0x48, adc, nil); err != nil {
			t.Fatal(err)
		}
		probe := chip.NewCapacitive(bubble(t, 1, 0), constant(25), chip.SoilPoint{Volts: 2.4, VWC: 5}, chip.SoilPoint{Volts: 1.4, VWC: 45})
		if !adc.Connect(1, probe) {
			t.Fatal("input 1 is taken")
		}
		dev, err := ads1x15.NewADS1115(b, &ads1x15.DefaultOpts)
		if err != nil {
			t.Fatal(err)
		}
		pin, err := dev.PinForChannel(ads1x15.Channel1, 4*physic.Volt, physic.Hertz, ads1x15.SaveEnergy)
		if err != nil {
			t.Fatal(err)
		}
		s, err := pin.Read()
		if err != nil {
			t.Fatal(err)
		}
		volts = float64(s.V) / float64(physic.Volt)
	})
	return volts
}
