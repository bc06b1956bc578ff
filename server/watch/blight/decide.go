package blight

import (
	"time"

	"aovuon/server/watch/rule"
)

// nearly is the share of a limit from which it is said that a spray comes soon.
const nearly = 0.8

// decide makes a verdict of the sums, and says why.
func (p *Plot) decide(from, today time.Time) {
	switch {
	case p.Cycle == "":
		p.Verdict = rule.Unknown
		p.say("blight_no_season")
		p.todo("blight_season")
		return
	case !p.Harvested.IsZero():
		p.Verdict = rule.Calm
		p.say("blight_harvested", rule.Day(p.Harvested))
		return
	case from.After(today):
		p.Verdict = rule.Calm
		p.say("blight_not_up", rule.Day(from))
		return
	}
	p.Due = SprayDue(p.Class, p.Last == nil, p.SinceLast, p.Units, p.Fungicide)
	seen, fresh := p.seen(today)
	switch {
	case p.Due == Yes, fresh:
		p.Verdict = rule.Warn
	case p.Due == Unknown:
		p.Verdict = rule.Unknown
	case p.soon(), p.Alarm == Yes, !seen.Day.IsZero():
		p.Verdict = rule.Notice
	default:
		p.Verdict = rule.Calm
	}
	if fresh {
		p.tellSeen(seen)
	}
	p.tellSums(from)
	if !fresh && !seen.Day.IsZero() {
		p.tellSeen(seen)
	}
	p.tellRest()
	p.advise(fresh)
}

// seen returns the newest sighting of the last SeenDays; fresh: nothing was sprayed since, and the last spray is long enough ago.
func (p *Plot) seen(today time.Time) (s Sighting, fresh bool) {
	for _, x := range p.Seen {
		if age := daysBetween(x.Day, today); age >= 0 && age <= SeenDays {
			s = x
		}
	}
	if s.Day.IsZero() {
		return s, false
	}
	return s, p.Last == nil || p.Last.Day.Before(s.Day) && p.SinceLast > Interval
}

// soon reports whether a sum is at least nearly at its limit.
func (p *Plot) soon() bool {
	near := func(sum, limit int) bool { return float64(sum) >= nearly*float64(limit) }
	return near(p.Units.Lo, p.UnitLimit) || p.Last != nil && near(p.Fungicide.Lo, p.FungicideLimit)
}

func (p *Plot) say(key string, args ...rule.Arg) { p.Why = append(p.Why, rule.Because(key, args...)) }

func (p *Plot) todo(key string, args ...rule.Arg) { p.Do = append(p.Do, rule.Because(key, args...)) }

func number(n int) rule.Arg { return rule.Number(float64(n), 0, "") }

func (p *Plot) tellSeen(s Sighting) {
	if s.Share > 0 {
		p.say("blight_seen_share", rule.Day(s.Day), rule.Number(s.Share, 1, "%"))
		return
	}
	p.say("blight_seen", rule.Day(s.Day))
}

// tellSums says how far the sums are.
func (p *Plot) tellSums(from time.Time) {
	class := rule.Word("option.blight_class." + string(p.Class))
	if p.Last == nil {
		p.say("blight_first", rule.Day(from), number(p.Units.Lo), number(p.UnitLimit), class)
	} else {
		p.say("blight_units", rule.Day(p.Last.Day), number(p.Units.Lo), number(p.UnitLimit), class)
		p.say("blight_fungicide", number(p.Fungicide.Lo), number(p.FungicideLimit))
	}
	if more := p.Units.Hi - p.Units.Lo; more > 0 {
		p.say("blight_short", number(p.UnknownNoons), number(LeastHours), number(more))
	}
	if more := p.Fungicide.Hi - p.Fungicide.Lo; p.Last != nil && more > 0 {
		p.say("blight_no_rain", number(p.UnsaidRain), number(more))
	}
	if p.Last != nil && p.SinceLast <= Interval {
		p.say("blight_fresh", number(p.SinceLast), number(Interval))
	}
}

// tellRest says what else is worth knowing: the signal of Hutton, and whose probes these are.
func (p *Plot) tellRest() {
	switch p.Alarm {
	case Yes:
		p.say("blight_hutton")
	case Unknown:
		p.say("blight_hutton_unknown")
	case No:
	}
	switch {
	case !p.Probes:
		p.say("blight_no_probe")
	case len(p.Lenders) > 0:
		p.say("blight_lent", rule.Named(p.Lenders[0]))
	}
	if !p.ClassSaid {
		p.say("blight_class_usual", rule.Word("option.blight_class."+string(Usual)))
	}
}

// advise says what to do now.
func (p *Plot) advise(fresh bool) {
	switch {
	case fresh:
		p.todo("blight_seen")
	case p.Due == Yes:
		p.todo("blight_spray")
	case p.Verdict == rule.Notice, p.Verdict == rule.Unknown:
		p.todo("blight_look")
	}
	if p.Last != nil && p.Fungicide.Reaches(p.FungicideLimit) == Unknown {
		p.todo("blight_rain")
	}
	if p.gapNow() {
		p.todo("blight_probe")
	}
}

// gapNow reports whether hours of the last three days are missing: what was lost before, no probe brings back.
func (p *Plot) gapNow() bool {
	for _, d := range p.Days[max(0, len(p.Days)-3):] {
		if d.Noon && d.Units.Hi > d.Units.Lo {
			return true
		}
	}
	return false
}

// Words lists every text of the locales that the rule asks for.
func Words() []string {
	out := []string{"rule." + ID, "topic." + Topic}
	for _, key := range []string{
		"no_season", "harvested", "not_up", "seen_share", "seen", "first", "units", "fungicide", "short", "no_rain", "fresh", "hutton", "hutton_unknown",
		"no_probe", "lent", "class_usual",
	} {
		out = append(out, "why.blight_"+key)
	}
	for _, key := range []string{"season", "seen", "spray", "look", "rain", "probe"} {
		out = append(out, "do.blight_"+key)
	}
	return out
}
