package sense

import (
	"errors"
	"fmt"
	"time"

	"aovuon/gateway/measure"
)

// stamp brings the instant a value was taken into the form it travels in: UTC and milliseconds, and no wall time at all
// when that would be a guess.
func stamp(at measure.Instant) measure.Instant {
	at.Uptime = at.Uptime.Truncate(time.Millisecond)
	if at.Clock == measure.Unsynced {
		at.Wall = time.Time{}
	} else {
		at.Wall = at.Wall.UTC().Truncate(time.Millisecond)
	}
	return at
}

// grade makes the readings of a channel: one for every quantity it measures, in the channel's order. An error gives every
// quantity its fault; a quantity the driver left out, or gave as no number, is a fault by itself.
func grade(c Channel, at measure.Instant, samples []Sample, err error) []measure.Reading {
	readings := make([]measure.Reading, 0, len(c.Quantities))
	for _, q := range c.Quantities {
		r := measure.Reading{Sensor: c.ID, Quantity: q, Time: at, Quality: measure.Fault}
		if err != nil {
			r.Reason = reasonOf(err)
		} else {
			valueOf(&r, samples)
		}
		readings = append(readings, r)
	}
	return readings
}

// valueOf finds r's quantity among samples and says what it is worth. A value outside the physical limits keeps its
// value: nothing is clamped. A quantity that is not there stays a fault.
func valueOf(r *measure.Reading, samples []Sample) {
	r.Reason = measure.Garbled
	for _, s := range samples {
		if s.Quantity != r.Quantity {
			continue
		}
		if s.Quality >= measure.Fault {
			if s.Reason.Valid() {
				r.Reason = s.Reason
			}
			return
		}
		quality, err := s.Quantity.Grade(s.Value)
		if err != nil {
			return
		}
		r.Value, r.Quality, r.Reason = s.Value, measure.Worse(quality, s.Quality), ""
		r.Inputs = measure.FormatInputs(s.Inputs)
		return
	}
}

// reasonOf is why err left no value.
func reasonOf(err error) measure.FaultReason {
	f, ok := errors.AsType[*Fault](err)
	if !ok {
		f = BusFault(err)
	}
	if !f.Reason.Valid() {
		return measure.Garbled
	}
	return f.Reason
}

// Faultf makes a Fault with a formatted cause; %w works as in fmt.Errorf.
func Faultf(reason measure.FaultReason, format string, args ...any) *Fault {
	return &Fault{Reason: reason, Err: fmt.Errorf(format, args...)}
}
