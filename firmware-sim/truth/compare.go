package truth

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"aovuon/gateway/measure"
)

// Series is what the product has of a quantity of a sensor.
type Series struct {
	Place    string // of the field; empty: the product's place is none of the field's
	Code     string // of the product's place
	Sensor   string
	Quantity measure.Quantity
	Step     time.Duration
	Steps    []Step
}

// Step is one step of a series: N values with their mean, and faults.
type Step struct {
	Start  time.Time
	N      int
	Faults int
	Mean   float64 // meaningless when N is 0
}

// Channel is a quantity of a sensor.
type Channel struct {
	Sensor   string           `json:"sensor"`
	Quantity measure.Quantity `json:"quantity"`
}

func (c Channel) String() string { return c.Sensor + " " + string(c.Quantity) }

// Result is how one series of the product compares with the truth.
type Result struct {
	Channel
	Place    string  `json:"place"`
	Code     string  `json:"code"`
	Errors   Errors  `json:"errors"`   // of the means of steps, against the mean of the truth over the same step
	Thin     int     `json:"thin"`     // steps with less than half the usual number of values: they count as covered, and not as right or wrong
	Coverage float64 `json:"coverage"` // share of the stretch's steps that have a value
	Faults   int     `json:"faults"`   // readings that were faults
	Limits   *Limits `json:"-"`
	Product  *Hours  `json:"product_hours,omitempty"` // by the product's means, of the steps that it has
	Same     *Hours  `json:"same_hours,omitempty"`    // by the truth's means, of the same steps
	Truth    *Hours  `json:"truth_hours,omitempty"`   // by the truth's means, of all steps of the stretch
}

// Comparison is how the whole product compares.
type Comparison struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Results []Result  `json:"results"`
	Missing []Channel `json:"missing"` // what the field's devices are there to measure, and the product has no value of
	Extra   []Channel `json:"extra"`   // what the product has values of and the world knows nothing about
}

// Question is what Compare is asked.
type Question struct {
	World  World
	Span   Span
	Wanted []Channel // what there should be
	Limits func(measure.Quantity) (Limits, bool)
}

// Compare compares series with the truth. What the field's gateways measure about themselves is left out.
func Compare(q Question, all []Series) (c Comparison, err error) {
	if err := q.Span.Check(q.World); err != nil {
		return c, err
	}
	c = Comparison{From: q.Span.From.UTC(), To: q.Span.To.UTC(), Results: []Result{}, Missing: []Channel{}, Extra: []Channel{}}
	there := map[Channel]bool{}
	for _, s := range all {
		ch := Channel{s.Sensor, s.Quantity}
		if s.Quantity.OfGateway() {
			continue
		}
		if s.Place == "" || !slices.Contains(q.World.Quantities(s.Place), s.Quantity) {
			there[ch] = true
			c.Extra = append(c.Extra, ch)
			continue
		}
		r, err := q.one(s)
		if err != nil {
			return c, fmt.Errorf("truth: %s: %w", ch, err)
		}
		there[ch] = r.Coverage > 0
		c.Results = append(c.Results, r)
	}
	for _, w := range q.Wanted {
		if !there[w] {
			c.Missing = append(c.Missing, w)
		}
	}
	slices.SortFunc(c.Results, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Sensor, b.Sensor), cmp.Compare(a.Quantity, b.Quantity))
	})
	order := func(a, b Channel) int {
		return cmp.Or(cmp.Compare(a.Sensor, b.Sensor), cmp.Compare(a.Quantity, b.Quantity))
	}
	slices.SortFunc(c.Missing, order)
	slices.SortFunc(c.Extra, order)
	return c, nil
}

func (q Question) one(s Series) (r Result, err error) {
	r = Result{Channel: Channel{s.Sensor, s.Quantity}, Place: s.Place, Code: s.Code}
	l, counted := q.Limits(s.Quantity)
	var product, same, truth Hours
	var off []float64
	usual := usualCount(s.Steps)
	steps, covered := 0, 0
	for _, st := range s.Steps {
		if !q.Span.has(st.Start, s.Step) {
			continue
		}
		steps++
		r.Faults += st.Faults
		v, err := mean(q.World, Column{s.Place, s.Quantity}, st.Start, s.Step)
		if err != nil {
			return r, err
		}
		truth.whole(l, v, s.Step)
		if st.N == 0 {
			continue
		}
		covered++
		product.whole(l, st.Mean, s.Step)
		same.whole(l, v, s.Step)
		if 2*st.N < usual {
			r.Thin++
			continue
		}
		off = append(off, st.Mean-v)
	}
	r.Errors = ErrorsOf(off)
	if steps > 0 {
		r.Coverage = float64(covered) / float64(steps)
	}
	if counted {
		r.Limits, r.Product, r.Same, r.Truth = &l, &product, &same, &truth
	}
	return r, nil
}

// usualCount is the median number of values of steps that have any.
func usualCount(steps []Step) int {
	var n []int
	for _, s := range steps {
		if s.N > 0 {
			n = append(n, s.N)
		}
	}
	if len(n) == 0 {
		return 0
	}
	slices.Sort(n)
	return n[len(n)/2]
}

// Demand is what a product must keep; a map's quantities alone are looked at.
type Demand struct {
	MAE      map[measure.Quantity]float64
	Coverage float64 // least share; 0: any
	Complete bool    // nothing may be missing
}

// Unmet lists what a comparison does not keep of a demand. A demand about a quantity the product has nothing of is not met.
func (d Demand) Unmet(c Comparison) (list []string) {
	seen := map[measure.Quantity]bool{}
	for _, r := range c.Results {
		seen[r.Quantity] = seen[r.Quantity] || r.Errors.N > 0
		if most, ok := d.MAE[r.Quantity]; ok && r.Errors.N > 0 && r.Errors.MAE > most {
			list = append(list, fmt.Sprintf("%s is off by %.4g on average, more than %g", r.Channel, r.Errors.MAE, most))
		}
		if r.Coverage < d.Coverage {
			list = append(list, fmt.Sprintf("%s covers %.1f %% of the time, less than %.1f %%", r.Channel, 100*r.Coverage, 100*d.Coverage))
		}
	}
	for q := range d.MAE {
		if !seen[q] {
			list = append(list, fmt.Sprintf("the product has no %s to compare", q))
		}
	}
	for _, m := range c.Missing {
		if d.Complete {
			list = append(list, fmt.Sprintf("%s is missing", m))
		}
	}
	slices.Sort(list)
	return list
}
