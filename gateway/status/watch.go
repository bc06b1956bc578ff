package status

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

// Watch remembers the newest reading of every channel and since when it is what it is. It is a sense.Sink to be given to
// Station.Watch, and safe for concurrent use.
type Watch struct {
	mu    sync.Mutex
	seen  map[place]*sight
	order []place
}

type place struct {
	sensor   string
	quantity measure.Quantity
}

type sight struct {
	measure.Reading
	since time.Duration // uptime
}

// NewWatch returns a Watch that saw nothing yet.
func NewWatch() *Watch { return &Watch{seen: make(map[place]*sight)} }

// Take implements sense.Sink.
func (w *Watch) Take(_ context.Context, readings []measure.Reading) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range readings {
		at := place{r.Sensor, r.Quantity}
		s := w.seen[at]
		if s == nil {
			s = &sight{since: r.Time.Uptime}
			w.seen[at] = s
			w.order = append(w.order, at)
		} else if s.Quality != r.Quality || s.Reason != r.Reason {
			s.since = r.Time.Uptime
		}
		s.Reading = r
	}
	return nil
}

// Keep forgets the sensors that are not among ids: those the configuration no longer has. The others come in the order of ids.
func (w *Watch) Keep(ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.order = slices.DeleteFunc(w.order, func(at place) bool {
		gone := !slices.Contains(ids, at.sensor)
		if gone {
			delete(w.seen, at)
		}
		return gone
	})
	slices.SortStableFunc(w.order, func(a, b place) int {
		return cmp.Compare(slices.Index(ids, a.sensor), slices.Index(ids, b.sensor))
	})
}

// Newest returns the newest reading of every channel, in the order of Channels.
func (w *Watch) Newest() []measure.Reading {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]measure.Reading, 0, len(w.order))
	for _, at := range w.order {
		out = append(out, w.seen[at].Reading)
	}
	return out
}

// Channels returns what was seen, in the order of the last Keep. uptime is now; why and bus say
// what is known beside the reading.
func (w *Watch) Channels(uptime time.Duration, why func(measure.Reading) string, bus func(sensor string) string) []Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]Channel, 0, len(w.order))
	for _, at := range w.order {
		s := w.seen[at]
		info, _ := s.Quantity.Info()
		c := Channel{
			Sensor: s.Sensor, Bus: bus(s.Sensor), Quantity: s.Quantity, Unit: info.Unit, Quality: s.Quality.String(), Reason: string(s.Reason),
			Why: why(s.Reading), Inputs: s.Inputs, Time: s.Time.Wall, Age: seconds(uptime - s.Time.Uptime), For: seconds(uptime - s.since),
		}
		if s.Quality != measure.Fault {
			v := s.Value
			c.Value = &v
		}
		if s.Filtered {
			v := s.Raw
			c.Raw = &v
		}
		out = append(out, c)
	}
	return out
}

func seconds(d time.Duration) int64 { return int64(max(0, d) / time.Second) }
