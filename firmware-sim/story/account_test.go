package story_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
)

// channel is one line of values: a quantity of a sensor. The stories' simulated devices bear the sensors' names.
type channel struct {
	sensor   string
	quantity measure.Quantity
}

func (c channel) String() string { return c.sensor + " " + string(c.quantity) }

// fact is one reading, wherever it is found.
type fact struct {
	channel
	ms      int64   // of its own time, since 1970
	value   float64 // 0 when quality is Fault
	quality measure.Quality
}

func (f fact) String() string {
	return fmt.Sprintf("%s at %s: %v (%s)", f.channel, clock(f.ms), f.value, f.quality)
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("15:04:05.000") }

// same: a value keeps its digits from the chip to the history, but for the last one that decimal text may cost.
func same(a, b float64) bool { return math.Abs(a-b) <= 1e-6*max(1, math.Abs(a)) }

// window is a span in which a reading may have been lost: from the last commit before a kill to the kill.
type window struct{ from, to int64 }

// account is everything that is known at the end of a story.
type account struct {
	committed []fact         // on the gateway's disk at the moment of some kill
	log       []fact         // in the batch log, in its order
	history   []fact         // in the history, in no order
	ledger    []ledger.Entry // what the chips answered
	losses    []window
	faultsIn  []window      // where a chip may have been left in the middle of a question
	dated     time.Duration // a reading's time is at most so far from its chip's
}

// tally is what an account comes to.
type tally struct {
	Readings, Lost, Faults int
	FarthestLoss           time.Duration // before the kill
}

// audit compares everything with everything and returns what does not agree.
func (a account) audit() (tally, []string) {
	wrong := a.logOnceInOrder()
	wrong = append(wrong, missing("committed on the gateway, not in the batch log", a.committed, a.log)...)
	wrong = append(wrong, missing("in the batch log, not in the history", a.log, a.history)...)
	wrong = append(wrong, missing("in the history, not in the batch log", a.history, a.log)...)
	wrong = append(wrong, twice("history", a.history)...)
	sum, more := a.againstLedger()
	return sum, append(wrong, more...)
}

// logOnceInOrder: in the batch log the times of a channel only grow, so nothing is there twice either.
func (a account) logOnceInOrder() (wrong []string) {
	last := map[channel]fact{}
	for _, f := range a.log {
		if before, ok := last[f.channel]; ok && f.ms <= before.ms {
			wrong = append(wrong, fmt.Sprintf("batch log: %v stands after %v", f, before))
		}
		last[f.channel] = f
	}
	return wrong
}

type factKey struct {
	channel
	ms int64
}

func (f fact) key() factKey { return factKey{f.channel, f.ms} }

// missing lists what is in some and not, with the same value and quality, in all.
func missing(what string, some, all []fact) (wrong []string) {
	have := make(map[factKey]fact, len(all))
	for _, f := range all {
		have[f.key()] = f
	}
	for _, f := range some {
		got, ok := have[f.key()]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("%s: %v", what, f))
		case got.quality != f.quality || !same(got.value, f.value):
			wrong = append(wrong, fmt.Sprintf("%s: %v; it says %v", what, f, got))
		}
	}
	return wrong
}

func twice(where string, all []fact) (wrong []string) {
	seen := make(map[factKey]bool, len(all))
	for _, f := range all {
		if seen[f.key()] {
			wrong = append(wrong, fmt.Sprintf("twice in the %s: %v", where, f))
		}
		seen[f.key()] = true
	}
	return wrong
}

// againstLedger matches every value with one answer of a chip, in order, and looks where the answers without one lie.
func (a account) againstLedger() (sum tally, wrong []string) {
	facts, faults := map[channel][]fact{}, map[channel][]fact{}
	for _, f := range a.history {
		if f.quality != measure.Fault {
			facts[f.channel] = append(facts[f.channel], f)
			sum.Readings++
			continue
		}
		sum.Faults++
		faults[f.channel] = append(faults[f.channel], f)
		if !slices.ContainsFunc(a.faultsIn, func(w window) bool { return w.from <= f.ms && f.ms <= w.to }) {
			wrong = append(wrong, fmt.Sprintf("a fault of a healthy chip: %v", f))
		}
	}
	answers := map[channel][]ledger.Entry{}
	for _, e := range a.ledger {
		if e.Fault == "" {
			c := channel{e.Device, e.Quantity}
			answers[c] = append(answers[c], e)
			if facts[c] == nil {
				facts[c] = []fact{}
			}
		}
	}
	for c, fs := range facts {
		slices.SortFunc(fs, func(x, y fact) int { return cmp.Compare(x.ms, y.ms) })
		invented, unheard := match(fs, answers[c], a.dated)
		for _, f := range invented {
			wrong = append(wrong, fmt.Sprintf("no chip ever said: %v", f))
		}
		for _, e := range unheard {
			if a.healing(e, faults[c]) {
				continue
			}
			age, ok := a.forgiven(e.Time.UnixMilli())
			if !ok {
				wrong = append(wrong, fmt.Sprintf("lost outside every loss window: %s at %s: %v", c, clock(e.Time.UnixMilli()), e.Value))
				continue
			}
			sum.Lost++
			sum.FarthestLoss = max(sum.FarthestLoss, age)
		}
	}
	slices.Sort(wrong)
	return sum, wrong
}

// healing reports whether a chip that was just healed gave an old answer to another question, and the gateway wrote down a
// fault for it, as it must.
func (a account) healing(e ledger.Entry, faults []fact) bool {
	ms := e.Time.UnixMilli()
	if !slices.ContainsFunc(a.faultsIn, func(w window) bool { return w.from <= ms && ms <= w.to }) {
		return false
	}
	return slices.ContainsFunc(faults, func(f fact) bool { return ms <= f.ms && f.ms <= ms+a.dated.Milliseconds() })
}

// forgiven reports whether a reading of that moment may be lost, and how long before the end of its window it was.
func (a account) forgiven(ms int64) (age time.Duration, ok bool) {
	for _, w := range a.losses {
		if w.from <= ms && ms <= w.to {
			return time.Duration(w.to-ms) * time.Millisecond, true
		}
	}
	return 0, false
}

// match pairs facts with answers of the same value at most tolerance away, both in time order, no pair crossing another;
// as many pairs as can be, and among those the nearest in time. It returns what stays alone on either side.
func match(facts []fact, answers []ledger.Entry, tolerance time.Duration) (invented []fact, unheard []ledger.Entry) {
	const alone = 1 << 40 // costs more than any distance
	type step struct{ answer, before int }
	// least[k-from] is the least cost of the facts so far with answers up to k; it is flat after its end.
	least, from := []int64{0}, -1
	at := func(k int) int64 { return least[min(k-from, len(least)-1)] }
	trail := make([][]step, len(facts))
	froms := make([]int, len(facts))
	lo, hi := 0, 0
	for i, f := range facts {
		for lo < len(answers) && answers[lo].Time.UnixMilli() < f.ms-tolerance.Milliseconds() {
			lo++
		}
		for hi < len(answers) && answers[hi].Time.UnixMilli() <= f.ms+tolerance.Milliseconds() {
			hi++
		}
		next, steps := []int64{at(lo-1) + alone}, []step{{-1, lo - 1}}
		for k := lo; k < hi; k++ {
			cost, s := next[len(next)-1], steps[len(steps)-1]
			if c := at(k) + alone; c < cost {
				cost, s = c, step{-1, k}
			}
			if c := at(k-1) + abs(answers[k].Time.UnixMilli()-f.ms); c < cost && same(answers[k].Value, f.value) {
				cost, s = c, step{k, k - 1}
			}
			next, steps = append(next, cost), append(steps, s)
		}
		least, from, trail[i], froms[i] = next, lo-1, steps, lo-1
	}
	heard := make([]bool, len(answers))
	for i, k := len(facts)-1, len(answers)-1; i >= 0; i-- {
		s := trail[i][min(k-froms[i], len(trail[i])-1)]
		if s.answer < 0 {
			invented = append(invented, facts[i])
		} else {
			heard[s.answer] = true
		}
		k = s.before
	}
	for k, e := range answers {
		if !heard[k] {
			unheard = append(unheard, e)
		}
	}
	return invented, unheard
}

func abs(x int64) int64 { return max(x, -x) }

// settle audits the account and fails the story with what does not agree.
func (a account) settle(t testing.TB) tally {
	t.Helper()
	sum, wrong := a.audit()
	for i, w := range wrong {
		if i == 12 {
			t.Errorf("... and %d more", len(wrong)-i)
			break
		}
		t.Error(w)
	}
	return sum
}
