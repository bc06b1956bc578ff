package sense

import (
	"context"
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

// Known is what a Board knows of one quantity of one sensor.
type Known struct {
	measure.Reading // the newest one, whatever its quality
	Doubt           Doubt

	good    measure.Reading // the last one that may compensate others
	hasGood bool
}

// Doubt is why a reading is Suspect.
type Doubt struct {
	Why   string // for people and logs; empty when it is not in doubt
	Alone bool   // it is in doubt by itself, not because another probe says otherwise
}

// Board remembers the newest reading of every channel, and the last good one: what a page shows, and what other values
// are computed with. It is safe for concurrent use. It is a Sink, and can stand beside another.
type Board struct {
	clock Clock

	mu    sync.RWMutex
	known map[place]*Known
	order []place
	gone  map[place]bool // whose sensor was taken away: the answer it may still give is not noted
}

type place struct {
	sensor   string
	quantity measure.Quantity
}

// NewBoard returns an empty Board. The clock tells how old a value is.
func NewBoard(clock Clock) *Board {
	return &Board{clock: clock, known: make(map[place]*Known), gone: make(map[place]bool)}
}

// Take implements Sink. Nothing is known of why.
func (b *Board) Take(_ context.Context, readings []measure.Reading) error {
	for _, r := range readings {
		b.Note(r, Doubt{})
	}
	return nil
}

// Note remembers a reading, and why it is in doubt. A value that is not Good is never what others are computed with.
func (b *Board) Note(r measure.Reading, doubt Doubt) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := place{r.Sensor, r.Quantity}
	if b.gone[at] {
		return
	}
	k := b.known[at]
	if k == nil {
		k = &Known{}
		b.known[at] = k
		b.order = append(b.order, at)
	}
	k.Reading, k.Doubt = r, doubt
	if r.Quality == measure.Good {
		k.good, k.hasGood = r, true
	}
}

// Latest returns the newest reading of every channel, in the order in which they first said something.
func (b *Board) Latest() []Known {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Known, 0, len(b.order))
	for _, at := range b.order {
		out = append(out, *b.known[at])
	}
	return out
}

// Newest returns what is known of one quantity of a sensor; ok is false when it has not said anything yet.
func (b *Board) Newest(sensor string, q measure.Quantity) (k Known, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p, ok := b.known[place{sensor, q}]
	if !ok {
		return Known{}, false
	}
	return *p, true
}

// Keep forgets every sensor that is not among channels, and takes nothing of it any more.
func (b *Board) Keep(channels []Channel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	stays := make(map[place]bool)
	for _, c := range channels {
		for _, q := range c.Quantities {
			stays[place{c.ID, q}] = true
			delete(b.gone, place{c.ID, q})
		}
	}
	b.drop(func(at place) bool {
		if stays[at] {
			return false
		}
		b.gone[at] = true
		return true
	})
}

// Forget drops what a sensor said: it is another one now.
func (b *Board) Forget(sensor string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(func(at place) bool { return at.sensor == sensor })
}

// drop removes the places that goes says. b.mu is held.
func (b *Board) drop(goes func(place) bool) {
	b.order = slices.DeleteFunc(b.order, func(at place) bool {
		if !goes(at) {
			return false
		}
		delete(b.known, at)
		return true
	})
}

// Input returns what a sensor says as an input of another. ok is true for its last good value while that is younger than
// MaxAge. Else in is the next best that is known: a fresh value whose probe is uncalibrated, or was itself computed with
// something assumed; then the last good one, however old. Without a Sensor in it nothing is known.
func (b *Board) Input(sensor string, q measure.Quantity) (in measure.Input, ok bool) {
	k, known := b.Newest(sensor, q)
	if !known {
		return measure.Input{}, false
	}
	now := b.clock.Now().Uptime
	of := func(r measure.Reading) measure.Input {
		return measure.Input{Quantity: q, Value: r.Value, Sensor: sensor, Age: max(0, now-r.Time.Uptime)}
	}
	good, newest := of(k.good), of(k.Reading)
	switch {
	case k.hasGood && good.Age <= MaxAge(q):
		return good, true
	case k.Quality <= measure.Estimated && newest.Age <= MaxAge(q):
		return newest, false
	case k.hasGood:
		return good, false
	}
	return measure.Input{}, false
}

// MaxAge is how old a value may be and still be used to compute others with. A pond changes by less than half a degree
// in ten minutes; air pressure by less than 3 hPa, 0.3 % of an oxygen, in three hours; salinity by rain and tide in
// an hour.
func MaxAge(q measure.Quantity) time.Duration {
	if q == measure.AirPressure {
		return 3 * time.Hour
	}
	if q == measure.Salinity {
		return time.Hour
	}
	return 10 * time.Minute
}
