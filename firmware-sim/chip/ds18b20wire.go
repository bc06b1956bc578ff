package chip

import (
	"encoding/binary"
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// Commands of a DS18B20 (data sheet, "DS18B20 Function Commands").
const (
	dsConvert = 0x44
	dsRead    = 0xBE
	dsWrite   = 0x4E
	dsCopy    = 0x48
	dsRecall  = 0xB8
	dsPower   = 0xB4
)

// dsMemory is the memory of a DS18B20 that is spoken to over its wire.
type dsMemory struct {
	pad    [9]byte
	eeprom [3]byte // alarm bytes and configuration
	copies int     // how often the EEPROM was written
	ready  time.Time
	busy   bool // converting until ready
	off    bool // without power
}

func newDSMemory() dsMemory {
	m := dsMemory{eeprom: [3]byte{0x4B, 0x46, 0x7F}}
	m.powerUp()
	return m
}

// powerUp is what the chip holds before its first conversion: 85 °C.
func (m *dsMemory) powerUp() {
	m.pad = scratchpad(85*16, 0x0C)
	m.busy, m.off = false, false
	m.recall()
}

func (m *dsMemory) recall() {
	copy(m.pad[2:5], m.eeprom[:])
	m.pad[8] = dallasCRC(m.pad[:8])
}

// bits is the resolution, 9 to 12.
func (m *dsMemory) bits() int { return 9 + int(m.pad[4]>>5&3) }

// powerOff has the chip start anew when it is spoken to again.
func (d *DS18B20) powerOff() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.memory.off = true
}

// EEPROMWrites returns how often the chip's EEPROM was written: it bears 50 000.
func (d *DS18B20) EEPROMWrites() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.memory.copies
}

// alarmed reports whether the last conversion is beyond the alarm bytes.
func (d *DS18B20) alarmed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	whole := int8(int16(binary.LittleEndian.Uint16(d.memory.pad[:])) >> 4)
	return whole >= int8(d.memory.pad[2]) || whole <= int8(d.memory.pad[3])
}

// say answers one command with n bytes; the caller has chosen the chip by its ROM.
func (d *DS18B20) say(command []byte, n int, now time.Time) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := &d.memory
	if n := d.part.Faults.Losses().Times; m.off || n != d.losses {
		m.powerUp()
		d.losses = n
	}
	d.finish(now)
	if len(command) == 0 {
		return nil
	}
	var out []byte
	switch command[0] {
	case romRead:
		out = binary.LittleEndian.AppendUint64(nil, uint64(d.address))
	case dsConvert:
		m.busy, m.ready = true, now.Add(dsConversion>>(12-m.bits()))
	case dsRead:
		out = d.readPad(now, n)
	case dsWrite:
		if len(command) == 4 {
			m.pad[2], m.pad[3], m.pad[4] = command[1], command[2], command[3]&0x60|0x1F
			m.pad[8] = dallasCRC(m.pad[:8])
		}
	case dsCopy:
		copy(m.eeprom[:], m.pad[2:5])
		m.copies++
	case dsRecall:
		m.recall()
	case dsPower:
		out = []byte{0xFF} // it has a supply wire
	}
	return out[:min(n, len(out))]
}

// finish ends a conversion whose time has come.
func (d *DS18B20) finish(now time.Time) {
	m := &d.memory
	kind := d.part.Faults.Kind()
	if !m.busy || now.Before(m.ready) || kind == fault.Stuck || kind == fault.PowerUp || kind == fault.BrownOut {
		return
	}
	m.busy = false
	raw := int16(math.Round(math.Max(-55, math.Min(125, d.water.at(d.part, m.ready))) * 16))
	raw &^= 1<<(12-m.bits()) - 1
	binary.LittleEndian.PutUint16(m.pad[:], uint16(raw))
	m.pad[6] = 0x10 - byte(raw&0x0F) // as genuine chips do
	m.pad[8] = dallasCRC(m.pad[:8])
}

// readPad is the scratchpad on its way to the master.
func (d *DS18B20) readPad(now time.Time, n int) []byte {
	kind := d.part.Faults.Kind()
	pad := d.memory.pad
	switch {
	case kind == fault.PowerUp, kind == fault.BrownOut:
		d.memory.powerUp()
		pad = d.memory.pad
		d.part.recordFault(now, measure.WaterTemperature, kind)
	case kind == fault.CRC:
		pad[0] ^= 0x08
		d.part.recordFault(now, measure.WaterTemperature, kind)
	case n == len(pad) && pad[6] == 0x0C && celsius16(pad) == 85: // nobody asked for a conversion since power came
	case n == len(pad):
		d.part.record(now, measure.WaterTemperature, celsius16(pad))
	}
	return pad[:]
}
