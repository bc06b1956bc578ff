package scan

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of what is held in memory, so that strangers cannot make it grow: some 40 MB when all are full.
const (
	queued  = 8192   // scans that came and are not looked at yet
	waiting = 20_000 // rows that the database has not taken yet
	recent  = 50_000 // code and browser, twice: to count a second look once
	sweeper = 20_000 // browsers, twice: to see who looks at very many codes
	facts   = 20_000 // codes, twice: what pages asked last
)

// How the work is timed.
const (
	again    = 10 * time.Minute       // a second look of the same browser within it is the same scan
	linger   = 500 * time.Millisecond // scans are gathered for so long
	most     = 500                    // or until there are so many
	patience = 100 * time.Millisecond // a page waits so long for what is known of a code, then goes without
	fresh    = time.Minute            // what another server on the same database kept is seen after so long
	sweepAt  = 60                     // codes within an hour, from which on a browser tells nothing of a code
	guessAt  = 10                     // codes that nobody issued, within an hour
	looked   = 400                    // newest rows of a code that its rules look at
	rowsMost = 2_000_000              // rows kept in all
)

// Keep is how long single scans are kept, unless told otherwise: long enough for a season's last pack and its complaint.
const Keep = 180 * 24 * time.Hour

// Options are what a Service works with. All but Regions and Own must be set.
type Options struct {
	Store   Store
	Limits  Limits
	Regions *Regions       // nil: addresses tell no province
	Own     []netip.Prefix // the co-op's own network: what is scanned there is a test
	Keep    time.Duration
	Random  io.Reader
	Now     func() time.Time
	Log     *slog.Logger
}

// Service notes scans behind the pages that were asked for, and tells what is known of a code. Nothing a page asks of it waits for more than a
// tenth of a second, or fails. It is safe for concurrent use; Run does the work.
type Service struct {
	o    Options
	in   chan heard
	lost atomic.Int64 // came while in was full

	mu    sync.Mutex
	known *young[string, remembered]

	// Of Run alone.
	salt    salt
	seen    *young[look, time.Time]
	sweeps  *young[Client, tally]
	pending Batch
}

// heard is a scan, or what a reader said of where they are.
type heard struct {
	Scanned
	province string // said; empty: a scan
}

type look struct {
	code   string
	client Client
}

type remembered struct {
	facts Facts
	at    time.Time
}

// New returns a service that notes nothing until Run works.
func New(o Options) *Service {
	return &Service{
		o: o, in: make(chan heard, queued), known: newYoung[string, remembered](facts, fresh), salt: salt{random: o.Random},
		seen: newYoung[look, time.Time](recent, again), sweeps: newYoung[Client, tally](sweeper, time.Hour), pending: emptyBatch(),
	}
}

func emptyBatch() Batch {
	return Batch{Subjects: map[string]Subject{}, Found: map[string][]Finding{}, Days: map[string]Day{}}
}

// Note notes a scan. It never waits; what comes too fast is counted and told on the staff's page.
func (s *Service) Note(sc Scanned) { s.hear(heard{Scanned: sc}) }

// Say notes that the reader of a code says to be in a province. It never waits.
func (s *Service) Say(sc Scanned, province string) {
	if ValidProvince(province) {
		s.hear(heard{sc, province})
	}
}

// The longest that is kept of what a stranger sends.
const (
	longestCode  = 300
	longestAgent = 300
)

func (s *Service) hear(h heard) {
	if h.Code == "" || len(h.Code) > longestCode {
		return
	}
	if len(h.Agent) > longestAgent {
		h.Agent = h.Agent[:longestAgent]
	}
	select {
	case s.in <- h:
	default:
		s.lost.Add(1)
	}
}

// Facts returns what is known of a code. Where the database does not answer at once nothing is known: ok is false.
func (s *Service) Facts(ctx context.Context, code string) (f Facts, ok bool) {
	now := s.o.Now()
	s.mu.Lock()
	r, found := s.known.get(code)
	s.mu.Unlock()
	if found && now.Sub(r.at) < fresh {
		return r.facts, true
	}
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	sum, scanned, err := s.o.Store.ScanSummary(limit, code)
	if err != nil {
		return Facts{}, false
	}
	if scanned {
		f = sum.Facts()
	}
	s.mu.Lock()
	s.known.put(code, remembered{f, now}, now)
	s.mu.Unlock()
	return f, true
}

// Changed says that what is known of a code was changed by somebody else than Run.
func (s *Service) Changed(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known.drop(code)
}

// Run notes scans until ctx is done, and then what it still has. What cannot be kept is logged and tried again.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(linger)
	defer tick.Stop()
	clean := time.NewTicker(time.Hour)
	defer clean.Stop()
	s.forget(ctx)
	failing, rest := false, time.Time{}
	for {
		select {
		case <-ctx.Done():
			s.last(ctx)
			return nil
		case h := <-s.in:
			s.take(h)
			if len(s.pending.Rows) < most || failing {
				continue
			}
		case <-tick.C:
			s.salt.forget(s.o.Now())
		case <-clean.C:
			s.forget(ctx)
			continue
		}
		if failing && s.o.Now().Before(rest) {
			continue
		}
		err := s.flush(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			s.o.Log.Warn("scans cannot be noted", slog.Any("err", err))
		}
		if failing = err != nil; failing {
			rest = s.o.Now().Add(5 * time.Second)
		}
	}
}

// last notes what is left when the server stops.
func (s *Service) last(ctx context.Context) {
	for {
		select {
		case h := <-s.in:
			s.take(h)
			continue
		default:
		}
		break
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := s.flush(limit); err != nil {
		s.o.Log.Warn("scans were not noted", slog.Any("err", err), slog.Int("scans", len(s.pending.Rows)))
	}
}

func (s *Service) forget(ctx context.Context) {
	n, err := s.o.Store.ForgetScans(ctx, s.o.Now().Add(-s.o.Keep), rowsMost)
	switch {
	case err != nil && ctx.Err() == nil:
		s.o.Log.Warn("old scans cannot be forgotten", slog.Any("err", err))
	case n > 0:
		s.o.Log.Info("old scans forgotten", slog.Int64("scans", n))
	}
}

// own reports whether an address is the co-op's.
func (s *Service) own(a netip.Addr) bool {
	return slices.ContainsFunc(s.o.Own, func(p netip.Prefix) bool { return a.IsValid() && p.Contains(a) })
}

// Scanned notes a scan and returns what is known of those before it; Unknown where the database does not answer at once.
func (s *Service) Scanned(ctx context.Context, sc Scanned) Facts {
	f, ok := s.Facts(ctx, sc.Code)
	f.Unknown = !ok
	s.Note(sc)
	return f
}
