package rule

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// Board holds the newest decision of every rule about every place and topic: rules write, pages and alarms read. It is safe for concurrent use.
type Board struct {
	mu     sync.RWMutex
	newest map[string][]Decision // by rule
	blind  map[string]Blindness
}

// Blindness is a rule that could not look.
type Blindness struct {
	Rule  string
	Since time.Time
	Err   error
}

// NewBoard returns an empty Board.
func NewBoard() *Board { return &Board{newest: map[string][]Decision{}, blind: map[string]Blindness{}} }

// Put replaces all that a rule decided before.
func (b *Board) Put(rule string, decisions []Decision) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.newest[rule] = decisions
	delete(b.blind, rule)
}

// Blind notes that a rule could not look. What it decided before stays until it runs out.
func (b *Board) Blind(rule string, at time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	since := at
	if old, ok := b.blind[rule]; ok {
		since = old.Since
	}
	b.blind[rule] = Blindness{rule, since, err}
}

// Blinds returns the rules that cannot look, by their ids.
func (b *Board) Blinds() []Blindness {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Blindness, 0, len(b.blind))
	for _, x := range b.blind {
		out = append(out, x)
	}
	slices.SortFunc(out, func(x, y Blindness) int { return cmp.Compare(x.Rule, y.Rule) })
	return out
}

// Decided returns the rules that have decided since the start, by their ids: of a rule that has not, nothing is known yet.
func (b *Board) Decided() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Sorted(maps.Keys(b.newest))
}

// Decisions returns what stands about a place (empty: about all), the most urgent first; what has run out at now stands as Unknown.
func (b *Board) Decisions(place string, now time.Time) []Decision {
	b.mu.RLock()
	var out []Decision
	for _, list := range b.newest {
		for _, d := range list {
			if place != "" && d.Place != place {
				continue
			}
			if !d.Until.IsZero() && now.After(d.Until) {
				d.Verdict, d.Why, d.Do = Unknown, []Reason{Because("outdated", At(d.At))}, nil
			}
			out = append(out, d)
		}
	}
	b.mu.RUnlock()
	slices.SortStableFunc(out, func(x, y Decision) int {
		return cmp.Or(cmp.Compare(y.Verdict.rank(), x.Verdict.rank()), cmp.Compare(x.Place, y.Place), cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Rule, y.Rule))
	})
	return out
}
