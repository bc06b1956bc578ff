package edge

import (
	"time"

	"aovuon/gateway/measure"
)

// watch is the newest of one quantity of one sensor.
type watch struct {
	sensor   string
	quantity measure.Quantity
	worst    measure.Quality // that counts

	start time.Duration // uptime when the watch began
	seen  bool          // any reading came
	last  measure.Reading
	known bool // a value that counts came
	value measure.Reading
}

// take notes r when it belongs here, and reports whether it does.
func (w *watch) take(r measure.Reading) bool {
	if w.sensor != r.Sensor || w.quantity != r.Quantity {
		return false
	}
	w.seen, w.last = true, r
	if r.Quality <= w.worst && r.Quality < measure.Fault {
		w.known, w.value = true, r
	}
	return true
}

// silent is how long no value that counts has come.
func (w *watch) silent(now time.Duration) time.Duration {
	if !w.known {
		return now - w.start
	}
	return now - w.value.Time.Uptime
}

// input is the value as it stands behind a command: old when it no longer counts.
func (w *watch) input(now time.Duration, old bool) string {
	if !w.known {
		return ""
	}
	return measure.FormatInputs([]measure.Input{{
		Quantity: w.quantity, Value: w.value.Value, Sensor: w.sensor, Age: now - w.value.Time.Uptime, Assumed: old,
	}})
}
