package keeper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// Term is how long something is kept, by the calendar; the zero one is for ever.
type Term struct{ Months, Days int }

// ParseTerm reads 400d, 24mo or 5y; keep is for ever.
func ParseTerm(s string) (Term, error) {
	if s == "keep" {
		return Term{}, nil
	}
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	n := 0
	if i > 0 {
		var err error
		if n, err = strconv.Atoi(s[:i]); err != nil {
			n = 0
		}
	}
	if n > 0 && n <= 10_000 {
		switch s[i:] {
		case "d":
			return Term{Days: n}, nil
		case "mo":
			return Term{Months: n}, nil
		case "y":
			return Term{Months: 12 * n}, nil
		}
	}
	return Term{}, fmt.Errorf("%q is no time to keep readings for: write 400d, 24mo, 5y, or keep", s)
}

// Ever reports whether it is for ever.
func (t Term) Ever() bool { return t == Term{} }

// Before returns what is older than t at a time.
func (t Term) Before(now time.Time) time.Time { return now.AddDate(0, -t.Months, -t.Days) }

// Retention says for how long single readings are kept. Hours and days outlive them.
type Retention struct {
	Default Term // of quantities that are not in Of
	Of      map[measure.Quantity]Term
}

// None reports whether everything is kept.
func (r Retention) None() bool {
	for _, t := range r.Of {
		if !t.Ever() {
			return false
		}
	}
	return r.Default.Ever()
}

// For returns for how long readings of a quantity are kept.
func (r Retention) For(q measure.Quantity) Term {
	if t, ok := r.Of[q]; ok {
		return t
	}
	return r.Default
}

// Needs are the times of places whose readings somebody needs.
type Needs map[string][]Need

// Need is a time whose readings are needed, From <= t < To.
type Need struct{ From, To time.Time }

// Kept says how readings of a quantity were let go.
type Kept struct {
	Quantity measure.Quantity
	For      Term
	Before   time.Time // readings before were let go
	Needed   int       // series of which older ones are kept, since a lot needs them
	Waiting  int       // series of which some stay until their rollups are made
}

// errEnough ends a walk.
var errEnough = errors.New("enough")

// most is how much time of one series is let go at once.
const most = 31 * 24 * time.Hour

// sweep lets readings go that are older than they are kept for. The newest hours of a series stay, however old: they say when a sensor spoke last.
func (k *Keeper) sweep(ctx context.Context, now time.Time) error {
	if k.o.Retention.None() {
		return nil
	}
	all, err := k.o.Store.Series(ctx)
	if err != nil {
		return fmt.Errorf("history/keeper: %w", err)
	}
	needs := Needs{}
	if k.o.Needed != nil {
		if needs, err = k.o.Needed(ctx, now); err != nil {
			return fmt.Errorf("history/keeper: lots: %w", err)
		}
	}
	newest, err := k.o.Store.Latest(ctx, all)
	if err != nil {
		return fmt.Errorf("history/keeper: %w", err)
	}
	kept := map[measure.Quantity]*Kept{}
	for _, p := range newest {
		d := k.o.Retention.For(p.Quantity)
		if d.Ever() {
			continue
		}
		of := kept[p.Quantity]
		if of == nil {
			of = &Kept{Quantity: p.Quantity, For: d, Before: history.Day.Floor(d.Before(now))}
			kept[p.Quantity] = of
		}
		end := of.Before
		if last := history.Day.Floor(p.Time); last.Before(end) {
			end = last
		}
		if err := k.drop(ctx, p.Series, end, needs[p.Place], of); err != nil {
			return err
		}
	}
	var list []Kept
	for _, q := range measure.Quantities() {
		if of := kept[q]; of != nil {
			list = append(list, *of)
		}
	}
	k.set(func(s *State) { s.Kept = list })
	return nil
}

// drop lets the readings of a series before end go, but those that are needed.
func (k *Keeper) drop(ctx context.Context, s history.Series, end time.Time, needed []Need, of *Kept) error {
	begin, ok, err := first(ctx, k.o.Store, s, time.Time{}, end)
	if err != nil || !ok {
		return err
	}
	free := spare(history.Hour.Floor(begin), end, needed)
	if len(free) != 1 || free[0] != (Need{history.Hour.Floor(begin), end}) {
		of.Needed++
	}
	waits := false
	for _, f := range free {
		for from := f.From; from.Before(f.To); from = from.Add(most) {
			to := from.Add(most)
			if f.To.Before(to) {
				to = f.To
			}
			n, err := k.o.Store.LetGo(ctx, s, from, to)
			if err != nil {
				return fmt.Errorf("history/keeper: %w", err)
			}
			if n == 0 && to.Sub(from) > time.Hour {
				if _, some, err := first(ctx, k.o.Store, s, from, to.Add(-history.RollupHold)); err != nil {
					return err
				} else if some {
					waits = true
				}
				continue
			}
			k.set(func(st *State) { st.Dropped += n })
			k.o.Log.Info("readings let go", slog.String("quantity", string(s.Quantity)), slog.String("gateway", s.Gateway), slog.String("sensor", s.Sensor),
				slog.Time("from", from), slog.Time("to", to), slog.Int64("readings", n))
		}
	}
	if waits {
		of.Waiting++
	}
	return nil
}

// spare returns the times between from and to that no need holds.
func spare(from, to time.Time, needed []Need) (out []Need) {
	needed = slices.Clone(needed)
	slices.SortFunc(needed, func(a, b Need) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	at := from
	for _, n := range needed {
		begin := history.Hour.Floor(n.From.Add(-history.RollupHold))
		if begin.After(to) {
			break
		}
		if at.Before(begin) {
			out = append(out, Need{at, begin})
		}
		if n.To.After(at) {
			at = history.Hour.Ceil(n.To)
		}
	}
	if at.Before(to) {
		out = append(out, Need{at, to})
	}
	return out
}

// first returns the time of the first point of a series between begin and end.
func first(ctx context.Context, from history.Store, s history.Series, begin, end time.Time) (at time.Time, ok bool, err error) {
	err = from.Each(ctx, s, begin, end, func(p history.Point) error {
		at, ok = p.Time, true
		return errEnough
	})
	if ok {
		err = nil
	}
	if err != nil {
		return at, ok, fmt.Errorf("history/keeper: %w", err)
	}
	return at, ok, nil
}
