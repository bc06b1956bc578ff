package chip_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/sense"
)

// asked is what a circuit answers to a command after a second.
func (r *rig) asked(t *testing.T, addr uint16, command string) string {
	t.Helper()
	r.tx(t, addr, []byte(command), 0)
	r.clock.pass(time.Second)
	return r.answer(t, addr)
}

func (r *rig) answer(t *testing.T, addr uint16) string {
	t.Helper()
	text, _, _ := bytes.Cut(r.tx(t, addr, nil, 32), []byte{0})
	return string(text)
}

func ezoPair(t *testing.T) *rig {
	t.Helper()
	r := newRig()
	sw, err := r.board.Add("bus", chip.BusFaults()...)
	if err != nil {
		t.Fatal(err)
	}
	r.bus.Suffer(sw)
	r.add(t, 0x61, chip.NewEZODO(r.part(t, "do", chip.EZOFaults()), constant(6), constant(25), constant(0), constant(1013.25)))
	r.add(t, 0x63, chip.NewEZOPH(r.part(t, "ph", chip.EZOFaults()), constant(7), constant(25)))
	return r
}

func TestBus_AChipThatRefuses(t *testing.T) {
	r := ezoPair(t)
	r.asked(t, 0x63, "T,31")
	r.set(t, "ph", fault.NAK)
	r.noAck(t, 0x63, []byte("R"), 0)
	r.noAck(t, 0x63, nil, 1)
	r.set(t, "ph", fault.NAKData)
	r.noAck(t, 0x63, []byte("R"), 0)
	if got := r.answer(t, 0x63); got != "\xff" {
		t.Errorf("what was not taken is answered: %q", got)
	}
	r.set(t, "ph", fault.None)
	if got := r.asked(t, 0x63, "T,?"); got != "\x01?T,31.0" { // it kept its power
		t.Errorf("%q", got)
	}
}

func TestBus_TheSupplyDips(t *testing.T) {
	r := ezoPair(t)
	r.asked(t, 0x63, "T,31")
	r.set(t, "ph", fault.BrownOut)
	r.tx(t, 0x63, []byte("R"), 0)
	r.clock.pass(time.Second)
	if got := r.answer(t, 0x63); got != "\xff" {
		t.Errorf("a circuit that started anew answers %q", got)
	}
	r.set(t, "ph", fault.None)
	for command, want := range map[string]string{"T,?": "\x01?T,25.0", "Status": "\x01?Status,B,5.03", "Cal,?": "\x01?Cal,3"} {
		if got := r.asked(t, 0x63, command); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
	if got := r.asked(t, 0x61, "Status"); got != "\x01?Status,P,5.03" {
		t.Errorf("its neighbour: %q", got)
	}
}

func TestBus_TwoChipsAtOneAddress(t *testing.T) {
	r := ezoPair(t)
	do, ph := r.asked(t, 0x61, "I"), r.asked(t, 0x63, "I")
	if err := r.board.Set("ph", fault.WrongAddress, 0x61); err != nil {
		t.Fatal(err)
	}
	both := r.asked(t, 0x61, "I")
	for i := range both {
		if both[i] != do[i]&ph[i] {
			t.Errorf("byte %d of %q is no wired AND of %q and %q", i, both, do, ph)
		}
	}
	r.noAck(t, 0x63, []byte("I"), 0)
	if !slices.ContainsFunc(r.book.all(), func(e ledger.Entry) bool { return e.Device == "ph" && e.Fault == "wrong-address" }) {
		t.Error("the ledger does not know that it was asked in vain")
	}
	r.set(t, "ph", fault.None)
	if got := r.asked(t, 0x63, "I"); got != ph {
		t.Errorf("back at its own: %q", got)
	}
}

func TestBus_AHeldWireStopsAllUntilThePowerIsCycled(t *testing.T) {
	for kind, check := range map[fault.Kind]func(b []byte, err error) bool{
		fault.SDALow:   func(b []byte, err error) bool { return err == nil && bytes.Equal(b, make([]byte, len(b))) },
		fault.SCLLow:   func(_ []byte, err error) bool { return err != nil && !errors.Is(err, sense.ErrNoAck) },
		fault.PowerCut: func(_ []byte, err error) bool { return errors.Is(err, sense.ErrNoAck) },
		fault.Unplug:   func(_ []byte, err error) bool { return errors.Is(err, sense.ErrNoAck) },
	} {
		r := ezoPair(t)
		r.asked(t, 0x61, "T,31")
		r.asked(t, 0x63, "T,31")
		r.set(t, "bus", kind)
		for _, addr := range []uint16{0x61, 0x63} {
			b := []byte{7, 7}
			if err := r.bus.Tx(addr, nil, b); !check(b, err) {
				t.Errorf("%s: 0x%02x: % x, %v", kind, addr, b, err)
			}
		}
		r.set(t, "bus", fault.None)
		for addr, usual := range map[uint16]string{0x61: "\x01?T,20.0", 0x63: "\x01?T,25.0"} {
			if got := r.asked(t, addr, "T,?"); got != usual {
				t.Errorf("%s, healed: 0x%02x: %q, want %q", kind, addr, got, usual)
			}
		}
	}
}

// A chip that was unplugged between two questions has lost its power although nobody asked in between.
func TestBus_AShortLossOfPowerIsOneToo(t *testing.T) {
	r := ezoPair(t)
	r.asked(t, 0x63, "T,31")
	r.set(t, "ph", fault.Unplug)
	r.set(t, "ph", fault.None)
	if got := r.asked(t, 0x63, "T,?"); got != "\x01?T,25.0" {
		t.Errorf("%q", got)
	}
}

func TestEZO_IsToldAnotherAddress(t *testing.T) {
	r := ezoPair(t)
	for _, line := range []string{"I2C,0", "I2C,128", "I2C,x", "I2C", "Plock,2"} {
		if got := r.asked(t, 0x63, line); got != "\x02" {
			t.Errorf("%s: %q", line, got)
		}
	}
	if got := r.asked(t, 0x63, "Plock,1") + r.asked(t, 0x63, "I2C,100") + r.asked(t, 0x63, "Plock,?"); got != "\x01\x02\x01?Plock,1" {
		t.Errorf("locked: %q", got)
	}
	r.asked(t, 0x63, "Plock,0")
	r.tx(t, 0x63, []byte("I2C,100"), 0)
	r.noAck(t, 0x63, []byte("I"), 0)
	if got := r.asked(t, 100, "Status"); got != "\x01?Status,S,5.03" {
		t.Errorf("at its new address: %q", got)
	}
	if got := r.asked(t, 100, "Factory") + r.asked(t, 100, "I"); !strings.HasPrefix(got, "\x01\x01?I,pH") {
		t.Errorf("after Factory: %q", got)
	}
}
