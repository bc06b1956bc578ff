package chain

import (
	"fmt"
	"math"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// Chain is the sense.Refiner of one channel. It is used by one goroutine at a time.
type Chain struct {
	board  *sense.Board
	places map[measure.Quantity]*state
	doubt  string
}

// state is what is remembered of one quantity.
type state struct {
	Settings
	footing  measure.Quality // of the newest value, as it came
	rate     rateCheck
	flat     flatCheck
	filter   filter
	reported bool
	seen     time.Duration   // uptime of the newest reading
	last     measure.Reading // the one reported last
}

// New returns a Chain that does with each quantity what its settings say, and tells the board every reading. A quantity
// without settings passes as it is.
func New(board *sense.Board, settings map[measure.Quantity]Settings) *Chain {
	c := &Chain{board: board, places: make(map[measure.Quantity]*state)}
	for q, s := range settings {
		c.places[q] = &state{Settings: s}
	}
	return c
}

// Refine implements sense.Refiner.
func (c *Chain) Refine(readings []measure.Reading) []measure.Reading {
	var doubts []string
	for i := range readings {
		r := &readings[i]
		s := c.places[r.Quantity]
		if s == nil {
			c.board.Note(*r, sense.Doubt{})
			continue
		}
		d := c.refine(s, r)
		c.board.Note(*r, d)
		if d.Why != "" {
			doubts = append(doubts, fmt.Sprintf("%s: %s", r.Quantity, d.Why))
		}
	}
	c.doubt = strings.Join(doubts, "; ")
	return readings
}

// Doubt implements sense.Refiner.
func (c *Chain) Doubt() string { return c.doubt }

// refine checks and filters one reading. A fault, and a value out of range, which is no measurement, are gaps.
func (c *Chain) refine(s *state, r *measure.Reading) sense.Doubt {
	if r.Quality >= measure.OutOfRange {
		s.filter.reset()
		if r.Reason == measure.Calibrating { // what it says from now on is no jump of the water
			s.rate, s.flat = rateCheck{}, flatCheck{}
		}
		return sense.Doubt{}
	}
	if r.Quality != s.footing { // compensated with other inputs, or calibrated since: not to be compared
		s.rate, s.footing = rateCheck{}, r.Quality
	}
	p := point{r.Value, r.Time.Uptime}
	var why []string
	if !s.rate.believes(p, s.Rate) {
		why = append(why, fmt.Sprintf("changed by more than %s in a minute", amount(s.Rate, r.Quantity)))
	}
	if !s.flat.moves(p, s.Flat) {
		why = append(why, fmt.Sprintf("moved by less than %s in %v", amount(s.Flat.LessThan, r.Quantity), s.Flat.Over))
	}
	d := sense.Doubt{Alone: len(why) > 0}
	if d.Alone {
		r.Quality = measure.Worse(r.Quality, measure.Suspect)
	}
	if s.Median > 0 || s.Mean > 0 {
		out := s.filter.next(sample{r.Value, r.Quality}, s.Median, s.Mean)
		r.Raw, r.Filtered = r.Value, true
		r.Value, r.Quality = out.value, measure.Worse(r.Quality, out.quality)
	}
	if c.disagrees(s.Twin, r) {
		r.Quality = measure.Worse(r.Quality, measure.Suspect)
		why = append(why, fmt.Sprintf("more than %s from its twin %s", amount(s.Twin.Apart, r.Quantity), s.Twin.Sensor))
	}
	d.Why = strings.Join(why, ", ")
	return d
}

// disagrees reports whether the twin says something else. A twin without a fresh value, or one that is in doubt by itself,
// says nothing: a probe is not doubted because its twin is dead.
func (c *Chain) disagrees(t Twin, r *measure.Reading) bool {
	if t.Sensor == "" {
		return false
	}
	k, ok := c.board.Newest(t.Sensor, r.Quantity)
	if !ok || k.Quality >= measure.OutOfRange || k.Doubt.Alone || r.Time.Uptime-k.Time.Uptime > sense.MaxAge(r.Quantity) {
		return false
	}
	return math.Abs(r.Value-k.Value) > t.Apart
}

// Report implements sense.Refiner: faults, changes of quality, and values that are new enough.
func (c *Chain) Report(readings []measure.Reading) []measure.Reading {
	kept := readings[:0:0]
	for _, r := range readings {
		if s := c.places[r.Quantity]; s == nil || s.news(r) {
			kept = append(kept, r)
		}
	}
	return kept
}

// news reports whether r says something that the one reported last did not, and remembers it then. The reading nearest to
// Report.AtLeast after that one is news: no probe is asked to the millisecond.
func (s *state) news(r measure.Reading) bool {
	due := s.last.Time.Uptime + s.Report.AtLeast - (r.Time.Uptime-s.seen)/2
	s.seen = r.Time.Uptime
	held := s.Report.AtLeast > 0 && s.reported && r.Quality != measure.Fault && r.Quality == s.last.Quality &&
		math.Abs(r.Value-s.last.Value) < s.Report.Change && r.Time.Uptime < due
	if !held {
		s.reported, s.last = true, r
	}
	return !held
}

// amount writes a number with its unit.
func amount(v float64, q measure.Quantity) string {
	info, _ := q.Info()
	return strings.TrimSpace(fmt.Sprintf("%g %s", v, info.Unit))
}

var _ sense.Refiner = (*Chain)(nil)
