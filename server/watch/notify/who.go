package notify

import (
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

// DawnOxygen is the topic of tonight's oxygen as it is foreseen.
const DawnOxygen = "dawn_oxygen"

// Urgent reports whether an alarm wakes people: critical oxygen, an aerator that does not start when it must, and critical blindness, since who
// cannot see the oxygen cannot sleep either.
// Quiet hours hold back nothing that is urgent.
func Urgent(a alarm.Alarm) bool {
	if a.Level != rule.Crit {
		return false
	}
	switch a.Topic {
	case string(measure.DissolvedOxygen), string(measure.OxygenSaturation), DawnOxygen, alarm.AeratorTopic:
		return true
	}
	return a.State == alarm.NoData || a.State == alarm.Blind
}

// Reached reports whether a contact may be told at all.
func (c Contact) Reached() bool { return !c.Disabled && !c.Agreed.IsZero() && len(c.Addresses) > 0 }

// cares reports whether a contact is told of an alarm, at the step it has on the ladder.
func (c Contact) cares(a alarm.Alarm) bool {
	return c.Reached() && (c.Level != rule.Crit || a.Level == rule.Crit) && (len(c.Places) == 0 || slices.Contains(c.Places, a.Place))
}

// everywhere reports whether an alarm is of no place of the farm: of a gateway, or of the server itself.
func everywhere(a alarm.Alarm) bool { return a.Place == "" || strings.HasPrefix(a.Place, "gateway ") }

// audience returns who is told of an alarm at any step. What is nobody's, a gateway where all look after some places only, is everybody's.
func audience(all []Contact, a alarm.Alarm) (out []Contact) {
	for _, c := range all {
		if c.cares(a) {
			out = append(out, c)
		}
	}
	if len(out) == 0 && everywhere(a) {
		for _, c := range all {
			if c.Places = nil; c.cares(a) {
				out = append(out, c)
			}
		}
	}
	return out
}

// nextStep returns the lowest step of an audience above one; false: there is none.
func nextStep(who []Contact, above int) (int, bool) {
	step, ok := 0, false
	for _, c := range who {
		if c.Step > above && (!ok || c.Step < step) {
			step, ok = c.Step, true
		}
	}
	return step, ok
}

// quietEnd returns when the quiet hours end that a contact has at a time; zero: there are none then.
func (c Contact) quietEnd(at time.Time) time.Time {
	if c.QuietFrom == c.QuietTo {
		return time.Time{}
	}
	local := at.In(farm.Time())
	minute := local.Hour()*60 + local.Minute()
	length := (c.QuietTo - c.QuietFrom + 24*60) % (24 * 60)
	since := (minute - c.QuietFrom + 24*60) % (24 * 60)
	if since >= length {
		return time.Time{}
	}
	end := time.Date(local.Year(), local.Month(), local.Day(), 0, c.QuietTo, 0, 0, farm.Time())
	if !end.After(local) {
		end = end.AddDate(0, 0, 1)
	}
	return end.UTC()
}

// route returns the first address after one that a channel is there for; after "" the first of all.
func (c Contact) route(channels []string, after Address) (Address, bool) {
	from := 0
	if after.Channel != "" {
		i := slices.Index(c.Addresses, after)
		if i < 0 {
			return Address{}, false // the contact was changed: what is tried next is for the new plan
		}
		from = i + 1
	}
	for _, a := range c.Addresses[from:] {
		if slices.Contains(channels, a.Channel) {
			return a, true
		}
	}
	return Address{}, false
}
