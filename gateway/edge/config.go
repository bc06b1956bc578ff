package edge

import (
	"time"

	"aovuon/gateway/measure"
)

// Config is what the engine works by. Check tells what is wrong with it; an Engine is made of one without problems.
type Config struct {
	Aerators []Aerator
	Alarms   []Alarm
	Siren    Siren
	Zone     *time.Location // of the aerators' windows; nil means UTC
	Repeat   time.Duration  // how often an unchanged state is said again; 0 means 5 min
}

// Aerator is the configuration of one aerator. Nil and zero fields take the defaults named beside them.
type Aerator struct {
	ID       string           `yaml:"id"`        // of its readings: [a-z0-9][a-z0-9-]{0,39}, unlike any sensor's
	Relay    Relay            `yaml:"relay"`     //
	Oxygen   string           `yaml:"oxygen"`    // id of the sensor it is switched by
	Quantity measure.Quantity `yaml:"quantity"`  // of that sensor; default dissolved_oxygen, or oxygen_saturation
	OnBelow  float64          `yaml:"on_below"`  // in the quantity's unit
	OffAbove float64          `yaml:"off_above"` // more than OnBelow
	MinRun   *time.Duration   `yaml:"min_run"`   // default 30 min
	MinRest  *time.Duration   `yaml:"min_rest"`  // default 5 min
	MaxRun   time.Duration    `yaml:"max_run"`   // then it rests for MinRest; 0 never
	Always   []string         `yaml:"always"`    // windows of the day, "22:00-06:00", in which it runs
	Trust    Trust            `yaml:"trust"`     // the worst quality of oxygen that counts; default estimated
	Stale    time.Duration    `yaml:"stale"`     // without a value that counts for so long the fail-safe begins; default 5 min
	FailSafe *Duty            `yaml:"failsafe"`  // what is done then; default: it runs
	Current  *Current         `yaml:"current"`   // who sees whether the motor runs; default nobody
}

// Relay is how an aerator or a siren is wired.
type Relay struct {
	Pin       string `yaml:"pin"`        // GPIO17, or unix:/path/to.sock#NAME
	ActiveLow bool   `yaml:"active_low"` // the relay board pulls in at a low level
	Contact   string `yaml:"contact"`    // "no" (default): the motor runs while the relay is pulled in; "nc": while it is not
}

// NormallyClosed reports whether the motor runs while nobody drives the relay.
func (r Relay) NormallyClosed() bool { return r.Contact == "nc" }

// Level is the level of the pin at which the aerator is on, or off.
func (r Relay) Level(on bool) bool { return on != r.ActiveLow != r.NormallyClosed() }

// Duty is a rhythm: so long on, so long off.
type Duty struct {
	Run  time.Duration `yaml:"run"`
	Rest time.Duration `yaml:"rest"`
}

// Current is the sensor of a motor's current.
type Current struct {
	Sensor string        `yaml:"sensor"` // id of a sensor that measures current
	Above  float64       `yaml:"above"`  // A: the motor runs at this current and more
	Within time.Duration `yaml:"within"` // so long the motor may take to start or to stop; default 1 min
}

// MaxSound is for how long the sirens sound at most because the server says so.
const MaxSound = 30 * time.Minute

// Siren is the server's word that the sirens of this gateway should sound, beside the alarms of its own.
type Siren struct {
	Until string `yaml:"until"` // RFC 3339; empty: they do not
}

// End is when the sirens fall silent; zero: nobody asked for them. Check told of what is no time.
func (s Siren) End() time.Time {
	t, err := time.Parse(time.RFC3339, s.Until)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Alarm is the configuration of one alarm: exactly one of Below, Above and Faulty is set.
type Alarm struct {
	ID       string           `yaml:"id"`       // of its readings, unlike any sensor's
	Sensor   string           `yaml:"sensor"`   //
	Quantity measure.Quantity `yaml:"quantity"` // of the sensor; may be left out where it measures one thing
	Below    *float64         `yaml:"below"`    // on when the value is below …
	Above    *float64         `yaml:"above"`    // … or above
	Clear    *float64         `yaml:"clear"`    // off when it is back at this value; default the set point itself
	Faulty   bool             `yaml:"faulty"`   // on when no value that counts came for For
	For      *time.Duration   `yaml:"for"`      // the shortest time before it is on; default 1 min, 10 min for Faulty
	Trust    Trust            `yaml:"trust"`    // the worst quality that counts; default estimated
	Siren    *Relay           `yaml:"siren"`    // pulled in while this alarm is on, or another one of the same pin
}

// Trust is a quality in a configuration file.
type Trust string

// quality is the worst quality that counts.
func (t Trust) quality() measure.Quality {
	if t == "" {
		return measure.Estimated
	}
	q, ok := measure.ParseQuality(string(t))
	if !ok {
		return measure.Estimated
	}
	return q
}

const (
	defaultMinRun  = 30 * time.Minute
	defaultMinRest = 5 * time.Minute
	defaultStale   = 5 * time.Minute
	defaultWithin  = time.Minute
	defaultFor     = time.Minute
	defaultFaulty  = 10 * time.Minute
	defaultRepeat  = 5 * time.Minute
)

func or(p *time.Duration, v time.Duration) time.Duration {
	if p != nil {
		return *p
	}
	return v
}

func (a Aerator) quantity() measure.Quantity {
	if a.Quantity == "" {
		return measure.DissolvedOxygen
	}
	return a.Quantity
}

func (a Aerator) minRun() time.Duration  { return or(a.MinRun, defaultMinRun) }
func (a Aerator) minRest() time.Duration { return or(a.MinRest, defaultMinRest) }

func (a Aerator) stale() time.Duration {
	if a.Stale == 0 {
		return defaultStale
	}
	return a.Stale
}

func (c Current) within() time.Duration {
	if c.Within == 0 {
		return defaultWithin
	}
	return c.Within
}

func (a Alarm) wait() time.Duration {
	if a.Faulty {
		return or(a.For, defaultFaulty)
	}
	return or(a.For, defaultFor)
}
