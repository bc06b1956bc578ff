package chip

import (
	"fmt"
	"math"
	"sync"
	"time"

	"periph.io/x/conn/v3/onewire"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// DS18B20 is a simulated Maxim DS18B20: at 12 bits as the kernel's w1_therm driver shows it (W1), or spoken to over its
// wire (OneWire). It is safe for concurrent use.
type DS18B20 struct {
	part    Part
	rom     string
	address onewire.Address // on a OneWire
	mu      sync.Mutex
	water   element
	last    [9]byte
	done    bool     // a conversion has been done
	memory  dsMemory // on a OneWire
	losses  int      // of power that its memory knows of
}

// NewDS18B20 makes a thermometer in water of a temperature (°C). rom is its name in the w1 folder; empty means one made
// of the seed, with family code 28 and the zeros of a genuine chip.
func NewDS18B20(p Part, rom string, water Source) *DS18B20 {
	if rom == "" {
		rom = fmt.Sprintf("28-0000%08x", uint32(mix(p.Seed, 0x28)))
	}
	return &DS18B20{part: p, rom: rom, water: element{source: water, noise: 0.02, wild: 2}, memory: newDSMemory()}
}

// DS18B20Faults are the faults a DS18B20 can have.
func DS18B20Faults() []fault.Kind {
	return []fault.Kind{
		fault.Unplug, fault.Shorted, fault.CRC, fault.Stuck, fault.Frozen, fault.PowerUp, fault.BrownOut, fault.WrongAddress, fault.Noise,
	}
}

// OneWireFaults are the faults a 1-Wire bus can have, as a folder or as a wire.
func OneWireFaults() []fault.Kind { return []fault.Kind{fault.Unplug, fault.Shorted, fault.PowerCut} }

// ROM returns the name of the chip's folder. With the fault of that name it is another chip's, as after a repair.
func (d *DS18B20) ROM() string {
	if d.part.Faults.Kind() != fault.WrongAddress {
		return d.rom
	}
	last := len(d.rom) - 1
	other := byte('0')
	if d.rom[last] == other {
		other = '1'
	}
	return d.rom[:last] + string(other)
}

// fault is what hinders the chip on a bus with a fault of its own.
func (d *DS18B20) fault(bus *fault.Switch) fault.Kind {
	kind := bus.Kind()
	if kind == fault.None {
		return d.part.Faults.Kind()
	}
	if kind == fault.PowerCut {
		return fault.Unplug
	}
	return kind
}

// Part returns what the device is made of.
func (d *DS18B20) Part() Part { return d.part }

// answer is one reading of w1_slave: the text, and what the ledger has to say when somebody reads it.
type answer struct {
	text  string
	value float64
	fault fault.Kind
}

// dsConversion is how long a conversion at 12 bits takes; each bit less takes half of it.
const dsConversion = 750 * time.Millisecond

// convert does one conversion that ends at t, on a bus with a fault of its own.
func (d *DS18B20) convert(t time.Time, bus *fault.Switch) answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	kind := d.fault(bus)
	switch {
	case kind == fault.Unplug:
		return answer{fault: kind}
	case kind == fault.Shorted:
		return answer{text: slaveText([9]byte{}), fault: kind} // a CRC of zeros is zero: the kernel says YES
	case kind == fault.PowerUp, kind == fault.BrownOut: // a conversion takes more current than anything else it does
		d.last = scratchpad(85*16, 0x0C)
		return answer{text: slaveText(d.last), fault: kind}
	case kind == fault.Stuck && d.done:
	default:
		raw := int16(math.Round(math.Max(-55, math.Min(125, d.water.at(d.part, t))) * 16))
		d.last = scratchpad(raw, 0x10-byte(raw&0x0F)) // as genuine chips do
		d.done = true
	}
	if kind == fault.CRC {
		bad := d.last
		bad[0] ^= 0x08
		return answer{text: slaveText(bad), fault: kind}
	}
	return answer{text: slaveText(d.last), value: celsius16(d.last)}
}

func (d *DS18B20) account(t time.Time, a answer) {
	if a.fault != fault.None {
		d.part.recordFault(t, measure.WaterTemperature, a.fault)
		return
	}
	d.part.record(t, measure.WaterTemperature, a.value)
}

// scratchpad is the chip's memory after a conversion: 12 bits, alarm bytes as delivered.
func scratchpad(raw int16, byte6 byte) [9]byte {
	s := [9]byte{byte(raw), byte(raw >> 8), 0x4B, 0x46, 0x7F, 0xFF, byte6, 0x10}
	s[8] = dallasCRC(s[:8])
	return s
}

func celsius16(s [9]byte) float64 { return float64(int16(uint16(s[1])<<8|uint16(s[0]))) / 16 }

// slaveText is what the kernel's w1_slave shows (Documentation/w1/slaves/w1_therm.rst).
func slaveText(s [9]byte) string {
	crc, verdict := dallasCRC(s[:8]), "NO"
	if crc == s[8] {
		verdict = "YES"
	}
	hex := fmt.Sprintf("% 02x", s[:])
	milli := int(celsius16(s) * 1000)
	return fmt.Sprintf("%s : crc=%02x %s\n%s t=%d\n", hex, crc, verdict, hex, milli)
}

// dallasCRC is the 1-Wire CRC-8: x^8+x^5+x^4+1, reflected, start 0 (Maxim application note 27).
func dallasCRC(b []byte) byte {
	var crc byte
	for _, x := range b {
		crc ^= x
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0x8C
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}
