package chip_test

import (
	"math"
	"testing"
	"time"

	"periph.io/x/conn/v3/onewire"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/sense/rtu"
)

// No transaction, however senseless, breaks a chip: it answers, or it does not acknowledge.
func FuzzBus_Tx(f *testing.F) {
	for _, seed := range []string{"R", "RT,25.5", "T,?", "Cal,mid,7", "S,5,ppt", "\x01\xC3\x83", "\xFD", "\xF2\x01", "\xF4\x25", "\xFF\xFF", "O,%,1", "Cal,high,10", "Import,0123456789ab", "K,1", "\x24\x00", "\x0F\x10", "I2C,100", "Plock,1", "Status"} {
		f.Add(byte(0), []byte(seed), byte(8))
	}
	f.Fuzz(func(t *testing.T, which byte, w []byte, n byte) {
		r := newRig()
		addrs := []uint16{0x44, 0x48, 0x61, 0x63, 0x76, 0x62, 0x64, 0x66, 0x45, 0x36}
		r.add(t, addrs[0], chip.NewSHT4x(r.part(t, "a", chip.SHT4xFaults()), constant(25), constant(80)))
		r.add(t, addrs[1], chip.NewADS1115(r.part(t, "b", chip.ADS1115Faults())))
		r.add(t, addrs[2], chip.NewEZODO(r.part(t, "c", chip.EZOFaults()), constant(6), constant(25), constant(0), constant(1013.25)))
		r.add(t, addrs[3], chip.NewEZOPH(r.part(t, "d", chip.EZOFaults()), constant(7), constant(25)))
		r.add(t, addrs[4], chip.NewBME280(r.part(t, "e", chip.BME280Faults()), constant(25), constant(80), constant(1010)))
		r.add(t, addrs[5], chip.NewEZOORP(r.part(t, "f", chip.EZOFaults()), constant(200)))
		r.add(t, addrs[6], chip.NewEZOEC(r.part(t, "g", chip.EZOFaults()), constant(400), constant(25)))
		r.add(t, addrs[7], chip.NewEZORTD(r.part(t, "h", chip.EZORTDFaults()), constant(25)))
		r.add(t, addrs[8], chip.NewSHT3x(r.part(t, "i", chip.SHT3xFaults()), constant(25), constant(80)))
		r.add(t, addrs[9], chip.NewSeesaw(r.part(t, "j", chip.SeesawFaults()), constant(30), constant(25)))
		// Whatever ails one of them, too: the first byte says which, and what.
		name := string(rune('a' + which%10))
		for _, d := range r.board.Devices() {
			if d.Name == name && len(d.Kinds) > 0 {
				r.set(t, name, d.Kinds[int(n)%len(d.Kinds)])
			}
		}
		for _, addr := range append(addrs, uint16(which)) {
			for range 2 {
				if err := r.bus.Tx(addr, w, make([]byte, n)); err != nil {
					continue // no acknowledge is an answer
				}
				r.clock.pass(2 * time.Second)
				if err := r.bus.Tx(addr, nil, make([]byte, 40)); err != nil {
					continue
				}
			}
		}
	})
}

// No transaction breaks the thermometers on a wire either, and none makes their scratchpad one whose CRC is wrong.
func FuzzOneWire_Tx(f *testing.F) {
	for _, seed := range []string{"\xCC\x44", "\xCC\xBE", "\x33", "\xCC\x4E\x01\x02\x3F", "\xCC\x48", "\x55\x28\x52\x82\x31\x01\x00\x00\x7A\xBE"} {
		f.Add([]byte(seed), byte(9))
	}
	f.Fuzz(func(t *testing.T, w []byte, n byte) {
		r := newRig()
		wire := chip.NewOneWire("sim", r.clock.now)
		if err := wire.Add(chip.NewDS18B20(r.part(t, "a", nil), "28-000001318252", constant(28))); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := wire.Tx(w, make([]byte, n), onewire.WeakPullup); err != nil {
				t.Fatal(err)
			}
			r.clock.pass(time.Second)
		}
		pad := make([]byte, 9)
		if err := wire.Tx([]byte{0xCC, 0xBE}, pad, onewire.WeakPullup); err != nil || !onewire.CheckCRC(pad) {
			t.Errorf("% x: scratchpad % x, %v", w, pad, err)
		}
	})
}

// No line breaks the schedule or the numbers of a fault: it is set, or refused with what may be.
func FuzzFault_Numbers(f *testing.F) {
	f.Add("drift", 0.1)
	f.Add("wrong-address", 98.0)
	f.Add("fouling", math.NaN())
	f.Fuzz(func(t *testing.T, kind string, number float64) {
		r := newRig()
		r.add(t, 0x61, chip.NewEZODO(r.part(t, "do", append(chip.EZOFaults(), chip.SkinFaults("dissolved_oxygen")...)), constant(6), constant(25), constant(0), constant(1013.25)))
		if err := r.board.Set("do", fault.Kind(kind), number); err != nil {
			return // refused
		}
		for _, addr := range []uint16{0x61, uint16(number)} {
			if err := r.bus.Tx(addr, []byte("R"), nil); err != nil {
				continue
			}
			r.clock.pass(time.Second)
			if err := r.bus.Tx(addr, nil, make([]byte, 32)); err != nil {
				continue
			}
		}
	})
}

// No frame, whatever its length, breaks a line on which two units answer at once.
func FuzzLine_Collisions(f *testing.F) {
	f.Add([]byte{3, 0, 0, 0, 1}, uint8(0))
	f.Add([]byte{6, 0, 1, 0, 2}, uint8(1))
	f.Fuzz(func(t *testing.T, pdu []byte, which uint8) {
		clock := &virtual{now: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
		board := fault.NewBoard()
		sw, err := board.Add("am", chip.RTUFaults()...)
		if err != nil {
			t.Fatal(err)
		}
		kinds := chip.RTUFaults()
		if err := board.Set("am", kinds[int(which)%len(kinds)]); err != nil {
			t.Fatal(err)
		}
		l := chip.NewSerialLine(clock.wall, which%2 == 0, new(fault.Switch))
		for unit := range byte(2) {
			l.Add(chip.NewRTUUnit(chip.Part{Name: "am", Now: clock.wall, Faults: sw, Ledger: chip.Silent{}}, 1+unit, line(9600), new(registers)))
		}
		if len(pdu) == 0 {
			return
		}
		for range 2 {
			l.Send(line(9600), rtu.Frame(1, pdu))
			l.Take(clock.wall().Add(5*time.Second), line(9600))
		}
	})
}
