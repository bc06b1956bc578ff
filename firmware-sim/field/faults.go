package field

import (
	"slices"
	"strings"
	"time"

	"aovuon/firmware-sim/fault"
)

// Fault is a fault that comes by itself, by the world's clock: at speed 60 an hour of it is a minute. Exactly one of At and After
// says when, or neither for what comes every so often from the start on.
type Fault struct {
	Device  string        `yaml:"device"` // or one of the next four
	Bus     string        `yaml:"bus"`
	Gateway string        `yaml:"gateway"` // of those that are hosted; or all
	Link    string        `yaml:"link"`    // of a gateway; or all
	Program string        `yaml:"program"` // of those that are hosted; or all
	Fault   string        `yaml:"fault"`   // of a gateway, link or program: in the words of its command, such as lossy 30
	Params  []float64     `yaml:"params"`  // of a device or bus: the number that some faults take
	At      string        `yaml:"at"`      // "2026-03-10 05:00", Vietnamese time, or RFC 3339
	After   time.Duration `yaml:"after"`   // since the field was started
	Every   time.Duration `yaml:"every"`   // and again so often
	For     time.Duration `yaml:"for"`     // empty: until somebody heals it
}

// civil is how a time is written that has no zone: Vietnamese civil time.
const civil = "2006-01-02 15:04"

// MachineFault is a fault of what is hosted that comes by itself. Times are the world's.
type MachineFault struct {
	At         string // where it stands in the file, for errors: faults[2]
	Verb, ID   string // gateway, link or program; which
	Fault      string // the rest of the command
	First      time.Time
	Every, For time.Duration
}

// MachineFaults are the faults of the file that whoever hosts its machines has to play.
func (f *Field) MachineFaults() []MachineFault { return slices.Clone(f.machines) }

// OfMachine reports whether it is a fault of what is hosted.
func (e Fault) OfMachine() bool { return e.Gateway+e.Link+e.Program != "" }

// target is what the fault is of: the key that names it, and its value.
func (e Fault) target() (key, name string, one bool) {
	n := 0
	for _, t := range [][2]string{{"device", e.Device}, {"bus", e.Bus}, {"gateway", e.Gateway}, {"link", e.Link}, {"program", e.Program}} {
		if t[1] != "" {
			key, name = t[0], t[1]
			n++
		}
	}
	return key, name, n == 1
}

// schedule puts a fault of the file on the board. at is where it stands in the file.
func (f *Field) schedule(at string, e Fault) error {
	key, name, one := e.target()
	_, isBus := f.busOf(name)
	switch {
	case !one:
		return wrong(at, "a fault of nothing, or of two things: want one of device or bus, gateway, link and program")
	case e.OfMachine() && !f.cfg.hosts(key, name):
		return wrong(at+"."+key, "fault %s: no %s %q: name one that the file hosts (gateways:, their link:, programs:), or all", e.Fault, key, name)
	case e.OfMachine() && len(e.Params) > 0:
		return wrong(at+".params", "fault %s of %s: its numbers stand in fault, such as fault: lossy 30", e.Fault, name)
	case e.OfMachine() && e.Every > 0 && (e.For == 0 || e.For >= e.Every):
		return wrong(at, "fault %s of %s: every %s for %s: what comes again has to end before it does", e.Fault, name, e.Every, e.For)
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
	if e.OfMachine() {
		f.machines = append(f.machines, MachineFault{
			At: strings.TrimPrefix(at, "$."), Verb: key, ID: name, Fault: e.Fault, First: first, Every: e.Every, For: e.For,
		})
		return nil
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
