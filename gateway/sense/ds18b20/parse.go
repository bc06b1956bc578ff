package ds18b20

import (
	"encoding/hex"
	"strings"

	"periph.io/x/conn/v3/onewire"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// Scratchpad is the nine bytes of the chip's memory, the last of them the CRC of the others.
type Scratchpad [9]byte

// Parse reads what the kernel's file w1_slave says, such as
//
//	9e 01 4b 46 7f ff 02 10 56 : crc=56 YES
//	9e 01 4b 46 7f ff 02 10 56 t=25875
//
// and checks the CRC itself. The second line adds nothing to the first: it repeats the last good bytes. An error is a
// *sense.Fault.
func Parse(text []byte) (Scratchpad, error) {
	var pad Scratchpad
	if len(strings.TrimSpace(string(text))) == 0 {
		return pad, sense.Faultf(measure.NoResponse, "ds18b20: the kernel's file is empty: nobody answered")
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) != len(pad)+3 || fields[9] != ":" || !strings.HasPrefix(fields[10], "crc=") {
		return pad, sense.Faultf(measure.Garbled, "ds18b20: %.80q is no line of w1_slave", line)
	}
	for i := range pad {
		b, err := hex.DecodeString(fields[i])
		if err != nil || len(b) != 1 {
			return pad, sense.Faultf(measure.Garbled, "ds18b20: %.80q: byte %d is no byte", line, i)
		}
		pad[i] = b[0]
	}
	if err := pad.check(); err != nil {
		return pad, err
	}
	if fields[11] != "YES" {
		return pad, sense.Faultf(measure.CRC, "ds18b20: scratchpad % x: the kernel says %q", pad[:], fields[11])
	}
	return pad, nil
}

// check reports what is no memory of a chip.
func (p Scratchpad) check() error {
	switch {
	case p == Scratchpad{}: // its CRC fits: a CRC that begins with 0 accepts zeros
		return sense.Faultf(measure.Shorted, "ds18b20: all zeros: the data wire touches ground")
	case p == Scratchpad{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}:
		return sense.Faultf(measure.NoResponse, "ds18b20: all ones: nobody drives the data wire")
	case !onewire.CheckCRC(p[:]):
		return sense.Faultf(measure.CRC, "ds18b20: scratchpad % x: the CRC does not match: check the cable's length and pull-up", p[:])
	}
	return nil
}
