package scan

import "time"

// Handled is a report with what the co-op made of it.
type Handled struct {
	Report
	Answer   string    // what was found, or told to who wrote
	Answered time.Time // zero: not yet
	By       string    // pseudonym of who answered
}
