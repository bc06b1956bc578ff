package history

import (
	"errors"
	"fmt"
	"time"
)

// ErrUnavailable wraps every error that a later try may not meet: the engine is down, busy or starting. A projector
// waits and tries again; it never skips.
var ErrUnavailable = errors.New("history engine unavailable")

// ErrConfiguration wraps every error that only a person can mend: wrong password, no such database, a damaged file. The
// text says what to do. A projector keeps its cursor where it is.
var ErrConfiguration = errors.New("history engine not usable as configured")

// UnavailableError is an ErrUnavailable whose engine said when to come back.
type UnavailableError struct {
	RetryAfter time.Duration // 0: it did not say
	Err        error
}

// Error says what failed.
func (e *UnavailableError) Error() string {
	if e.RetryAfter > 0 {
		return fmt.Sprintf("%v (retry after %s): %v", ErrUnavailable, e.RetryAfter, e.Err)
	}
	return fmt.Sprintf("%v: %v", ErrUnavailable, e.Err)
}

// Unwrap makes errors.Is find both ErrUnavailable and the cause.
func (e *UnavailableError) Unwrap() []error { return []error{ErrUnavailable, e.Err} }

// Rejected is one point the history will never take, and why.
type Rejected struct {
	Point  Point
	Reason string
}

// RejectedError says that some points of a Write were refused for good while all others are durable. The caller puts
// them aside with their reasons and goes on.
type RejectedError struct {
	Rejected []Rejected
}

// Error names the first.
func (e *RejectedError) Error() string {
	if len(e.Rejected) == 0 {
		return "history: no points rejected"
	}
	r := e.Rejected[0]
	return fmt.Sprintf("history: %d points rejected; the first, of sensor %s of gateway %s at %s: %s",
		len(e.Rejected), r.Point.Sensor, r.Point.Gateway, r.Point.Time.UTC().Format(time.RFC3339Nano), r.Reason)
}
