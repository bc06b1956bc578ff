package edge

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"aovuon/gateway/measure"
)

// Outputs are the relays, by the id of the aerator or the pin of the siren. Set is called for every change and again
// every ten seconds: a relay that was told something else, or was away, obeys again.
type Outputs interface {
	Set(id string, on bool) error
}

// assertEvery is how often an unchanged relay is told again.
const assertEvery = 10 * time.Second

// Outcome is what a step found.
type Outcome struct {
	Readings []measure.Reading // to be kept and sent
	Urgent   bool              // an alarm began: the server should know at once
	Changed  bool              // Saved is another than before
	Notes    []Note            // for the log
}

// Note is one thing that happened.
type Note struct {
	ID    string // of the aerator, the alarm or the siren
	Text  string // what, in a few words
	Cause Cause  // of an aerator's command
	Err   error  // what a relay said
	Bad   bool   // somebody has to look
}

// Engine holds the rules. It is used by one goroutine at a time.
type Engine struct {
	cfg      Config
	outputs  Outputs
	aerators []*aerator
	alarms   []*alarm
	sirens   map[string]*siren // by pin
	sound    sound
	said     map[series]said
	watched  map[series]bool // not changed after New
}

// siren is one pin that alarms share.
type siren struct {
	alarms   []*alarm
	on       bool
	told     bool
	asserted time.Duration
	err      error
}

// series is one quantity of one sensor, aerator or alarm.
type series struct {
	id       string
	quantity measure.Quantity
}

// said is what a reading said last.
type said struct {
	value float64
	fault bool
	at    time.Duration
}

// New makes an engine of a configuration that Check has nothing against. saved is what a former run left, or zero.
func New(cfg Config, outputs Outputs, saved Saved, now measure.Instant) *Engine {
	if cfg.Repeat <= 0 {
		cfg.Repeat = defaultRepeat
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	e := &Engine{
		cfg: cfg, outputs: outputs, sound: sound{siren: cfg.Siren}, sirens: make(map[string]*siren), said: make(map[series]said), watched: make(map[series]bool),
	}
	for _, c := range cfg.Aerators {
		a := newAerator(c, now)
		s, known := saved.Aerators[c.ID]
		a.restore(s, known, now)
		e.aerators = append(e.aerators, a)
		e.watched[series{c.Oxygen, c.quantity()}] = true
		if c.Current != nil {
			e.watched[series{c.Current.Sensor, measure.Current}] = true
		}
	}
	for _, c := range cfg.Alarms {
		a := newAlarm(c, now)
		a.restore(saved.Alarms[c.ID])
		e.watched[series{c.Sensor, c.Quantity}] = true
		e.alarms = append(e.alarms, a)
		if c.Siren != nil {
			s := e.sirens[c.Siren.Pin]
			if s == nil {
				s = &siren{}
				e.sirens[c.Siren.Pin] = s
			}
			s.alarms = append(s.alarms, a)
		}
	}
	return e
}

// Watches reports whether any rule looks at a quantity of a sensor. It may be called at any time.
func (e *Engine) Watches(sensor string, q measure.Quantity) bool { return e.watched[series{sensor, q}] }

// Observe takes readings of the pond. Step acts on them.
func (e *Engine) Observe(readings []measure.Reading) {
	for _, r := range readings {
		for _, a := range e.aerators {
			a.oxygen.take(r)
			if a.current != nil {
				a.current.take(r)
			}
		}
		for _, a := range e.alarms {
			if a.watch.take(r) {
				a.observe(true, r.Time.Uptime)
			}
		}
	}
}

// Step decides for now, switches the relays and says what changed.
func (e *Engine) Step(now measure.Instant) Outcome {
	var o Outcome
	for _, a := range e.alarms {
		e.stepAlarm(a, now, &o)
	}
	for _, a := range e.aerators {
		e.stepAerator(a, now, &o)
	}
	asked := e.stepSound(now, &o)
	for _, pin := range slices.Sorted(maps.Keys(e.sirens)) {
		e.stepSiren(pin, e.sirens[pin], asked, now, &o)
	}
	return o
}

func (e *Engine) stepAlarm(a *alarm, now measure.Instant, o *Outcome) {
	a.observe(false, now.Uptime)
	if !a.decided {
		return
	}
	changed := e.say(o, a.cfg.ID, measure.AlarmState, a.on, measure.Good, a.input(now.Uptime), now)
	if !changed {
		return
	}
	o.Changed = true
	if a.on {
		o.Urgent = true
		o.Notes = append(o.Notes, Note{ID: a.cfg.ID, Text: "alarm is on", Bad: true})
	} else {
		o.Notes = append(o.Notes, Note{ID: a.cfg.ID, Text: "alarm is off"})
	}
}

func (e *Engine) stepAerator(a *aerator, now measure.Instant, o *Outcome) {
	demand, override, first := a.demand, a.override, a.asserted == 0
	changed := a.decide(now, e.cfg.Zone)
	o.Changed = o.Changed || changed || first || demand != a.demand || override != a.override
	if changed || first || now.Uptime-a.asserted >= assertEvery {
		e.assert(a, now, o)
	}
	if changed || first {
		text := "aerator is switched off"
		if a.on {
			text = "aerator is switched on"
		}
		o.Notes = append(o.Notes, Note{ID: a.cfg.ID, Text: text, Cause: a.cause})
	}
	before := a.state
	a.observe(now.Uptime)
	if a.state != before {
		o.Notes = append(o.Notes, Note{ID: a.cfg.ID, Text: "aerator: " + string(a.state), Bad: a.state.Bad()})
		o.Urgent = o.Urgent || a.state.Bad()
	}
	e.sayAerator(a, now, o)
}

// assert tells the relay of a the command.
func (e *Engine) assert(a *aerator, now measure.Instant, o *Outcome) {
	err := e.outputs.Set(a.cfg.ID, a.on)
	if (err == nil) != (a.err == nil) || a.asserted == 0 && err != nil {
		o.Notes = append(o.Notes, relayNote(a.cfg.ID, err))
		o.Urgent = o.Urgent || err != nil
	}
	a.asserted, a.err = max(now.Uptime, 1), err
}

func relayNote(id string, err error) Note {
	if err != nil {
		return Note{ID: id, Text: "the relay cannot be switched", Err: err, Bad: true}
	}
	return Note{ID: id, Text: "the relay can be switched again"}
}

// sayAerator makes the readings of a: the command (a fault while the relay does not take it), what the current sensor
// sees, and whether the two contradict each other.
func (e *Engine) sayAerator(a *aerator, now measure.Instant, o *Outcome) {
	quality := measure.Good
	if a.cause == ByFailSafe {
		quality = measure.Estimated
	}
	if a.err != nil {
		e.sayFault(o, a.cfg.ID, measure.AeratorCommand, measure.BusDown, now)
	} else {
		e.say(o, a.cfg.ID, measure.AeratorCommand, a.on, quality, a.oxygen.input(now.Uptime, a.failing), now)
	}
	_, known := a.runs(now.Uptime)
	if bad := a.state.Bad() || a.err != nil; bad || known || a.current == nil {
		e.say(o, a.cfg.ID, measure.AlarmState, bad, measure.Good, "", now)
	}
	if a.current != nil {
		e.sayRunning(a, now, o)
	}
}

// sayRunning makes the reading of what the current sensor sees; nothing before it was asked about the command in force.
func (e *Engine) sayRunning(a *aerator, now measure.Instant, o *Outcome) {
	running, known := a.runs(now.Uptime)
	switch last := a.current.last; {
	case known:
		e.say(o, a.cfg.ID, measure.AeratorRunning, running, measure.Good, "", now)
	case now.Uptime-max(a.since, a.current.start) <= silence(a.cfg.Current.within()):
		// it was not asked since
	case a.current.seen && last.Quality == measure.Fault:
		e.sayFault(o, a.cfg.ID, measure.AeratorRunning, last.Reason, now)
	default:
		e.sayFault(o, a.cfg.ID, measure.AeratorRunning, measure.NoResponse, now)
	}
}

func (e *Engine) stepSiren(pin string, s *siren, asked bool, now measure.Instant, o *Outcome) {
	on := asked || slices.ContainsFunc(s.alarms, func(a *alarm) bool { return a.on })
	if s.told && on == s.on && now.Uptime-s.asserted < assertEvery {
		return
	}
	err := e.outputs.Set(pin, on)
	if (err == nil) != (s.err == nil) {
		o.Notes = append(o.Notes, relayNote(pin, err))
	}
	s.on, s.told, s.asserted, s.err = on, true, now.Uptime, err
}

// say adds a yes or no when it is new, or was said long ago, and reports whether it is new.
func (e *Engine) say(o *Outcome, id string, q measure.Quantity, yes bool, quality measure.Quality, inputs string, now measure.Instant) bool {
	v := 0.0
	if yes {
		v = 1
	}
	due, changed := e.due(id, q, said{value: v, at: now.Uptime})
	if due {
		o.Readings = append(o.Readings, measure.Reading{Sensor: id, Quantity: q, Time: now, Value: v, Quality: quality, Inputs: inputs})
	}
	return changed
}

func (e *Engine) sayFault(o *Outcome, id string, q measure.Quantity, why measure.FaultReason, now measure.Instant) {
	if due, _ := e.due(id, q, said{fault: true, at: now.Uptime}); due {
		o.Readings = append(o.Readings, measure.Reading{Sensor: id, Quantity: q, Time: now, Quality: measure.Fault, Reason: why})
	}
}

func (e *Engine) due(id string, q measure.Quantity, s said) (due, changed bool) {
	key := series{id, q}
	last, ok := e.said[key]
	changed = !ok || last.value != s.value || last.fault != s.fault
	due = changed || s.at-last.at >= e.cfg.Repeat
	if due {
		e.said[key] = s
	}
	return due, changed
}

// SetOverride gives an aerator a person's word for a time, or with Auto back to the rules. The next Step obeys.
func (e *Engine) SetOverride(id string, mode Mode, length time.Duration, now measure.Instant) error {
	for _, a := range e.aerators {
		if a.cfg.ID != id {
			continue
		}
		o, err := newOverride(mode, length, now)
		if err == nil {
			a.override = o
		}
		return err
	}
	return fmt.Errorf("edge: no aerator %q: there are %v", id, e.names())
}

func (e *Engine) names() (ids []string) {
	for _, a := range e.aerators {
		ids = append(ids, a.cfg.ID)
	}
	return ids
}

// Saved is what has to outlive the program, now.
func (e *Engine) Saved(now measure.Instant) Saved {
	s := Saved{Version: savedVersion, Aerators: make(map[string]SavedAerator), Alarms: make(map[string]bool)}
	for _, a := range e.aerators {
		s.Aerators[a.cfg.ID] = SavedAerator{On: a.on, Since: a.since, Boot: now.Boot, Demand: a.demand, Override: a.override}
	}
	for _, a := range e.alarms {
		s.Alarms[a.cfg.ID] = a.on
	}
	return s
}
