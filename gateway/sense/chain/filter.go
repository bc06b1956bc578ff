package chain

import (
	"cmp"
	"slices"

	"aovuon/gateway/measure"
)

// sample is a value in a filter's window and what it is worth.
type sample struct {
	value   float64
	quality measure.Quality
}

// window is the last values since the last gap, oldest first. It never holds more than its filter takes.
type window []sample

// push adds s and drops what is more than n values old.
func (w window) push(s sample, n int) window {
	if len(w) >= n {
		w = append(w[:0], w[len(w)-n+1:]...)
	}
	return append(w, s)
}

// median is the middle value and the quality of the reading it comes from; of an even number of values, while the window
// fills, the lower of the two in the middle. So it is always a value the probe gave.
func (w window) median() sample {
	sorted := slices.Clone(w)
	slices.SortStableFunc(sorted, func(a, b sample) int {
		return cmp.Compare(a.value, b.value)
	})
	return sorted[(len(sorted)-1)/2]
}

// mean is the average, worth as much as the worst of what it is made of.
func (w window) mean() sample {
	var sum float64
	var worst measure.Quality
	for _, s := range w {
		sum += s.value
		worst = measure.Worse(worst, s.quality)
	}
	return sample{value: sum / float64(len(w)), quality: worst}
}

// filter is a median and then a moving average.
type filter struct{ forMedian, forMean window }

// reset forgets everything: a fault lies between what came before and what comes.
func (f *filter) reset() { f.forMedian, f.forMean = f.forMedian[:0], f.forMean[:0] }

// next puts s through the filters.
func (f *filter) next(s sample, median, mean int) sample {
	if median > 0 {
		f.forMedian = f.forMedian.push(s, median)
		s = f.forMedian.median()
	}
	if mean > 0 {
		f.forMean = f.forMean.push(s, mean)
		s = f.forMean.mean()
	}
	return s
}
