package scan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ds18b20"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/rtu"
)

// w1 lists the devices the kernel found. It searches by itself, every few seconds.
func (s *scanner) w1() error {
	entries, err := fs.ReadDir(s.bus.W1, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		family, _, ok := strings.Cut(name, "-")
		switch {
		case ds18b20.ValidDevice(name):
			s.add(Found{Device: name, Kind: "ds18b20", Chip: "DS18B20"})
		case ok && len(family) == 2:
			s.add(Found{Device: name, Chip: "unknown (1-Wire family " + family + ")"})
		}
	}
	return nil
}

// oneWire searches a bus that is spoken to. A wire on which nobody is has no trouble.
func (s *scanner) oneWire(ctx context.Context) error {
	return s.o.Hold(ctx, s.bus.Name, func(context.Context) error {
		devices, err := ds18b20.Find(s.bus.OneWire)
		if fault, ok := errors.AsType[*sense.Fault](err); ok && fault.Reason == measure.NoResponse {
			return nil
		}
		for _, d := range devices {
			s.add(Found{Device: d, Kind: "ds18b20", Chip: "DS18B20"})
		}
		return err
	})
}

const (
	// unitTimeout is how long a unit has to begin its answer; slow probes take 150 ms.
	unitTimeout = 250 * time.Millisecond
	readHolding = 3
)

// chatter is how many units one after the other give garbage before it is something that speaks unasked.
const chatter = 4

// units asks every unit for one register, with every setting of the line. A line on which something speaks by itself is
// told of and not asked further.
func (s *scanner) units(ctx context.Context) error {
	var noisy []error
	for _, line := range s.o.Lines {
		var garbled []Found
		for unit := int(s.o.Units[0]); unit <= int(s.o.Units[1]) && len(garbled) < chatter; unit++ {
			f, err := s.unit(ctx, line, byte(unit))
			if err != nil {
				return err
			}
			switch {
			case f == nil:
				continue
			case f.Chip == garbledUnit:
				garbled = append(garbled, *f)
			case f.Chip == modbusUnit:
				if err := s.recognise(ctx, line, f); err != nil {
					return err
				}
			}
			s.add(*f)
		}
		if len(garbled) == chatter {
			s.found = slices.DeleteFunc(s.found, func(f Found) bool { return f.Chip == garbledUnit && f.Line == line.String() })
			noisy = append(noisy, fmt.Errorf("at %s there is something that speaks without being asked: a level sensor (kind ultrasonic-uart) has a line to itself; "+
				"if it is none, try the probe's own speed (--serial), and look for A and B exchanged", line))
		}
	}
	return errors.Join(noisy...)
}

// What is said of a unit that answers.
const (
	modbusUnit  = "Modbus unit"
	garbledUnit = "Modbus unit? its answer is garbled: two units with one number, another speed, or a bad line"
)

// unit asks one unit; nil when it is not there. An exception is an answer, too.
func (s *scanner) unit(ctx context.Context, line rtu.Line, unit byte) (*Found, error) {
	request := rtu.Request{Line: line, Unit: unit, PDU: []byte{readHolding, 0, 0, 0, 1}, Timeout: unitTimeout}
	err := s.o.Hold(ctx, s.bus.Name, func(ctx context.Context) error {
		_, err := s.bus.Line.Do(ctx, request)
		return err
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f := &Found{Address: uint16(unit), Line: line.String(), Baud: line.Baud, Chip: modbusUnit}
	fault, ok := errors.AsType[*sense.Fault](err)
	if !ok {
		if err != nil {
			return nil, fmt.Errorf("unit %d: %w", unit, err)
		}
		return f, nil
	}
	switch fault.Reason {
	case measure.Refused:
	case measure.CRC, measure.Garbled:
		f.Chip = garbledUnit
	case measure.NoResponse, measure.NotReady:
		return nil, nil
	case measure.BusDown, measure.Shorted, measure.PowerUp, measure.Calibrating:
		return nil, err
	}
	return f, nil
}

// recognise asks a unit the questions of every template and keeps those it answers with values that can be. Templates whose
// probe must be told to measure first are left out: a scan tells nobody anything.
func (s *scanner) recognise(ctx context.Context, line rtu.Line, f *Found) error {
	for _, t := range s.o.Templates {
		m := t.Modbus
		if m == nil || m.Start != nil || m.Line.Parity != line.Parity || m.Line.StopBits != line.StopBits {
			continue
		}
		err := s.o.Hold(ctx, s.bus.Name, func(ctx context.Context) error { return s.fits(ctx, m, line, byte(f.Address)) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			f.Templates = append(f.Templates, t.ID)
		}
	}
	if len(f.Templates) == 1 {
		f.Kind, f.Chip = "modbus", "Modbus unit, answers like "+f.Templates[0]
	}
	return nil
}

// fits asks the reads of a template; the error says why the unit is not like it.
func (s *scanner) fits(ctx context.Context, m *probe.Modbus, line rtu.Line, unit byte) error {
	for i := range m.Reads {
		r := &m.Reads[i]
		pdu, err := s.bus.Line.Do(ctx, rtu.Request{Line: line, Unit: unit, PDU: r.PDU(), Timeout: m.Timeout, Quiet: m.Quiet})
		if err != nil {
			return err
		}
		if len(pdu) < 2 {
			return sense.Faultf(measure.Garbled, "an answer of %d bytes", len(pdu))
		}
		samples, err := r.Decode(pdu[2:])
		if err != nil {
			return err
		}
		for _, x := range samples {
			quality, err := x.Quantity.Grade(x.Value)
			if err != nil {
				return err
			}
			if worst := measure.Worse(quality, x.Quality); worst >= measure.OutOfRange {
				return sense.Faultf(measure.Garbled, "%s of %v", x.Quantity, x.Value)
			}
		}
	}
	return nil
}
