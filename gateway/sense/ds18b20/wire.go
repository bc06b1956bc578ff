package ds18b20

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"periph.io/x/conn/v3/onewire"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// The commands in use. Those that write the chip's memory (0x4E, 0x48) are not: its EEPROM wears out, and the kernel's
// driver or another program may have settings in it.
const (
	commandMatch   = 0x55 // the chip whose ROM follows
	commandConvert = 0x44
	commandRead    = 0xBE // the scratchpad

	family     = 0x28
	converting = 750 * time.Millisecond // at 12 bits, the most
)

// Wire is one thermometer on a bus that periph drives. It is used by one goroutine at a time.
type Wire struct {
	bus   onewire.Bus
	rom   onewire.Address
	clock sense.Clock
}

// NewWire returns the thermometer called device ("28-0123456789ab", as ValidDevice has it) on bus.
func NewWire(bus onewire.Bus, device string, clock sense.Clock) *Wire {
	return &Wire{bus: bus, rom: Address(device), clock: clock}
}

// Sense implements sense.Sensor: one water temperature in °C.
func (w *Wire) Sense(ctx context.Context) ([]sense.Sample, error) {
	// A strong pull-up feeds chips without a supply wire of their own, where the bus has one. Linux's has none.
	if err := w.tx(commandConvert, nil, onewire.StrongPullup); err != nil {
		return nil, err
	}
	if err := w.clock.Sleep(ctx, converting); err != nil {
		return nil, err
	}
	var pad Scratchpad
	if err := w.tx(commandRead, pad[:], onewire.WeakPullup); err != nil {
		return nil, err
	}
	if err := pad.check(); err != nil {
		return nil, err
	}
	celsius, err := pad.Celsius()
	if err != nil {
		return nil, err
	}
	return []sense.Sample{{Quantity: measure.WaterTemperature, Value: celsius}}, nil
}

// tx resets the bus, addresses the thermometer, and says a command.
func (w *Wire) tx(command byte, r []byte, power onewire.Pullup) error {
	ask := binary.LittleEndian.AppendUint64([]byte{commandMatch}, uint64(w.rom))
	if err := w.bus.Tx(append(ask, command), r, power); err != nil {
		return wireFault(err)
	}
	return nil
}

// wireFault gives the error of a 1-Wire transaction its reason.
func wireFault(err error) *sense.Fault {
	var absent onewire.NoDevicesError
	var shorted onewire.ShortedBusError
	switch {
	case errors.As(err, &shorted) && shorted.IsShorted():
		return &sense.Fault{Reason: measure.Shorted, Err: fmt.Errorf("ds18b20: the data wire touches ground: %w", err)}
	case errors.As(err, &absent) && absent.NoDevices():
		return &sense.Fault{Reason: measure.NoResponse, Err: fmt.Errorf("ds18b20: nobody is on the bus: check its three wires: %w", err)}
	}
	return sense.BusFault(err)
}

// Address is the ROM of the thermometer that the kernel calls device.
func Address(device string) onewire.Address {
	serial, err := strconv.ParseUint(device[min(3, len(device)):], 16, 48)
	if err != nil {
		return 0 // no name of a thermometer: nobody answers
	}
	rom := binary.LittleEndian.AppendUint64(nil, serial<<8|family)
	rom[7] = onewire.CalcCRC(rom[:7])
	return onewire.Address(binary.LittleEndian.Uint64(rom))
}

// Find lists the thermometers on a bus by the names the kernel gives them, sorted. A ROM whose CRC does not match is a
// fault: a long cable without enough pull-up shows chips that are not there.
func Find(bus onewire.Bus) ([]string, error) {
	list, err := bus.Search(false)
	if err != nil {
		return nil, wireFault(err)
	}
	var found []string
	for _, a := range list {
		rom := binary.LittleEndian.AppendUint64(nil, uint64(a))
		switch {
		case !onewire.CheckCRC(rom):
			return nil, sense.Faultf(measure.CRC, "ds18b20: ROM % x: the CRC does not match: check the cable's length and pull-up", rom)
		case rom[0] == family:
			found = append(found, fmt.Sprintf("28-%012x", uint64(a)<<8>>16))
		}
	}
	slices.Sort(found)
	return found, nil
}
