package world

import (
	"math"
	"slices"
	"sort"
	"sync"

	"aovuon/gateway/measure"
)

const (
	grid     = 8 // nodes an hour; actions add nodes of their own
	keepDays = 6 // days of nodes that a place keeps; the others are integrated again, from the day's mark, when asked for
	chunk    = 32
)

// course is one place in the course of time. It keeps a mark a day for good, and the nodes of some days; so years need little,
// and an instant anywhere costs a day's integration at most once its marks are there. Steps hang on the grid, on the day's
// beginning and on the actions alone, so that it never matters what was asked before.
type course struct {
	model model
	first int64   // day
	start state   // it begins with this
	marks []state // by day from the first: the state at its first instant, before anything that happens then

	mu     sync.Mutex
	events []event         // in order
	blades map[string]bool // the names of the aerators there were
	days   []*day
	asked  uint64 // counts, for the days' last use
	now    state  // the answer of between
}

// event is something that begins or ends.
type event struct {
	h    float64
	a    Action
	ends bool
	here bool // the place's own, and not the weather's, which is in the sky
}

// day is the nodes of one day, as far as they were asked for. At an instant where something happens there are two: the state
// before and the state after.
type day struct {
	n     int64
	used  uint64
	nodes []node
	free  []float64 // memory for nodes to come
}

type node struct {
	h float64
	s state
}

func newCourse(m model, first int64) *course {
	s := m.begin(float64(first) * 24)
	return &course{model: m, first: first, start: s, marks: []state{slices.Clone(s)}, now: make(state, len(s)), blades: make(map[string]bool)}
}

// has reports whether the place has a quantity.
func (c *course) has(q measure.Quantity) bool {
	_, ok := c.model.value(slices.Clone(c.start), float64(c.first)*24, q)
	return ok
}

// value is what the model says at h.
func (c *course) value(h float64, q measure.Quantity) (float64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.model.value(c.between(h), h, q)
}

// at makes the nodes before and after h.
func (c *course) at(h float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.between(h)
}

// between is the state at h, on the straight line between the nodes before and after it. It is overwritten by the next call.
func (c *course) between(h float64) state {
	n, _ := split(h)
	d := c.day(n)
	for d.last().h <= h {
		if !c.extend(d) {
			break
		}
	}
	i := sort.Search(len(d.nodes), func(i int) bool { return d.nodes[i].h > h })
	before := d.nodes[i-1]
	copy(c.now, before.s)
	if i < len(d.nodes) && h > before.h {
		after := d.nodes[i]
		f := (h - before.h) / (after.h - before.h)
		for k, v := range c.now {
			c.now[k] = v + f*(after.s[k]-v)
		}
	}
	return c.now
}

// day returns the nodes of day n, at least the first of them.
func (c *course) day(n int64) *day {
	c.asked++
	for _, d := range c.days {
		if d.n == n {
			d.used = c.asked
			return d
		}
	}
	c.reach(n)
	d := &day{n: n, used: c.asked}
	d.add(float64(n)*24, c.marks[n-c.first])
	c.happen(d)
	if len(c.days) == keepDays {
		oldest := 0
		for i, e := range c.days {
			if e.used < c.days[oldest].used {
				oldest = i
			}
		}
		c.days[oldest] = d
		return d
	}
	c.days = append(c.days, d)
	return d
}

// reach makes the marks up to day n.
func (c *course) reach(n int64) {
	for int64(len(c.marks)) <= n-c.first {
		at := c.first + int64(len(c.marks)) - 1
		c.marks = append(c.marks, c.through(at))
	}
}

// through is the state at the end of day n. Nodes that are there already are not integrated again.
func (c *course) through(n int64) state {
	for _, d := range c.days {
		if d.n == n {
			for c.extend(d) {
			}
			return slices.Clone(d.last().s)
		}
	}
	s := slices.Clone(c.marks[n-c.first])
	h, end := float64(n)*24, float64(n+1)*24
	for h < end {
		c.apply(s, h)
		next := c.next(h, end)
		c.model.step(s, h, next-h)
		h = next
	}
	return s
}

// extend adds the next node of a day; false when the day is whole.
func (c *course) extend(d *day) bool {
	last, end := d.last(), float64(d.n+1)*24
	if last.h >= end {
		return false
	}
	next := c.next(last.h, end)
	c.model.step(d.add(next, last.s), last.h, next-last.h)
	if next < end { // what happens at midnight is the next day's
		c.happen(d)
	}
	return true
}

// happen lets what happens at the last node's instant happen, with a node of its own.
func (c *course) happen(d *day) {
	last := d.last()
	if i := c.find(last.h); i < len(c.events) && c.events[i].h == last.h {
		c.apply(d.add(last.h, last.s), last.h)
	}
}

// apply lets what happens at h happen to s.
func (c *course) apply(s state, h float64) {
	for i := c.find(h); i < len(c.events) && c.events[i].h == h; i++ {
		e := c.events[i]
		if !e.here {
			continue
		}
		if e.a.Kind == Aerate {
			e.a.Amount, e.a.For, e.ends = c.aeration(i), 0, false
		}
		if err := c.model.act(s, h, e.a, e.ends); err != nil {
			continue // cannot be: World.check asked the model before it took the action
		}
	}
}

// aeration is what all aerators of a pond do together once event i has happened: of each the last that was said, if it holds still.
func (c *course) aeration(i int) (k float64) {
	said := make(map[string]bool)
	h := c.events[i].h
	for ; i >= 0 && len(said) < len(c.blades); i-- {
		e := c.events[i]
		if !e.here || e.a.Kind != Aerate || e.ends || said[e.a.What] {
			continue
		}
		said[e.a.What] = true
		if e.a.For == 0 || hoursOf(e.a.At.Add(e.a.For)) > h {
			k += e.a.Amount
		}
	}
	return k
}

// next is the end of the step that begins at h: the next line of the grid, or what happens before it.
func (c *course) next(h, end float64) float64 {
	n := min((math.Floor(h*grid)+1)/grid, end)
	if i := c.after(h); i < len(c.events) {
		n = min(n, c.events[i].h)
	}
	return n
}

// find is the index of the first event at h or later, after of the first later than h.
func (c *course) find(h float64) int {
	return sort.Search(len(c.events), func(i int) bool { return c.events[i].h >= h })
}

func (c *course) after(h float64) int {
	return sort.Search(len(c.events), func(i int) bool { return c.events[i].h > h })
}

// insert takes an action in and forgets what it changes. Nobody may ask at the same time.
func (c *course) insert(a Action, here bool) {
	c.put(event{h: hoursOf(a.At), a: a, here: here})
	if a.For > 0 {
		c.put(event{h: hoursOf(a.At.Add(a.For)), a: a, here: here, ends: true})
	}
	h := hoursOf(a.At)
	n, _ := split(h)
	if keep := n - c.first + 1; keep < int64(len(c.marks)) {
		c.marks = slices.Delete(c.marks, int(keep), len(c.marks))
	}
	c.days = slices.DeleteFunc(c.days, func(d *day) bool {
		if d.n == n {
			i := sort.Search(len(d.nodes), func(i int) bool { return d.nodes[i].h >= h })
			d.nodes = slices.Delete(d.nodes, i, len(d.nodes))
			return i == 0
		}
		return d.n > n
	})
}

func (c *course) put(e event) {
	if e.here && e.a.Kind == Aerate {
		c.blades[e.a.What] = true
	}
	at := sort.Search(len(c.events), func(i int) bool { return !c.events[i].less(e) })
	c.events = slices.Insert(c.events, at, e)
}

// less orders events by time; what ends at an instant ends before others begin. Actions of one instant have an order of their
// own, so that it does not matter which was said first.
func (e event) less(o event) bool {
	if e.h != o.h {
		return e.h < o.h
	}
	if e.ends != o.ends {
		return e.ends
	}
	return compare(e.a, o.a) < 0
}

func (d *day) last() node { return d.nodes[len(d.nodes)-1] }

// add appends a node with a copy of s and returns the copy.
func (d *day) add(h float64, s state) state {
	if len(d.free) < len(s) {
		d.free = make([]float64, chunk*len(s))
	}
	own := state(d.free[:len(s):len(s)])
	d.free = d.free[len(s):]
	copy(own, s)
	d.nodes = append(d.nodes, node{h, own})
	return own
}
