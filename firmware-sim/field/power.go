package field

import (
	"fmt"
	"slices"
	"strings"

	"periph.io/x/conn/v3/gpio"
)

// Wires are the buses of a gateway's configuration, as it names them.
type Wires struct {
	I2C, W1, OneWire, Serial, Pins []string
}

// BusesOf returns the ids of the buses of the field that wires lead to, in the file's order.
func (f *Field) BusesOf(w Wires) (ids []string) {
	leads := func(to string, wires []string) bool {
		return to != "" && slices.ContainsFunc(wires, func(wire string) bool {
			path, _, _ := strings.Cut(strings.TrimPrefix(wire, "unix:"), "#")
			return same(path, to)
		})
	}
	for _, b := range f.cfg.Buses {
		if leads(b.Socket, w.I2C) || leads(b.W1, w.W1) || leads(b.Serial, w.Serial) || leads(b.Pins, w.Pins) || b.OneWire != "" && slices.Contains(w.OneWire, b.OneWire) {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

// FallOff lets every relay on the pins of buses go, as when their gateway loses its power.
func (f *Field) FallOff(buses []string) error {
	for _, d := range f.cfg.Devices {
		m, ok := f.motors[d.ID]
		if !ok || !slices.Contains(buses, d.Bus) {
			continue
		}
		if err := m.relay.Out(gpio.Level(d.Relay.ActiveLow)); err != nil {
			return fmt.Errorf("field: %s: %w", d.ID, err)
		}
	}
	return nil
}
