package edge

import (
	"fmt"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// window is a stretch of every day, in minutes since midnight; it may go over midnight.
type window struct{ from, to int }

// parseWindow reads "22:00-06:00".
func parseWindow(s string) (window, error) {
	a, b, ok := strings.Cut(s, "-")
	from, errA := time.Parse("15:04", strings.TrimSpace(a))
	to, errB := time.Parse("15:04", strings.TrimSpace(b))
	if !ok || errA != nil || errB != nil {
		return window{}, fmt.Errorf("%q is no window of the day", s)
	}
	w := window{from.Hour()*60 + from.Minute(), to.Hour()*60 + to.Minute()}
	if w.from == w.to {
		return window{}, fmt.Errorf("%q begins when it ends", s)
	}
	return w, nil
}

// holds reports whether the window is open. Without a known wall time it is not.
func (w window) holds(now measure.Instant, zone *time.Location) bool {
	if now.Clock == measure.Unsynced {
		return false
	}
	t := now.Wall.In(zone)
	m := t.Hour()*60 + t.Minute()
	if w.from < w.to {
		return m >= w.from && m < w.to
	}
	return m >= w.from || m < w.to
}
