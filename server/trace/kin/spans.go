package kin

import (
	"cmp"
	"math"
	"slices"
)

// span is a time from a millisecond to another, both in it.
type span struct{ from, to int64 }

// always is every time.
func always() span { return span{math.MinInt64, math.MaxInt64} }

// spans are times; tidy ones stand in order and do not meet.
type spans []span

func (s spans) has(ms int64) bool {
	return slices.ContainsFunc(s, func(x span) bool { return x.from <= ms && ms <= x.to })
}

// and returns the times that are in both.
func (s spans) and(other spans) (out spans) {
	for _, a := range s {
		for _, b := range other {
			if x := (span{max(a.from, b.from), min(a.to, b.to)}); x.from <= x.to {
				out = append(out, x)
			}
		}
	}
	return out
}

// tidy puts spans in order and joins those that meet.
func (s spans) tidy() (out spans) {
	list := slices.Clone(s)
	slices.SortFunc(list, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for _, x := range list {
		if n := len(out); n > 0 && x.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, x.to)
			continue
		}
		out = append(out, x)
	}
	return out
}
