package field

import (
	"time"

	"aovuon/firmware-sim/fault"
)

// Fault is a fault that comes by itself, by the world's clock: at speed 60 an hour of it is a minute. Exactly one of At and After
// says when, or neither for what comes every so often from the start on.
type Fault struct {
	Device string        `yaml:"device"` // or Bus
	Bus    string        `yaml:"bus"`
	Fault  string        `yaml:"fault"`
	Params []float64     `yaml:"params"` // the number that some faults take
	At     string        `yaml:"at"`     // "2026-03-10 05:00", Vietnamese time, or RFC 3339
	After  time.Duration `yaml:"after"`  // since the field was started
	Every  time.Duration `yaml:"every"`  // and again so often
	For    time.Duration `yaml:"for"`    // empty: until somebody heals it
}

// civil is how a time is written that has no zone: Vietnamese civil time.
const civil = "2006-01-02 15:04"

// schedule puts a fault of the file on the board. at is where it stands in the file.
func (f *Field) schedule(at string, e Fault) error {
	name := e.Device + e.Bus
	_, isBus := f.busOf(name)
	switch {
	case (e.Device == "") == (e.Bus == ""):
		return wrong(at, "a fault of nothing, or of two things: want either device or bus")
	case e.Bus != "" && !isBus:
		return wrong(at+".bus", "fault %s: no bus %q: name one of buses", e.Fault, e.Bus)
	case e.Device != "" && isBus:
		return wrong(at+".device", "fault %s: %s is a bus: write bus: %s", e.Fault, name, name)
	case e.At != "" && e.After != 0:
		return wrong(at+".after", "fault %s of %s: want at or after, not both", e.Fault, name)
	case e.At == "" && e.After == 0 && e.Every == 0:
		return wrong(at, "fault %s of %s: when? Want at, after or every", e.Fault, name)
	case e.After < 0 || e.Every < 0 || e.For < 0:
		return wrong(at, "fault %s of %s: no time runs backwards: want after, every and for above 0", e.Fault, name)
	}
	first := f.start.Add(e.After)
	if e.At != "" {
		var err error
		if first, err = instant(e.At); err != nil {
			return wrong(at+".at", "fault %s of %s: at %q is no time: want such as 2026-03-10 05:00, or 2026-03-10T05:00:00+07:00", e.Fault, name, e.At)
		}
	} else if e.After == 0 {
		first = f.start.Add(e.Every)
	}
	err := f.board.Schedule(fault.Event{Device: name, Kind: fault.Kind(e.Fault), Params: e.Params, First: first, Every: e.Every, For: e.For})
	if err != nil {
		return wrong(at, "%w", err)
	}
	f.wilful = f.wilful || f.motors[name] != nil
	return nil
}

func instant(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return time.ParseInLocation(civil, text, time.FixedZone("+07", 7*3600))
}

// busOf finds a bus by its id.
func (f *Field) busOf(id string) (Bus, bool) {
	for _, b := range f.cfg.Buses {
		if b.ID == id {
			return b, true
		}
	}
	return Bus{}, false
}
