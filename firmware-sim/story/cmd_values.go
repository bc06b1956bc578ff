package story

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"aovuon/gateway/measure"
)

// conditions are what is asked of a reading or of a chart: NAME=VALUE, NAME<VALUE or NAME>VALUE.
type condition struct {
	name string
	op   byte // = < >
	want string
}

func conditions(args []string) ([]condition, error) {
	var all []condition
	for _, arg := range args {
		i := strings.IndexAny(arg, "=<>")
		if i < 1 || i == len(arg)-1 {
			return nil, fmt.Errorf("%q: want NAME=VALUE, NAME<VALUE or NAME>VALUE", arg)
		}
		all = append(all, condition{arg[:i], arg[i], arg[i+1:]})
	}
	return all, nil
}

// holds compares what is with what is wanted. An absent value fulfils nothing.
func (c condition) holds(got string) bool {
	if c.op == '=' {
		return got == c.want
	}
	a, errA := strconv.ParseFloat(got, 64)
	b, errB := strconv.ParseFloat(c.want, 64)
	return errA == nil && errB == nil && (c.op == '<') == (a < b) && a != b
}

func unmet(all []condition, facts map[string]string) (wrong []string) {
	for _, c := range all {
		got, known := facts[c.name]
		if !known {
			wrong = append(wrong, fmt.Sprintf("nothing is called %q here", c.name))
		} else if !c.holds(got) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %c%s", c.name, got, c.op, c.want))
		}
	}
	return wrong
}

// newest waits until the newest reading of a channel, as the server shows it, is as wanted.
func newest(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 3, "newest SENSOR QUANTITY CONDITION... (value, quality, reason, state, apart)")
	want, err := conditions(args[2:])
	ts.Check(err)
	c.await(ts, Patience, "the newest "+args[0]+" "+args[1], func(ctx context.Context) (bool, string) {
		all, err := newestOf(ctx, ts.Getenv("URL"))
		if err != nil {
			return false, err.Error()
		}
		for _, l := range all {
			if l.Sensor != args[0] || l.Quantity != measure.Quantity(args[1]) {
				continue
			}
			facts := map[string]string{"value": "", "quality": l.Quality, "reason": l.Reason, "state": l.State, "apart": c.apart(ts, l)}
			if l.Value != nil {
				facts["value"] = strconv.FormatFloat(*l.Value, 'f', -1, 64)
			}
			ts.Setenv("VALUE", facts["value"])
			wrong := unmet(want, facts)
			return wrong == nil, strings.Join(wrong, "; ")
		}
		return false, "no such channel"
	})
}

// apart is how many seconds a reading's time is from the newest answer of its chip; "" when one of the two is not there.
func (c *cast) apart(ts *testscript.TestScript, l latest) string {
	answers := c.answers(ts)[channel{l.Sensor, l.Quantity}]
	if len(answers) == 0 || l.Time.IsZero() {
		return ""
	}
	return strconv.FormatFloat(l.Time.Sub(answers[len(answers)-1].Time).Abs().Seconds(), 'f', 3, 64)
}

// series waits until the chart of a channel is as wanted, over all its steps that have ended.
func series(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 4, "series SENSOR QUANTITY 24h|7d|30d CONDITION... (n, faults, steps, empty, thin, min, mean, max)")
	want, err := conditions(args[3:])
	ts.Check(err)
	c.await(ts, Patience, "the chart of "+args[0]+" "+args[1], func(ctx context.Context) (bool, string) {
		for _, place := range []string{ts.Getenv("POND"), ts.Getenv("PLOT")} {
			all, err := lines(ctx, ts.Getenv("URL"), place, args[2])
			if err != nil {
				return false, err.Error()
			}
			for _, l := range all {
				if l.sensor == args[0] && l.quantity == measure.Quantity(args[1]) {
					wrong := unmet(want, chartFacts(l))
					return wrong == nil, strings.Join(wrong, "; ")
				}
			}
		}
		return false, "no such channel"
	})
}

// chartFacts are the figures of a chart: all values and faults; the steps between the first and the last that have a value,
// those of them that are empty, and the fewest values of one that is in the middle.
func chartFacts(l line) map[string]string {
	first, last := -1, -1
	var f figures
	faults := 0
	for i, b := range l.steps {
		faults += b.Faults
		if b.N == 0 {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
		f.add(b.N, b.Mean, b.Min, b.Max)
	}
	facts := map[string]string{"n": strconv.Itoa(f.n), "faults": strconv.Itoa(faults), "steps": "0", "empty": "0", "thin": "", "min": "", "mean": "", "max": ""}
	if f.n == 0 {
		return facts
	}
	empty, thin := 0, -1
	for i := first; i <= last; i++ {
		n := l.steps[i].N
		if n == 0 {
			empty++
		}
		if i > first && i < last && (thin < 0 || n < thin) {
			thin = n
		}
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 8, 64) }
	facts["steps"], facts["empty"], facts["thin"] = strconv.Itoa(last-first+1), strconv.Itoa(empty), strconv.Itoa(thin)
	facts["min"], facts["mean"], facts["max"] = number(f.min), number(f.sum/float64(f.n)), number(f.max)
	return facts
}
