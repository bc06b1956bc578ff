package chip_test

import (
	"encoding/binary"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

func TestSeesaw_Registers(t *testing.T) {
	r := newRig()
	r.add(t, 0x36, chip.NewSeesaw(r.part(t, "soil", chip.SeesawFaults()), constant(30), constant(28)))
	ask := func(wait time.Duration, n int, w ...byte) []byte {
		t.Helper()
		r.tx(t, 0x36, w, 0)
		r.clock.pass(wait)
		return r.tx(t, 0x36, nil, n)
	}
	if b := ask(time.Millisecond, 1, 0x00, 0x01); b[0] != 0x55 {
		t.Errorf("id %x", b)
	}
	if b := ask(2*time.Millisecond, 2, 0x0F, 0x10); b[0] != 0xFF || b[1] != 0xFF {
		t.Errorf("too early: % x", b)
	}
	counts := float64(binary.BigEndian.Uint16(ask(3*time.Millisecond, 2, 0x0F, 0x10)))
	near(t, "counts", counts, 1220, 30)
	near(t, "ledger counts", r.book.last(t, measure.SoilCapacitance).Value, counts, 0)
	warm := float64(int32(binary.BigEndian.Uint32(ask(time.Millisecond, 4, 0x00, 0x04)))) / 65536
	near(t, "temperature", warm, 28, 2)
	near(t, "ledger temperature", r.book.last(t, measure.SoilTemperature).Value, warm, 1e-9)
	r.set(t, "soil", fault.Stuck)
	if b := ask(time.Second, 2, 0x0F, 0x10); b[0] != 0xFF || b[1] != 0xFF {
		t.Errorf("stuck: % x", b)
	}
	r.set(t, "soil", fault.None)
	r.tx(t, 0x36, []byte{0x00, 0x7F, 0xFF}, 0)
	r.noAck(t, 0x36, []byte{0x00, 0x01}, 0)
	r.clock.pass(time.Second)
	if b := ask(time.Millisecond, 1, 0x00, 0x01); b[0] != 0x55 {
		t.Errorf("id after a reset %x", b)
	}
}
