package measure

import (
	"fmt"
	"time"
)

// Quality says how far a value may be trusted. The number is what histories store; the text is what the wire carries.
type Quality uint8

// The qualities, best first.
const (
	Good         Quality = iota
	Uncalibrated         // the probe was never calibrated here
	Estimated            // a compensation input was defaulted or stale
	Suspect              // flat line, impossible rate, disagreement
	OutOfRange           // outside the physical limits; kept as measured, never clamped
	Fault                // no value at all; the reading carries a FaultReason
)

// String returns the wire text of q.
func (q Quality) String() string {
	switch q {
	case Good:
		return "good"
	case Uncalibrated:
		return "uncalibrated"
	case Estimated:
		return "estimated"
	case Suspect:
		return "suspect"
	case OutOfRange:
		return "out-of-range"
	case Fault:
		return "fault"
	}
	return fmt.Sprintf("quality(%d)", uint8(q))
}

// ParseQuality is the inverse of Quality.String.
func ParseQuality(s string) (Quality, bool) {
	for q := Good; q <= Fault; q++ {
		if q.String() == s {
			return q, true
		}
	}
	return 0, false
}

// Worse returns the worse of two qualities.
func Worse(a, b Quality) Quality { return max(a, b) }

// FaultReason says why there is no value.
type FaultReason string

// The reasons a reading can be a fault.
const (
	NoResponse FaultReason = "no-response" // nobody answered at the address
	CRC        FaultReason = "crc"         // the checksum does not match
	Shorted    FaultReason = "shorted"     // all zeros: data line to ground
	PowerUp    FaultReason = "power-up"    // the chip's power-on value: no conversion was done
	NotReady   FaultReason = "not-ready"   // still busy after the longest time the data sheet allows
	Garbled    FaultReason = "garbled"     // an answer that is no answer to the question
	Refused    FaultReason = "refused"     // the chip reports an error of its own
	BusDown    FaultReason = "bus-down"    // the bus cannot be opened or does not move
	// Calibrating: the probe is out of its place, in a buffer or in somebody's hand. What it says there is no value of the pond.
	Calibrating FaultReason = "calibrating"
)

// FaultReasons lists every reason.
func FaultReasons() []FaultReason {
	return []FaultReason{NoResponse, CRC, Shorted, PowerUp, NotReady, Garbled, Refused, BusDown, Calibrating}
}

// Valid reports whether r is a known reason.
func (r FaultReason) Valid() bool {
	switch r {
	case NoResponse, CRC, Shorted, PowerUp, NotReady, Garbled, Refused, BusDown, Calibrating:
		return true
	}
	return false
}

// ClockState says what the wall clock was worth when a reading was taken.
type ClockState uint8

// The clock states, best first.
const (
	Synced         ClockState = iota // set by the network
	RTC                              // set by a battery-backed clock
	EstimatedClock                   // restored from the last saved time
	Unsynced                         // wall time unknown: only the time since boot is known
)

// String returns the wire text of c.
func (c ClockState) String() string {
	switch c {
	case Synced:
		return "synced"
	case RTC:
		return "rtc"
	case EstimatedClock:
		return "estimated"
	case Unsynced:
		return "unsynced"
	}
	return fmt.Sprintf("clock(%d)", uint8(c))
}

// ParseClockState is the inverse of ClockState.String.
func ParseClockState(s string) (ClockState, bool) {
	for c := Synced; c <= Unsynced; c++ {
		if c.String() == s {
			return c, true
		}
	}
	return 0, false
}

// Instant is when something was measured: the wall time, and the monotonic time it can be re-dated from.
type Instant struct {
	Wall   time.Time     // UTC, millisecond resolution; the zero time when Clock is Unsynced
	Uptime time.Duration // since boot, millisecond resolution; 0 once the reading has travelled with a wall time
	Clock  ClockState
	Boot   string // identifies one boot of the gateway: [0-9a-f]{8,32}
}

// Reading is one value of one quantity from one sensor, or the fault that stands in its place.
type Reading struct {
	Sensor   string // within its gateway: [a-z0-9][a-z0-9-]{0,39}
	Quantity Quantity
	Time     Instant
	Value    float64     // in the quantity's unit; meaningless when Quality is Fault
	Quality  Quality     //
	Reason   FaultReason // set exactly when Quality is Fault

	Raw      float64 // the value before filters, in the quantity's unit; meaningful when Filtered
	Filtered bool    // a filter stands between the probe and Value
	Inputs   string  // what Value was computed with, as FormatInputs writes it; empty when nothing
}

// Validate reports the first thing that makes r unfit to leave the sensing side.
func (r Reading) Validate() error {
	if !ValidID(r.Sensor, 40) {
		return fmt.Errorf("measure: bad sensor id %q: want [a-z0-9][a-z0-9-]*, at most 40 characters", r.Sensor)
	}
	if _, ok := r.Quantity.Info(); !ok {
		return fmt.Errorf("measure: sensor %s: unknown quantity %q", r.Sensor, string(r.Quantity))
	}
	if r.Quality > Fault {
		return fmt.Errorf("measure: sensor %s: unknown quality %d", r.Sensor, r.Quality)
	}
	if r.Quality == Fault {
		if !r.Reason.Valid() {
			return fmt.Errorf("measure: sensor %s: fault with unknown reason %q", r.Sensor, string(r.Reason))
		}
		if r.Filtered || r.Inputs != "" {
			return fmt.Errorf("measure: sensor %s: a fault with a raw value or inputs", r.Sensor)
		}
		return nil
	}
	if r.Reason != "" {
		return fmt.Errorf("measure: sensor %s: a value with fault reason %q", r.Sensor, string(r.Reason))
	}
	if _, err := r.Quantity.Grade(r.Value); err != nil {
		return fmt.Errorf("sensor %s: %w", r.Sensor, err)
	}
	if r.Filtered {
		if _, err := r.Quantity.Grade(r.Raw); err != nil {
			return fmt.Errorf("sensor %s: raw: %w", r.Sensor, err)
		}
	}
	if _, err := ParseInputs(r.Inputs); err != nil {
		return fmt.Errorf("sensor %s: %w", r.Sensor, err)
	}
	return nil
}

// ValidID reports whether s is [a-z0-9][a-z0-9-]* of at most n bytes: the form of sensor and gateway ids, safe in MQTT
// topics, NATS subjects, file names, URLs and line protocol.
func ValidID(s string, n int) bool {
	if s == "" || len(s) > n || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
