package web

import (
	"html/template"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch"
)

// staleAfter is the age from which a value says nothing of the water now: probes are read every minute and a gateway sends
// every half minute.
const staleAfter = 10 * time.Minute

// level says how much somebody should look at a value or a place.
type level int

// The levels, calmest first. Not knowing is worse than a warning: a dead probe must never look like good water.
const (
	fine   level = iota
	noted        // good to know: never calibrated, estimated
	warned       // beyond what the standard asks for, or hard to believe
	lost         // nobody knows: old, faulty, never measured
	danger       // fish or crop are in danger
)

// String returns the name of the level, which style sheet, icons and locales use.
func (l level) String() string {
	switch l {
	case noted:
		return "noted"
	case warned:
		return "warned"
	case lost:
		return "lost"
	case danger:
		return "danger"
	case fine:
	}
	return "fine"
}

// reading is a newest value as a card shows it.
type reading struct {
	Quantity        measure.Quantity
	Gateway, Sensor string
	Label           string // what is measured; with the sensor where a place has two
	Value           string // as printed, without unit; "" when there is none
	Spoken          bool   // Value is a word: a state
	Time            time.Time
	Ago             string
	Level           level
	Word            string // what the level means here: "Thấp", "Đầu dò không trả lời"
	Detail          string // the limit and its source, or what to do
	Old             bool   // Value is the last one known and too old
	Made            string // what the value was made from: inputs with their ages, the value before filters
	Unsigned        bool   // its device cannot sign
	Spark           template.HTML
	last            watch.Value
}

// judge says what a newest value is worth at a place now. ok is false when there never was one.
func judge(w *words, f *farm.Farm, limits []farm.Limit, v watch.Value, ok bool, now time.Time) reading {
	r := judged(w, limits, v, ok, now)
	if r.Unsigned = !f.Signs(v.Gateway); r.Unsigned {
		r.Word += " · " + w.t("unsigned")
	}
	return r
}

// judged is judge without regard to whether the device signs.
func judged(w *words, limits []farm.Limit, v watch.Value, ok bool, now time.Time) reading {
	r := reading{Quantity: v.Quantity, Gateway: v.Gateway, Sensor: v.Sensor, Label: w.t("quantity." + string(v.Quantity)), last: v}
	if !ok {
		r.Level, r.Word = lost, w.t("state.never")
		return r
	}
	r.Time, r.Ago = v.Time, w.ago(now, v.Time)
	age := now.Sub(v.Time)
	ahead := v.Ahead || age < -watch.AheadBy
	if ahead {
		r.Ago = w.dateTime(v.Time) // also when that time has come: it was measured earlier than that
	}
	if v.Quality == measure.Fault {
		r.Level, r.Word, r.Detail = lost, w.t("state.fault"), w.t("fault."+string(v.Reason))
		if v.Reason == "" {
			r.Detail = ""
		}
		if v.Reason == measure.Calibrating { // nothing is broken
			r.Word, r.Detail = r.Detail, ""
		}
		return r
	}
	r.Value, r.Made, r.Spoken = w.value(v.Quantity, v.Value), madeFrom(w, v), yesNo(v.Quantity)
	switch {
	case ahead: // the value may be of any age
		r.Level, r.Word, r.Detail, r.Old = lost, w.t("state.future"), w.t("state.future.why"), true
		return r
	case age > staleAfter:
		r.Level, r.Word, r.Old = lost, w.t("state.old"), true
		return r
	}
	r.Level, r.Word = quality(w, v.Quality)
	switch {
	case v.Quality == measure.OutOfRange:
		return r
	case v.Quantity == measure.AlarmState && v.Value == 1:
		r.Level, r.Word = danger, w.t("state.alarm")
	case v.Quantity == measure.UnderVoltage && v.Value == 1:
		r.Level, r.Word = warned, w.t("state.warned.low")
	}
	for _, l := range limits { // the gravest first
		if !l.Broken(v.Value) {
			continue
		}
		key := "low"
		if l.Above {
			key = "high"
		}
		at := warned
		if l.Level == farm.Crit {
			at = danger
		}
		r.Detail = w.t("limit."+key, w.limit(l.Quantity, l.Value), l.Source.In(w.lang))
		if at > r.Level {
			r.Level, r.Word = at, w.t("state."+at.String()+"."+key)
		} else {
			r.Word += ", " + lowerFirst(w.t("state."+at.String()+"."+key))
		}
		break
	}
	return r
}

// quality returns the level and the word of a quality.
func quality(w *words, q measure.Quality) (level, string) {
	word := w.t("quality." + q.String())
	switch q {
	case measure.Good:
		return fine, word
	case measure.Uncalibrated, measure.Estimated:
		return noted, word
	case measure.Suspect, measure.OutOfRange:
		return warned, word
	case measure.Fault:
	}
	return lost, word
}
