package chip_test

import (
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
)

// No transaction, however senseless, breaks a chip: it answers, or it does not acknowledge.
func FuzzBus_Tx(f *testing.F) {
	for _, seed := range []string{"R", "RT,25.5", "T,?", "Cal,mid,7", "S,5,ppt", "\x01\xC3\x83", "\xFD", "\xF2\x01", "\xF4\x25", "\xFF\xFF"} {
		f.Add(byte(0), []byte(seed), byte(8))
	}
	f.Fuzz(func(t *testing.T, which byte, w []byte, n byte) {
		r := newRig()
		addrs := []uint16{0x44, 0x48, 0x61, 0x63, 0x76}
		r.add(t, addrs[0], chip.NewSHT4x(r.part(t, "a", nil), constant(25), constant(80)))
		r.add(t, addrs[1], chip.NewADS1115(r.part(t, "b", nil)))
		r.add(t, addrs[2], chip.NewEZODO(r.part(t, "c", nil), constant(6), constant(25), constant(0), constant(1013.25)))
		r.add(t, addrs[3], chip.NewEZOPH(r.part(t, "d", nil), constant(7), constant(25)))
		r.add(t, addrs[4], chip.NewBME280(r.part(t, "e", nil), constant(25), constant(80), constant(1010)))
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
