package chip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"periph.io/x/conn/v3/onewire"

	"aovuon/firmware-sim/fault"
)

// ROM commands of the 1-Wire bus (DS18B20 data sheet, "ROM Commands").
const (
	romRead  = 0x33
	romMatch = 0x55
	romSkip  = 0xCC
)

// nobodyError is what a bus master reports when no chip answers its reset.
type nobodyError struct{ bus string }

func (e nobodyError) Error() string { return "chip: 1-Wire bus " + e.bus + ": no presence pulse" }

// NoDevices implements onewire.NoDevicesError.
func (e nobodyError) NoDevices() bool { return true }

// errROM is wrapped by the error of a ROM that no chip can have.
var errROM = errors.New("bad ROM")

// OneWire is a simulated 1-Wire bus and its master; it implements periph's onewire.Bus and is safe for concurrent use. Its
// chips are the same as those of W1, one level deeper: their scratchpads are read and written.
type OneWire struct {
	name   string
	now    func() time.Time
	faults *fault.Switch

	mu     sync.Mutex
	chips  []*DS18B20
	losses int // of the bus's power that its chips know of
}

// NewOneWire returns a bus with no chips. now is the clock its conversions run by.
func NewOneWire(name string, now func() time.Time) *OneWire {
	return &OneWire{name: name, now: now, faults: new(fault.Switch)}
}

// Suffer has the bus suffer the faults of a switch (OneWireFaults).
func (o *OneWire) Suffer(sw *fault.Switch) { o.faults = sw }

// Add wires a thermometer to the bus, before the bus is used. Its ROM must be of the form 28-0123456789ab, and its own.
func (o *OneWire) Add(d *DS18B20) error {
	a, ok := romAddress(d.rom)
	if !ok {
		return fmt.Errorf("chip: %w: %s: %q; want 28-0123456789ab", errROM, d.part.Name, d.rom)
	}
	for _, c := range o.chips {
		if c.rom == d.rom {
			return fmt.Errorf("chip: %w: %s and %s both have %s", errROM, c.part.Name, d.part.Name, d.rom)
		}
	}
	d.address = a
	o.chips = append(o.chips, d)
	return nil
}

// romAddress turns the kernel's name of a chip into its ROM: family, serial number with its lowest byte first, CRC.
func romAddress(name string) (onewire.Address, bool) {
	digits, ok := strings.CutPrefix(name, "28-")
	serial, err := strconv.ParseUint(digits, 16, 48)
	if !ok || err != nil || len(digits) != 12 {
		return 0, false
	}
	rom := binary.LittleEndian.AppendUint64(nil, serial<<8|0x28)
	rom[7] = dallasCRC(rom[:7])
	return onewire.Address(binary.LittleEndian.Uint64(rom)), true
}

// String implements onewire.Bus.
func (o *OneWire) String() string { return o.name }

// present are the chips that answer a reset. One that comes back has lost its power.
func (o *OneWire) present() (list []*DS18B20, shorted bool) {
	cut := o.faults.Losses().Times
	lost := cut != o.losses
	o.losses = cut
	for _, c := range o.chips {
		if a, ok := romAddress(c.ROM()); ok {
			c.address = a
		}
		kind := c.fault(o.faults)
		if lost {
			c.powerOff()
		}
		if kind == fault.Unplug {
			continue
		}
		shorted = shorted || kind == fault.Shorted
		list = append(list, c)
	}
	return list, shorted
}

// Tx implements onewire.Bus: reset, write, read. What nobody drives reads as ones, and several chips that answer at once
// read as the zeros of all of them.
func (o *OneWire) Tx(w, r []byte, _ onewire.Pullup) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	list, shorted := o.present()
	asked, command := o.selected(w)
	for _, c := range asked {
		switch {
		case len(r) == 0:
		case shorted: // by whichever of them
			c.part.recordFault(now, "", fault.Shorted)
		case c.fault(o.faults) == fault.Unplug:
			c.part.recordFault(now, "", fault.Unplug)
		}
	}
	if len(list) == 0 {
		return nobodyError{o.name}
	}
	if shorted { // one chip pulls the wire of all to ground
		clear(r)
		return nil
	}
	for i := range r {
		r[i] = 0xFF
	}
	for _, c := range asked {
		if !slices.Contains(list, c) {
			continue
		}
		for i, b := range c.say(command, len(r), now) {
			r[i] &= b
		}
	}
	return nil
}

// selected returns the chips that a ROM command speaks to, and what is said to them. Reading the ROM is said as such.
func (o *OneWire) selected(w []byte) (asked []*DS18B20, command []byte) {
	switch {
	case len(w) == 1 && w[0] == romRead:
		return o.chips, w
	case len(w) > 1 && w[0] == romSkip:
		return o.chips, w[1:]
	case len(w) > 9 && w[0] == romMatch:
		for _, c := range o.chips {
			if c.address == onewire.Address(binary.LittleEndian.Uint64(w[1:9])) {
				asked = append(asked, c)
			}
		}
		return asked, w[9:]
	}
	return nil, nil
}

// Search implements onewire.Bus. With alarmOnly it finds the chips whose last conversion is beyond their alarm bytes.
func (o *OneWire) Search(alarmOnly bool) ([]onewire.Address, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	list, shorted := o.present()
	if shorted {
		return nil, nil // every bit and its complement read 0 at every place: the search follows one path of zeros
	}
	if len(list) == 0 {
		return nil, nobodyError{o.name}
	}
	var found []onewire.Address
	for _, c := range list {
		if !alarmOnly || c.alarmed() {
			found = append(found, c.address)
		}
	}
	slices.Sort(found)
	return found, nil
}
