// Package scan finds the chips on a gateway's buses and proposes the configuration that reads them.
//
// Buses come in; what answers goes out (Found), and the lines of gateway.yaml for it (Propose). Questions are chosen so that
// no chip of another kind is harmed: an address is first read from, and only chips that can be of ours are asked who they
// are. What is not ours is named as far as its address says, and left alone.
package scan

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/onewire"

	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/rtu"
)

// Found is something that answers.
type Found struct {
	Bus     string       `json:"bus"`
	Spec    kind.BusSpec `json:"-"`                 // of Bus
	Address uint16       `json:"address,omitempty"` // I²C, or the unit on a serial line
	Device  string       `json:"device,omitempty"`  // 1-Wire
	Kind    string       `json:"kind,omitempty"`    // of the table of kinds; empty when no kind of ours is sure
	Chip    string       `json:"chip"`              // what it is, as far as it says so
	Inputs  []int        `json:"inputs,omitempty"`  // of a converter: where a soil probe is plugged in
	Line    string       `json:"line,omitempty"`    // how the serial line was set when it answered
	Baud    int          `json:"baud,omitempty"`    // of Line
	// Templates are those of hardware/probes whose registers a Modbus unit has, with values that can be: one is a good guess,
	// several are a question for whoever reads the label.
	Templates []string `json:"templates,omitempty"`
	Sensor    string   `json:"sensor,omitempty"` // id of the configured sensor that is here
}

// Trouble is a bus that could not be looked through to its end.
type Trouble struct {
	Bus string `json:"bus"`
	Err string `json:"err"`
}

// Report is what a scan found.
type Report struct {
	Found   []Found   `json:"found"`
	Trouble []Trouble `json:"trouble,omitempty"`
}

// Bus is a bus to look through: one of I2C, W1, OneWire and Line is set.
type Bus struct {
	Name    string
	Spec    kind.BusSpec
	I2C     i2c.Bus
	W1      fs.FS
	OneWire onewire.Bus
	Line    rtu.Master
}

// Options say how to look.
type Options struct {
	Clock sense.Clock
	// Hold runs f while nobody else uses a bus (Station.Do). nil: nobody does.
	Hold func(ctx context.Context, bus string, f func(ctx context.Context) error) error
	// Sensors are those of the configuration: what is found at their places is theirs, and not proposed again.
	Sensors []kind.Spec
	// Lines are the settings serial lines are tried with; none: serial lines are left alone, for it takes minutes.
	Lines []rtu.Line
	// Templates are what Modbus units are compared with.
	Templates []*probe.Template
	// Units are the first and the last unit that is asked on serial lines.
	Units [2]byte
}

// pause is between two addresses when the bus is shared: polls get their turn.
const pause = 2 * time.Millisecond

// Look looks through buses one after the other. A bus that fails is told as Trouble; the error is ctx's.
func Look(ctx context.Context, buses []Bus, o Options) (Report, error) {
	if o.Hold == nil {
		o.Hold = func(ctx context.Context, _ string, f func(context.Context) error) error { return f(ctx) }
	}
	var r Report
	for _, b := range buses {
		s := &scanner{o: o, bus: b}
		var err error
		switch {
		case b.I2C != nil:
			err = s.i2c(ctx)
		case b.W1 != nil:
			err = s.w1()
		case b.OneWire != nil:
			err = s.oneWire(ctx)
		case b.Line != nil:
			err = s.units(ctx)
		}
		if ctx.Err() != nil {
			return r, fmt.Errorf("scan: %w", ctx.Err())
		}
		if err != nil {
			r.Trouble = append(r.Trouble, Trouble{Bus: b.Name, Err: err.Error()})
		}
		r.Found = append(r.Found, s.found...)
	}
	return r, nil
}

// scanner looks through one bus.
type scanner struct {
	o     Options
	bus   Bus
	found []Found
}

func (s *scanner) add(f Found) {
	f.Bus, f.Spec = s.bus.Name, s.bus.Spec
	for _, c := range s.o.Sensors {
		if c.Bus != f.Bus || c.Address != f.Address || c.Device != f.Device {
			continue
		}
		if f.Sensor != "" {
			f.Sensor += " "
		}
		f.Sensor += c.ID
	}
	s.found = append(s.found, f)
}
