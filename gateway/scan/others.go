package scan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ds18b20"
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

const (
	// unitTimeout is how long a unit has to begin its answer; slow probes take 150 ms.
	unitTimeout = 250 * time.Millisecond
	readHolding = 3
)

// units asks every unit for one register, with every setting of the line. An exception is an answer, too.
func (s *scanner) units(ctx context.Context) error {
	for _, line := range s.o.Lines {
		for unit := int(s.o.Units[0]); unit <= int(s.o.Units[1]); unit++ {
			request := rtu.Request{Line: line, Unit: byte(unit), PDU: []byte{readHolding, 0, 0, 0, 1}, Timeout: unitTimeout}
			err := s.o.Hold(ctx, s.bus.Name, func(ctx context.Context) error {
				_, err := s.bus.Line.Do(ctx, request)
				return err
			})
			if ctx.Err() != nil {
				return ctx.Err()
			}
			f := Found{Address: uint16(unit), Line: line.String(), Chip: "Modbus unit"}
			if fault, ok := errors.AsType[*sense.Fault](err); ok {
				switch fault.Reason {
				case measure.Refused:
				case measure.CRC, measure.Garbled:
					f.Chip = "Modbus unit? its answer is garbled: two units with one number, another speed, or a bad line"
				case measure.NoResponse, measure.NotReady:
					continue
				case measure.BusDown, measure.Shorted, measure.PowerUp, measure.Calibrating:
					return err
				}
			} else if err != nil {
				return fmt.Errorf("unit %d: %w", unit, err)
			}
			s.add(f)
		}
	}
	return nil
}
