package chip_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"periph.io/x/conn/v3/onewire"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// wireRig is a 1-Wire bus with two thermometers.
type wireRig struct {
	*rig
	wire *chip.OneWire
	dev  map[string]*chip.DS18B20
}

// romB is the example of periph's documentation.
const romB = onewire.Address(0x7a00000131825228)

func newWireRig(t *testing.T) *wireRig {
	t.Helper()
	r := &wireRig{rig: newRig(), dev: make(map[string]*chip.DS18B20)}
	r.wire = chip.NewOneWire("sim", r.clock.now)
	for name, c := range map[string]struct {
		rom     string
		celsius float64
	}{"a": {"28-00000a01f1a1", 31.25}, "b": {"28-000001318252", -5.5}} {
		d := chip.NewDS18B20(r.part(t, name, chip.DS18B20Faults()), c.rom, constant(c.celsius))
		if err := r.wire.Add(d); err != nil {
			t.Fatal(err)
		}
		r.dev[name] = d
	}
	return r
}

// match says a command to one chip and reads n bytes.
func (r *wireRig) match(t *testing.T, a onewire.Address, n int, command ...byte) []byte {
	t.Helper()
	in := make([]byte, n)
	w := binary.LittleEndian.AppendUint64([]byte{0x55}, uint64(a))
	if err := r.wire.Tx(append(w, command...), in, onewire.WeakPullup); err != nil {
		t.Fatal(err)
	}
	return in
}

func (r *wireRig) addresses(t *testing.T) (a, b onewire.Address) {
	t.Helper()
	list, err := r.wire.Search(false)
	if err != nil || len(list) != 2 {
		t.Fatalf("Search = %x, %v", list, err)
	}
	for _, x := range list {
		rom := binary.LittleEndian.AppendUint64(nil, uint64(x))
		if !onewire.CheckCRC(rom) || rom[0] != 0x28 {
			t.Errorf("ROM % x", rom)
		}
		if x == romB {
			b = x
		} else {
			a = x
		}
	}
	return a, b
}

func celsius(pad []byte) float64 { return float64(int16(binary.LittleEndian.Uint16(pad))) / 16 }

func TestOneWire_ConvertsInItsOwnTime(t *testing.T) {
	r := newWireRig(t)
	a, b := r.addresses(t)
	image := []byte{0x50, 0x05, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10, 0x1c}
	if got := r.match(t, a, 9, 0xBE); !bytes.Equal(got, image) {
		t.Errorf("before a conversion: % x; want % x", got, image)
	}
	if err := r.wire.Tx([]byte{0xCC, 0x44}, nil, onewire.WeakPullup); err != nil { // all at once
		t.Fatal(err)
	}
	r.clock.pass(749 * time.Millisecond)
	if got := r.match(t, a, 9, 0xBE); !bytes.Equal(got, image) {
		t.Errorf("too early: % x", got)
	}
	r.clock.pass(time.Millisecond)
	for addr, want := range map[onewire.Address]float64{a: 31.25, b: -5.5} {
		got := r.match(t, addr, 9, 0xBE)
		near(t, "temperature", celsius(got), want, 0.13)
		if !onewire.CheckCRC(got) || got[6] != 0x10-got[0]&0x0F {
			t.Errorf("% x is no scratchpad of a genuine chip", got)
		}
		near(t, "ledger", r.book.last(t, measure.WaterTemperature).Value, celsius(got), 0)
	}
	if got := r.match(t, onewire.Address(0x1100000000000028), 9, 0xBE); !bytes.Equal(got, bytes.Repeat([]byte{0xFF}, 9)) {
		t.Errorf("a chip that is not there: % x", got)
	}
	if got := r.match(t, a, 1, 0xB4); got[0] != 0xFF {
		t.Errorf("supply: %x", got)
	}
	// Two chips that answer at once read as the zeros of both.
	both := make([]byte, 8)
	if err := r.wire.Tx([]byte{0x33}, both, onewire.WeakPullup); err != nil || binary.LittleEndian.Uint64(both) != uint64(a&b) {
		t.Errorf("both ROMs at once: % x, %v", both, err)
	}
	if list, err := r.wire.Search(true); err != nil || len(list) != 2 { // as delivered: above 75 °C or below 70 °C
		t.Errorf("alarms: %x, %v", list, err)
	}
}

func TestOneWire_MemoryAndResolution(t *testing.T) {
	r := newWireRig(t)
	a, b := r.addresses(t)
	r.match(t, a, 0, 0x4E, 0x20, 0x10, 0x1F) // 9 bits, alarm beyond 16 and 32
	r.match(t, a, 0, 0x44)
	r.clock.pass(94 * time.Millisecond)
	got := r.match(t, a, 9, 0xBE)
	if celsius(got) != 31 && celsius(got) != 31.5 || got[2] != 0x20 || got[4] != 0x1F || !onewire.CheckCRC(got) {
		t.Errorf("9 bits: % x", got)
	}
	r.set(t, "a", fault.Unplug)
	if list, err := r.wire.Search(false); err != nil || len(list) != 1 {
		t.Errorf("one unplugged: %x, %v", list, err)
	}
	r.set(t, "a", fault.None)
	if got := r.match(t, a, 9, 0xBE); got[4] != 0x7F || got[2] != 0x4B || celsius(got) != 85 {
		t.Errorf("after a power cut: % x", got)
	}
	r.match(t, a, 0, 0x4E, 0x1E, 0x10, 0x3F)
	r.match(t, a, 0, 0x48)
	r.match(t, a, 0, 0x4E, 0x00, 0x00, 0x7F)
	r.match(t, a, 0, 0xB8)
	if got := r.match(t, a, 9, 0xBE); got[4] != 0x3F || r.dev["a"].EEPROMWrites() != 1 {
		t.Errorf("recalled: % x, %d writes", got, r.dev["a"].EEPROMWrites())
	}
	r.match(t, a, 0, 0x44)
	r.clock.pass(188 * time.Millisecond)
	r.match(t, a, 9, 0xBE)
	r.match(t, b, 0, 0x4E, 0x60, 0x10, 0x7F)
	if list, err := r.wire.Search(true); err != nil || len(list) != 1 || list[0] != a {
		t.Errorf("31 °C with an alarm at 30: %x, %v", list, err)
	}
}

func TestOneWire_Faults(t *testing.T) {
	r := newWireRig(t)
	a, b := r.addresses(t)
	read := func(x onewire.Address) []byte {
		t.Helper()
		r.match(t, x, 0, 0x44)
		r.clock.pass(time.Second)
		return r.match(t, x, 9, 0xBE)
	}
	first := read(a)
	r.set(t, "a", fault.CRC)
	if got := read(a); onewire.CheckCRC(got) {
		t.Errorf("crc: % x is fine", got)
	}
	r.set(t, "a", fault.Stuck)
	if got := read(a); !bytes.Equal(got, r.match(t, a, 9, 0xBE)) {
		t.Errorf("stuck: % x after % x", got, first)
	}
	r.set(t, "a", fault.PowerUp)
	if got := read(a); celsius(got) != 85 || got[6] != 0x0C {
		t.Errorf("powerup: % x", got)
	}
	r.set(t, "a", fault.Shorted) // the wire is one: the neighbour is gone, too
	if got := read(b); !bytes.Equal(got, make([]byte, 9)) {
		t.Errorf("shorted: % x", got)
	}
	if e := r.book.entries[len(r.book.entries)-1]; e.Device != "b" || e.Fault != string(fault.Shorted) {
		t.Errorf("a neighbour's short in the ledger: %+v", e)
	}
	r.set(t, "a", fault.Unplug)
	near(t, "the neighbour", celsius(read(b)), -5.5, 0.13)
	r.set(t, "b", fault.Unplug)
	err := r.wire.Tx([]byte{0xCC, 0x44}, nil, onewire.WeakPullup)
	if absent := onewire.NoDevicesError(nil); !errors.As(err, &absent) || !absent.NoDevices() {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := r.wire.Search(false); err == nil {
		t.Error("nobody there, and a search finds no fault")
	}
	for _, rom := range []string{"28-xyz", "10-00000a01f1a1", "28-000001318252"} {
		if err := r.wire.Add(chip.NewDS18B20(r.part(t, "bad"+rom, nil), rom, constant(0))); err == nil {
			t.Errorf("%s was wired", rom)
		}
	}
}
