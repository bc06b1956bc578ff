package outbound

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aovuon/server/watch/notify"
)

// Longest and shortest patience a service may ask for: what it says is a wish, and an alarm is not put off for a day.
const (
	leastPatience = time.Second
	mostPatience  = 15 * time.Minute
)

// Fault is what an HTTP status that is no success means for a message. now is for services that name a time of day.
func Fault(a Answer, said string, now time.Time) error {
	err := fmt.Errorf("%s answered %s%s", a.Host, a.Status, said)
	switch code := a.Code; {
	case code == http.StatusGone:
		return fmt.Errorf("%w: %w", notify.ErrGone, err)
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		if d, ok := RetryAfter(a.Header.Get("Retry-After"), now); ok {
			return &notify.RetryError{After: d, Err: err}
		}
		return err
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code >= 500:
		return err
	}
	return fmt.Errorf("%w: %w", notify.ErrPermanent, err) // redirects too: where they lead to was never checked
}

// Unreachable is what an exchange without an answer means for a message: a forbidden address stays one.
func Unreachable(err error) error {
	if errors.Is(err, ErrForbidden) {
		return fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	return err
}

// RetryAfter reads the header of this name: seconds, or a time (RFC 9110 §10.2.3), within bounds.
func RetryAfter(s string, now time.Time) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	var d time.Duration
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = at.Sub(now)
	} else {
		return 0, false
	}
	return min(max(d, leastPatience), mostPatience), true
}

// Said is the beginning of what a service answered, on one line, for people to read: ": …", or nothing.
func Said(raw []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(raw), "")), " ")
	if s == "" {
		return ""
	}
	if r := []rune(s); len(r) > 160 {
		s = string(r[:160]) + "…"
	}
	return ": " + s
}
