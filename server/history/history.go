// Package history keeps readings as time series: what the charts, the pages and the evidence are drawn from.
//
// Points come in from the batch log's projector; ranges, newest values and hourly figures go out to pages and lots. It is
// a projection: whatever is lost here is written again from the batch log. The engines live in history/sqlite and
// history/influx and pass one contract suite, history/historytest.
package history

import (
	"cmp"
	"context"
	"time"

	"aovuon/gateway/measure"
)

// Series names one line of values: one quantity of one sensor at one place.
type Series struct {
	Place    string // code of the place; "unplaced" while nobody has said where the sensor is
	Quantity measure.Quantity
	Gateway  string
	Sensor   string
}

// Compare orders series by place, quantity, gateway, sensor.
func (s Series) Compare(o Series) int {
	return cmp.Or(cmp.Compare(s.Place, o.Place), cmp.Compare(s.Quantity, o.Quantity), cmp.Compare(s.Gateway, o.Gateway), cmp.Compare(s.Sensor, o.Sensor))
}

// Point is one reading of a series. A point of quality Fault has no value.
type Point struct {
	Series
	Time    time.Time // UTC, millisecond resolution
	Value   float64
	Quality measure.Quality
}

// Bucket summarises the points of one step of a range.
type Bucket struct {
	Start time.Time // of the step; for a raw range the time of the one point
	// N counts the values that Min, Mean and Max are over: those of any quality but Fault and OutOfRange. When it is 0
	// the three are 0 and mean nothing.
	N              int
	Min, Mean, Max float64
	OutOfRange     int             // points whose value is no measurement
	Faults         int             // points that carry no value
	Worst          measure.Quality // the worst quality among all points of the step
}

// Query asks for the points of one series with From <= time < To.
type Query struct {
	Series
	From, To time.Time
	// Every is the width of a step, in whole milliseconds; steps start at multiples of it in local time of Zone (a week's
	// steps on Thursdays, as 1970 did). 0: every point by itself.
	Every time.Duration
	Zone  *time.Location // nil: UTC
}

// Store is the history port.
type Store interface {
	Reader
	Keep
	// Write makes the points durable, or returns an error and may have kept some. Points of the same series and time
	// replace each other, the later one of a call wins, so writing again is harmless. Order does not matter. The rollups of the hours
	// written to are stale from then on.
	//
	// A *RejectedError lists points that will never be accepted; all others of the call are durable then. Any other error
	// is an ErrUnavailable (try again), an ErrConfiguration (call a person), or the context's.
	Write(ctx context.Context, points []Point) error
	// Forget forgets what is remembered of rollups between calls: another process may have written since. It is called before the first
	// Write of who takes over.
	Forget()
	Close() error
}

// Reader reads series.
type Reader interface {
	// Latest returns the newest point, of whatever quality, of each series that has any, in no order.
	Latest(ctx context.Context, series []Series) ([]Point, error)
	// Range returns the non-empty steps in time order. A first step that began before From holds only points from From on.
	Range(ctx context.Context, q Query) ([]Bucket, error)
	// Each calls f for every point of a series with from <= time < to, in time order, until f returns an error.
	Each(ctx context.Context, s Series, from, to time.Time, f func(Point) error) error
	// Rollups returns the rollups of a span that lie within from and to, in time order. Where there is none there are no points either.
	Rollups(ctx context.Context, s Series, span Span, from, to time.Time) ([]Rollup, error)
}
