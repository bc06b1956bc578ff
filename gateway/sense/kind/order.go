package kind

import (
	"fmt"
	"slices"
	"strings"
)

// checkCircles wants nothing to be computed with itself, through however many others.
func (c *checker) checkCircles() {
	done := make(map[string]bool)
	var walk func(e entry, path []string) bool
	walk = func(e entry, path []string) bool {
		for _, n := range e.needs {
			from, ok := c.entry(n.sensor())
			if _, fits := from.first(n.accepts); !ok || !fits || done[from.id] {
				continue
			}
			chain := append(slices.Clone(path), from.id)
			if i := slices.Index(path, from.id); i >= 0 {
				c.report(e, n.field, "it is computed with itself: "+strings.Join(chain[i:], " needs "),
					fmt.Sprintf("write a number for %s, or name a sensor that does not need %s", n.field, e.id))
				return true
			}
			if walk(from, chain) {
				return true
			}
		}
		done[e.id] = true
		return false
	}
	for _, e := range c.entries {
		if !done[e.id] && walk(e, []string{e.id}) {
			return // one circle at a time: the others may be the same
		}
	}
}

// ranks says how many others wait for an entry, one behind the other: those that are waited for longest are asked first,
// so that a round computes with its own values. What a derived channel needs is asked before its main input.
func ranks(entries []entry) map[string]int {
	users := make(map[string][]string) // by id: who is to be asked later
	for _, e := range entries {
		later := e.id
		for i, n := range e.needs {
			from := n.sensor()
			if from == "" {
				continue
			}
			users[from] = append(users[from], e.id)
			if e.derived && i == 0 {
				later = from
			} else if e.derived && from != later {
				users[from] = append(users[from], later)
			}
		}
	}
	rank := make(map[string]int)
	var of func(id string, path []string) int
	of = func(id string, path []string) int {
		if r, ok := rank[id]; ok {
			return r
		}
		r := 0
		for _, user := range users[id] {
			if !slices.Contains(path, user) { // two derived channels may want each other's main input first
				r = max(r, 1+of(user, append(slices.Clone(path), user)))
			}
		}
		rank[id] = r
		return r
	}
	for _, e := range entries {
		of(e.id, []string{e.id})
	}
	return rank
}
