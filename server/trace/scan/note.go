package scan

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// tally counts what codes a browser looks at within an hour.
type tally struct {
	since          time.Time
	codes, unknown int
	last           string // code
}

// take turns what was heard into what is kept: the address and the browser's name go no further than here.
func (s *Service) take(h heard) {
	addr := addressOf(h.Addr)
	switch {
	case robot(h.Agent):
		s.pending.count(h.At, Day{Robots: 1})
		return
	case s.own(addr):
		s.pending.count(h.At, Day{Own: 1})
		return
	}
	c, err := s.salt.client(h.Addr, h.Agent, h.At)
	if err != nil {
		s.o.Log.Error("scan not noted", slog.Any("err", err))
		s.lost.Add(1)
		return
	}
	row := Row{Code: h.Code, At: h.At, Client: c, Province: s.o.Regions.Of(addr)}
	if h.province != "" {
		row.Province, row.Said = h.province, true
	}
	before, looked := s.seen.get(look{h.Code, c})
	switch soon := looked && h.At.Sub(before) < again; {
	case row.Said && soon:
		row.At = before
		s.pending.Said = append(s.pending.Said, row)
		return
	case soon:
		s.pending.count(h.At, Day{Again: 1})
		return
	}
	s.seen.put(look{h.Code, c}, h.At, h.At)
	if len(s.pending.Rows) >= waiting {
		s.lost.Add(1)
		return
	}
	s.pending.Rows = append(s.pending.Rows, row)
}

// flush keeps what was gathered. What fails stays gathered.
func (s *Service) flush(ctx context.Context) error {
	if n := s.lost.Swap(0); n > 0 {
		s.pending.count(s.o.Now(), Day{Lost: int(n)})
	}
	if len(s.pending.Rows)+len(s.pending.Said)+len(s.pending.Days) == 0 {
		return nil
	}
	b, tallies, err := s.batch(ctx)
	if err != nil {
		return err
	}
	if err := s.o.Store.KeepScans(ctx, b); err != nil {
		return err
	}
	for c, t := range tallies {
		s.sweeps.put(c, t, s.o.Now())
	}
	s.mu.Lock()
	for code := range b.Subjects {
		s.known.drop(code)
	}
	s.mu.Unlock()
	s.pending = emptyBatch()
	return nil
}

// batch works out what is kept of what was gathered: rows of codes of ours, what those break, and figures. Nothing of the service changes by it,
// so it can be done again.
func (s *Service) batch(ctx context.Context) (Batch, map[Client]tally, error) {
	asked := map[string]bool{}
	for _, r := range slices.Concat(s.pending.Rows, s.pending.Said) {
		asked[r.Code] = true
	}
	b, tallies := emptyBatch(), map[Client]tally{}
	var err error
	if b.Subjects, err = s.o.Store.Subjects(ctx, slices.Collect(maps.Keys(asked))); err != nil {
		return Batch{}, nil, err
	}
	maps.Copy(b.Days, s.pending.Days)
	news := map[string][]Row{}
	for _, r := range s.pending.Rows {
		sub, ours := b.Subjects[r.Code]
		sw, swept := s.tally(tallies, r, ours)
		if swept {
			b.Sweeps = append(b.Sweeps, sw)
		}
		switch {
		case !ours:
			b.count(r.At, Day{Unknown: 1})
		case swept:
			b.count(r.At, Day{Swept: 1})
		default:
			b.count(r.At, Day{Scans: 1})
			r.State = sub.State
			b.Rows = append(b.Rows, r)
			news[r.Code] = append(news[r.Code], r)
		}
	}
	for _, r := range s.pending.Said {
		if _, ours := b.Subjects[r.Code]; ours {
			b.Said = append(b.Said, r)
			news[r.Code] = append(news[r.Code], r)
		}
	}
	return b, tallies, s.judge(ctx, b, news)
}

// judge looks at every code that has something new.
func (s *Service) judge(ctx context.Context, b Batch, news map[string][]Row) error {
	now := s.o.Now()
	for code, rows := range news {
		old, err := s.o.Store.ScanRows(ctx, code, looked)
		if err != nil {
			return err
		}
		sum, _, err := s.o.Store.ScanSummary(ctx, code)
		if err != nil {
			return err
		}
		all := sum.Clients
		for _, r := range rows {
			if !have(old, r.Client) {
				all++
			}
			old = merge(old, r)
		}
		b.Found[code] = s.o.Limits.Judge(b.Subjects[code], old, all, sum.Cleared, now)
	}
	return nil
}

func have(rows []Row, c Client) bool {
	for _, r := range rows {
		if r.Client == c {
			return true
		}
	}
	return false
}

// merge adds a row, or puts what a reader said to the row it is of.
func merge(rows []Row, r Row) []Row {
	if r.Said {
		for i := range rows {
			if rows[i].Client == r.Client && rows[i].At.Equal(r.At) {
				rows[i].Province, rows[i].Said = r.Province, true
				return rows
			}
		}
	}
	return append(rows, r)
}

// tally counts for a browser, and reports whether it looks at so many codes that it says nothing of this one.
func (s *Service) tally(tallies map[Client]tally, r Row, ours bool) (sw Sweep, swept bool) {
	t, ok := tallies[r.Client]
	if !ok {
		t, ok = s.sweeps.get(r.Client)
	}
	if !ok || r.At.Sub(t.since) >= time.Hour {
		t = tally{since: r.At}
	}
	if t.last != r.Code {
		t.codes++
		if !ours {
			t.unknown++
		}
	}
	t.last = r.Code
	tallies[r.Client] = t
	return Sweep{Client: r.Client, Province: r.Province, First: t.since, Last: r.At, Codes: t.codes, Unknown: t.unknown}, t.codes > sweepAt || t.unknown >= guessAt
}
