package fleet

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Faults are what goes wrong on the links while the load runs. Shares are 0 to 1.
type Faults struct {
	Drop      float64       `json:"drop_per_minute"` // connections cut without a word, of the whole fleet
	Delay     time.Duration `json:"delay_ns"`        // what a gateway sends arrives so much later
	Withhold  float64       `json:"withhold"`        // of the receipts never arrive
	Duplicate float64       `json:"duplicate"`       // of the publishes are sent twice
	Reorder   float64       `json:"reorder"`         // of the publishes arrive after later ones
}

// maxDelay is well below the time after which an uplink takes a broker for gone (its keep-alive).
const maxDelay = 10 * time.Second

// ParseFaults reads drop=30/min,delay=200ms,withhold=10%,duplicate=5%,reorder=5%: any of them, in any order.
func ParseFaults(text string) (f Faults, err error) {
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return f, fmt.Errorf("link fault %q: want NAME=VALUE, as in withhold=10%%", part)
		}
		if seen[key] {
			return f, fmt.Errorf("link fault %s is there twice: leave one", key)
		}
		seen[key] = true
		switch key {
		case "drop":
			f.Drop, err = perMinute(value)
		case "delay":
			if f.Delay, err = time.ParseDuration(value); err == nil && (f.Delay < 0 || f.Delay > maxDelay) {
				err = fmt.Errorf("want 0s to %v", maxDelay)
			}
		case "withhold":
			f.Withhold, err = share(value)
		case "duplicate":
			f.Duplicate, err = share(value)
		case "reorder":
			f.Reorder, err = share(value)
		default:
			err = fmt.Errorf("unknown; there are drop, delay, withhold, duplicate and reorder")
		}
		if err != nil {
			return f, fmt.Errorf("link fault %s: %w", part, err)
		}
	}
	return f, nil
}

// perMinute reads 30/min, or 30.
func perMinute(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "/min"), 64)
	if err != nil || !(v >= 0 && v <= 60_000) {
		return 0, fmt.Errorf("want a number per minute, as in 30/min")
	}
	return v, nil
}

// share reads 10% or 0.1.
func share(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return 0, fmt.Errorf("want a share of 0%% to 100%%, as in 10%%")
	}
	return v, nil
}
