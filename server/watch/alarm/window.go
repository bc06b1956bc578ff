package alarm

import (
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

const (
	// Horizon is how far back the windows reach. Readings that are older when they come are of no use here.
	Horizon = 25 * time.Hour
	// bucketWidth is how coarse a series is kept over the Horizon.
	bucketWidth = 10 * time.Minute
	buckets     = int64(Horizon/bucketWidth) + 1
	// rawMost bounds the readings of one series that are kept as they are.
	rawMost = 2000
	// MaxChannels bounds what one gateway can make the windows hold, as watch.MaxChannels does for live values.
	MaxChannels = 1000
)

// Sample is a reading as the watch takes it. With Quality Fault it carries a Reason and no Value.
type Sample struct {
	history.Series
	Time    time.Time // when it was measured
	Value   float64   // in the quantity's unit
	Quality measure.Quality
	Reason  measure.FaultReason
}

// point is a reading in a window; times are milliseconds since 1970 UTC.
type point struct {
	at    int64
	value float64
	ok    bool // there is a value that measures something
}

// bucket is the mean of the values of bucketWidth.
type bucket struct {
	id  int64 // at / bucketWidth; another id in its slot: it is empty
	n   int
	sum float64
}

// series is what is known of one channel at one place.
type series struct {
	raw     []point // by time
	buckets [buckets]bucket
	fault   measure.FaultReason // of the newest point, where it has no value
	last    int64               // time of the newest value ever seen here; 0: none
}

// Windows holds the newest readings of every series. It is safe for concurrent use.
type Windows struct {
	mu     sync.Mutex
	series map[history.Series]*series
	held   map[string]int       // series of each gateway
	heard  map[string]time.Time // when the newest batch of a gateway was received, by the server's clock
	rawFor time.Duration
	behind bool // the log is not followed up to its end: nothing may be said of silence
}

// NewWindows returns empty Windows, behind the log, that keep readings as they are for so long: at least as long as the longest persistence of a limit.
func NewWindows(rawFor time.Duration) *Windows {
	return &Windows{series: map[history.Series]*series{}, held: map[string]int{}, heard: map[string]time.Time{}, rawFor: rawFor, behind: true}
}

// Heard notes that a batch of a gateway was received.
func (w *Windows) Heard(gateway string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at.After(w.heard[gateway]) {
		w.heard[gateway] = at
	}
}

// Behind says whether the log is not followed up to its end.
func (w *Windows) Behind(behind bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.behind = behind
}

// Add takes readings in any order, also twice. Those before now less Horizon are left out.
func (w *Windows) Add(samples []Sample, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	oldest, rawFrom := now.Add(-Horizon).UnixMilli(), now.Add(-w.rawFor).UnixMilli()
	for i := range samples {
		x := &samples[i]
		at := x.Time.UnixMilli()
		if at < oldest {
			continue
		}
		s := w.series[x.Series]
		if s == nil {
			if w.held[x.Gateway] >= MaxChannels {
				continue
			}
			w.held[x.Gateway]++
			s = &series{}
			w.series[x.Series] = s
		}
		s.add(x, at, rawFrom)
	}
}

// measures reports whether a reading says anything of what it measures.
func (x *Sample) measures() bool {
	return x.Quality != measure.Fault && x.Quality != measure.OutOfRange
}

func (s *series) add(x *Sample, at, rawFrom int64) {
	p := point{at: at, value: x.Value, ok: x.measures()}
	i, known := len(s.raw), false
	if i > 0 && s.raw[i-1].at >= at { // late: rare
		i, known = slices.BinarySearchFunc(s.raw, at, func(p point, at int64) int { return int(min(max(p.at-at, -1), 1)) })
	}
	if known {
		return
	}
	if i == len(s.raw) {
		if s.fault = ""; !p.ok {
			s.fault = x.Reason
		}
	}
	if at >= rawFrom {
		s.raw = slices.Insert(s.raw, i, p)
	}
	drop := max(0, len(s.raw)-rawMost)
	for drop < len(s.raw)-1 && s.raw[drop].at < rawFrom {
		drop++
	}
	if drop > cap(s.raw)/4 || drop > rawMost/8 { // seldom, so that a reading costs no copy
		s.raw = slices.Clone(s.raw[drop:])
	}
	if !p.ok {
		return
	}
	s.last = max(s.last, at)
	id := at / bucketWidth.Milliseconds()
	b := &s.buckets[id%buckets]
	if b.id > id {
		return
	}
	if b.id != id {
		*b = bucket{id: id}
	}
	b.n++
	b.sum += p.value
}

// means calls f with the time of the middle and the mean of each bucket from a time on, in no order.
func (s *series) means(from, to int64, f func(at int64, mean float64)) {
	first := from / bucketWidth.Milliseconds()
	last := to / bucketWidth.Milliseconds()
	for i := range s.buckets {
		if b := &s.buckets[i]; b.n > 0 && b.id >= first && b.id <= last {
			f(b.id*bucketWidth.Milliseconds()+bucketWidth.Milliseconds()/2, b.sum/float64(b.n))
		}
	}
}

// newest returns the newest value among the readings that are kept as they are.
func (s *series) newest() (point, bool) {
	for _, p := range slices.Backward(s.raw) {
		if p.ok {
			return p, true
		}
	}
	return point{}, false
}

const (
	staleLeast = 10 * time.Minute // younger than this a value is never old: probes are read every minute, a gateway sends every half minute
	staleMost  = 2 * time.Hour    // older than this it always is, however seldom the probe is read
)

// stale is the age, in milliseconds, from which the newest value says nothing of now: three and a half times as long as lies between
// readings. One that is known by a single reading is given staleMost.
func (s *series) stale() int64 {
	const look = 8
	n := len(s.raw)
	if n < 2 {
		return staleMost.Milliseconds()
	}
	from := max(0, n-look)
	step := (s.raw[n-1].at - s.raw[from].at) / int64(n-1-from)
	return min(max(step*7/2, staleLeast.Milliseconds()), staleMost.Milliseconds())
}
