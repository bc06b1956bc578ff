package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"aovuon/gateway/measure"
	"aovuon/server/ingest"
)

// Options are what a Source is made of.
type Options struct {
	Name  string
	File  string  // of the mapping; it is read again when it changes
	Rate  float64 // messages a second; 0: 50
	Burst int     // 0: 500

	Seal    func(ctx context.Context, readings []measure.Reading) error // makes them durable
	Serving func() bool                                                 // the name is in the register, and not retired
	Refuse  func(ingest.Refusal)                                        // counts what was refused; must not block
	Unknown *Unknowns
	Now     func() time.Time
	Log     *slog.Logger
}

// The reasons a message is not even read. Callers tell them apart with errors.Is.
var (
	ErrNotServing = errors.New("nobody added this intake (server intake add), or it was retired")
	ErrTooFast    = errors.New("more messages than the intake's rate allows, or the database cannot follow")
)

// Defaults and bounds of a Source.
const (
	defaultRate, defaultBurst = 50, 500
	waitingJobs               = 1000
	gatherFor                 = 250 * time.Millisecond
	gatherMost                = 300
	lookEvery                 = 5 * time.Second // at the mapping file
	firstRetry, lastRetry     = 100 * time.Millisecond, 5 * time.Second
)

// Source is one intake at work. Make it with NewSource, run it with Run.
type Source struct {
	Options
	limit   *rate.Limiter
	mapping atomic.Pointer[loaded]
	jobs    chan job
	trouble atomic.Pointer[string] // why nothing is taken in, or the mapping on disk cannot be read

	mu     sync.Mutex
	recent map[channel]*[recentTimes]int64 // ms of the newest readings of each channel that said their own time
}

// recentTimes is how far back a reading is recognised that came before.
const recentTimes = 64

type channel struct {
	sensor   string
	quantity measure.Quantity
}

// loaded is a mapping with what tells whether the file is another one by now.
type loaded struct {
	*Mapping
	changed time.Time
	size    int64
}

type job struct {
	readings []measure.Reading
	done     func(error)
}

// NewSource reads the mapping.
func NewSource(o Options) (*Source, error) {
	if o.Rate == 0 {
		o.Rate = defaultRate
	}
	if o.Burst == 0 {
		o.Burst = defaultBurst
	}
	s := &Source{Options: o, limit: rate.NewLimiter(rate.Limit(o.Rate), o.Burst), jobs: make(chan job, waitingJobs), recent: map[channel]*[recentTimes]int64{}}
	if _, err := s.load(); err != nil {
		return nil, fmt.Errorf("intake %s: %w", o.Name, err)
	}
	return s, nil
}

// Timed reports whether messages of the kind say themselves when they were measured, so that they may wait in a broker.
func (s *Source) Timed() bool {
	m := s.mapping.Load()
	return !m.ReceivedTime && (m.Kind == SenML || m.Kind == ChirpStack || m.Kind == Tasmota || m.Kind == JSON && m.TimeField != "")
}

// Kind returns how messages are read.
func (s *Source) Kind() Kind { return s.mapping.Load().Kind }

// Devices returns how many devices the mapping names.
func (s *Source) Devices() int { return len(s.mapping.Load().Devices) }

// Trouble says why nothing is taken in, or why the mapping in force is not that of the file; empty where all is well.
func (s *Source) Trouble() string {
	if t := s.trouble.Load(); t != nil {
		return *t
	}
	return ""
}

// load reads the mapping file if it is another one by now. One that cannot be read leaves the mapping as it is.
func (s *Source) load() (changed bool, err error) {
	st, err := os.Stat(s.File)
	if err != nil {
		return false, fmt.Errorf("mapping: %w", err)
	}
	old := s.mapping.Load()
	if old != nil && old.changed.Equal(st.ModTime()) && old.size == st.Size() {
		return false, nil
	}
	raw, err := os.ReadFile(s.File)
	if err != nil {
		return false, fmt.Errorf("mapping: %w", err)
	}
	m, err := ParseMapping(s.File, raw)
	if err != nil {
		return false, err
	}
	if old != nil && old.Kind != m.Kind {
		return false, fmt.Errorf("%s: kind was %s when the server started, and is %s now: start the server again", s.File, old.Kind, m.Kind)
	}
	s.mapping.Store(&loaded{m, st.ModTime(), st.Size()})
	return true, nil
}

// Take takes a message in and waits until what it carries is durable. A full queue pushes back.
func (s *Source) Take(ctx context.Context, m Message) (Taken, error) {
	answer := make(chan error, 1)
	t, err := s.Offer(ctx, m, true, func(err error) { answer <- err })
	if err != nil {
		return t, err
	}
	select {
	case err := <-answer:
		return t, err
	case <-ctx.Done():
		return t, fmt.Errorf("intake %s: not durable yet: %w", s.Name, ctx.Err())
	}
}

// Offer takes a message in; done is told once what it carries is durable, or that it never will be. Where the queue is full it waits, or with wait
// false refuses. After an error done is not called.
func (s *Source) Offer(ctx context.Context, m Message, wait bool, done func(error)) (Taken, error) {
	switch {
	case !s.Serving():
		return Taken{}, ErrNotServing
	case !s.limit.Allow():
		s.note(m, ingest.TooFast, ErrTooFast.Error())
		return Taken{}, ErrTooFast
	}
	t := s.mapping.Load().Read(m)
	for _, r := range t.Refused {
		s.refused(m, r)
	}
	if s.fresh(m, &t); len(t.Readings) == 0 && t.Twice == 0 { // what came before may not be durable yet: its answer waits in the same queue
		done(nil)
		return t, nil
	}
	j := job{t.Readings, done}
	if !wait {
		select {
		case s.jobs <- j:
			return t, nil
		default:
			s.note(m, ingest.TooFast, ErrTooFast.Error())
			return t, ErrTooFast
		}
	}
	select {
	case s.jobs <- j:
		return t, nil
	case <-ctx.Done():
		return t, fmt.Errorf("intake %s: the queue is full: %w", s.Name, ctx.Err())
	}
}

func (s *Source) refused(m Message, r Refused) {
	if r.Why == UnknownDevice || r.Why == UnknownValue {
		s.Unknown.see(s.Name, r, m.Received)
		return
	}
	detail := r.Detail
	if r.Device != "" {
		detail = r.Device + " " + r.Value + ": " + detail
	}
	s.note(m, map[Why]ingest.Reason{Malformed: ingest.Malformed, NoValue: ingest.NoValue, BadNumber: ingest.BadValue, BadTime: ingest.BadTime}[r.Why], detail)
}

func (s *Source) note(m Message, why ingest.Reason, detail string) {
	s.Refuse(ingest.Refusal{Gateway: s.Name, Reason: why, Detail: detail, Received: m.Received, Size: int64(len(m.Body)), Sample: m.Body})
}

// fresh leaves out readings that came before: a network that delivers twice, a device that sends again. Only where the message says when they were
// measured can that be known.
func (s *Source) fresh(m Message, t *Taken) {
	if !t.Timed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Readings = slices.DeleteFunc(t.Readings, func(r measure.Reading) bool {
		c := channel{r.Sensor, r.Quantity}
		ring := s.recent[c]
		if ring == nil {
			ring = &[recentTimes]int64{}
			s.recent[c] = ring
		}
		ms := r.Time.Wall.UnixMilli()
		if slices.Contains(ring[:], ms) {
			s.note(m, ingest.SentTwice, fmt.Sprintf("%s %s of %s came before", r.Sensor, r.Quantity, r.Time.Wall.Format(time.RFC3339)))
			t.Twice++
			return true
		}
		copy(ring[1:], ring[:recentTimes-1])
		ring[0] = ms
		return false
	})
}

// Run seals what was taken until ctx ends, and looks after the mapping.
func (s *Source) Run(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			s.look()
		case j := <-s.jobs:
			if !s.sealUntilDone(ctx, s.gather(ctx, j)) {
				return nil
			}
		}
	}
}

func (s *Source) look() {
	changed, err := s.load()
	switch before := s.Trouble(); {
	case err != nil && before != err.Error():
		text := err.Error()
		s.trouble.Store(&text)
		s.Log.Warn("mapping of an intake cannot be read, the one before stays in force", slog.String("intake", s.Name), slog.Any("err", err))
	case err == nil:
		s.trouble.Store(nil)
	}
	if changed {
		s.Unknown.named(s.Name, s.mapping.Load().Mapping)
		s.Log.Info("mapping of an intake read again", slog.String("intake", s.Name), slog.Int("devices", s.Devices()))
	}
}

// gather waits a moment for more, so that one batch serves several messages.
func (s *Source) gather(ctx context.Context, first job) []job {
	list, n := []job{first}, len(first.readings)
	t := time.NewTimer(gatherFor)
	defer t.Stop()
	for n < gatherMost {
		select {
		case j := <-s.jobs:
			list, n = append(list, j), n+len(j.readings)
		case <-t.C:
			return list
		case <-ctx.Done():
			return list
		}
	}
	return list
}

// sealUntilDone tries until the readings are durable; false when ctx ends before.
func (s *Source) sealUntilDone(ctx context.Context, list []job) bool {
	var all []measure.Reading
	for _, j := range list {
		all = append(all, j.readings...)
	}
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := s.Seal(ctx, all)
		if err == nil {
			if s.Trouble() != "" && strings.HasPrefix(s.Trouble(), sealing) {
				s.trouble.Store(nil)
			}
			for _, j := range list {
				j.done(nil)
			}
			return true
		}
		if ctx.Err() != nil {
			for _, j := range list {
				j.done(ctx.Err())
			}
			return false
		}
		text := sealing + err.Error()
		if s.trouble.Swap(&text) == nil {
			s.Log.Error("readings of an intake cannot be committed, they wait", slog.String("intake", s.Name), slog.Any("err", err))
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

const sealing = "cannot be committed: "
