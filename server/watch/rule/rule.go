// Package rule says what a rule of the watch is, whatever it watches for: limits of the water, tonight's oxygen, late blight, a soil
// that dries out. Measurements and the diary come in through ports of each rule; decisions go out, each with its reason in numbers, to
// alarms, pages and messages. A rule is data and this one interface; it has no clock, no file and no connection of its own.
package rule

import (
	"context"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
)

// Input is something that a rule reads of a place.
type Input struct {
	Quantity measure.Quantity // empty: Diary says what
	Diary    string           // kind of an entry; empty: a quantity
}

// Rule judges places.
type Rule interface {
	// ID names the rule, [a-z0-9_]: its words are rule.ID in the locales.
	ID() string
	Inputs() []Input
	// Window is how far back it reads.
	Window() time.Duration
	// Decide judges every place that the rule is for, as of a moment. A place whose data are short gets a decision of Unknown that says
	// what is short. An error means that the rule could not look at all: it is blind, and nothing is known of its places.
	Decide(ctx context.Context, at time.Time) ([]Decision, error)
}

// Verdict is what a rule makes of a place.
type Verdict string

// The verdicts, mildest first but for Unknown, which is never taken for good.
const (
	Calm    Verdict = "calm"
	Notice  Verdict = "notice" // worth knowing today: the pages and the digest say it, nobody is called
	Warn    Verdict = "warn"
	Crit    Verdict = "crit" // fish or crop are in danger: somebody is woken
	Unknown Verdict = "unknown"
)

// rank orders verdicts by how much somebody should look.
func (v Verdict) rank() int { return slices.Index([]Verdict{Calm, Notice, Unknown, Warn, Crit}, v) }

// Worse reports whether v asks for a look more urgently than o.
func (v Verdict) Worse(o Verdict) bool { return v.rank() > o.rank() }

// Alarming reports whether v makes an alarm.
func (v Verdict) Alarming() bool { return v == Warn || v == Crit }

// Decision is what a rule found out about one place, and why.
type Decision struct {
	Rule    string    `json:"rule"`    // ID of the rule
	Place   string    `json:"place"`   // code
	Topic   string    `json:"topic"`   // a measure.Quantity, or what else it is about (late_blight, dawn_oxygen); with Place it names the alarm
	Verdict Verdict   `json:"verdict"` //
	At      time.Time `json:"at"`      // as of when
	// Until is when it is worth nothing any more and stands for Unknown; zero: the next decision replaces it.
	Until  time.Time `json:"until,omitzero"`
	Why    []Reason  `json:"why"`             // the numbers, the gravest first; never empty
	Do     []Reason  `json:"do,omitempty"`    // what to do now
	Source farm.Text `json:"source,omitzero"` // of the limit or the method, shown with it
	// Profile and Version name the set of limits that it was judged by; empty: no limit of the farm's register. Version 0: the set is older than
	// versions are.
	Profile string `json:"profile,omitempty"`
	Version int64  `json:"version,omitempty"`
}

// Reason is one sentence of an explanation: Key names a text of the locales (why.KEY, or do.KEY for what to do), Args fill its %s in order.
type Reason struct {
	Key  string `json:"key"`
	Args []Arg  `json:"args,omitempty"`
}

// Arg is a number, a time or a name in a sentence, kept as what it is so that every language and the short message write it their way.
// Exactly one of its forms is set.
type Arg struct {
	Quantity measure.Quantity `json:"quantity,omitempty"` // with Number: a value in its unit and decimals; without: its name
	Number   *float64         `json:"number,omitempty"`
	Decimals int              `json:"decimals,omitempty"` // of a Number without Quantity
	Unit     string           `json:"unit,omitempty"`     // of a Number without Quantity
	Time     time.Time        `json:"time,omitzero"`      // written as hour and minute, with the day where it is not today's
	Day      time.Time        `json:"day,omitzero"`       // written as a day
	For      time.Duration    `json:"for,omitempty"`      // a length of time
	Name     farm.Text        `json:"name,omitzero"`      // of a place, a product
	Key      string           `json:"key,omitempty"`      // of another text of the locales
}

// Value is an Arg of a measured value.
func Value(q measure.Quantity, v float64) Arg { return Arg{Quantity: q, Number: &v} }

// Number is an Arg of a plain number.
func Number(v float64, decimals int, unit string) Arg {
	return Arg{Number: &v, Decimals: decimals, Unit: unit}
}

// At is an Arg of a moment.
func At(t time.Time) Arg { return Arg{Time: t} }

// Day is an Arg of a day.
func Day(t time.Time) Arg { return Arg{Day: t} }

// For is an Arg of a length of time.
func For(d time.Duration) Arg { return Arg{For: d} }

// Named is an Arg of a name.
func Named(t farm.Text) Arg { return Arg{Name: t} }

// Word is an Arg of another text.
func Word(key string) Arg { return Arg{Key: key} }

// Because makes a Reason.
func Because(key string, args ...Arg) Reason { return Reason{key, args} }
