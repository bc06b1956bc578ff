package history

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Rest writes what engines keep of a rollup beside its bounds, N, Min, Total, Max, OutOfRange and Faults, as one line of printable ASCII without
// quotes: see "rest" in the engines' FORMAT.md.
func (r *Rollup) Rest() string {
	var b []byte
	for q, n := range r.ByQuality {
		if q > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	number := func(v float64) { b = strconv.AppendFloat(append(b, ' '), v, 'g', -1, 64) }
	standing := func(s Standing) {
		if s.Is {
			number(s.Value)
		} else {
			b = append(b, ' ', '-')
		}
	}
	moment := func(t time.Time) {
		if t.IsZero() {
			b = append(b, ' ', '-')
		} else {
			b = strconv.AppendInt(append(b, ' '), t.Sub(r.From).Milliseconds(), 10)
		}
	}
	number(r.Integral)
	b = strconv.AppendInt(append(b, ' '), r.Covered.Milliseconds(), 10)
	b = strconv.AppendInt(append(b, ' '), r.Within.Milliseconds(), 10)
	standing(r.Entering)
	standing(r.Leaving)
	moment(r.Began)
	moment(r.First)
	moment(r.Last)
	b = append(b, ' ')
	for i, g := range r.Gaps {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "%d:%d:%d:%d", g.From.Sub(r.From).Milliseconds(), g.To.Sub(r.From).Milliseconds(), g.Faults, g.OutOfRange)
	}
	if len(r.Gaps) == 0 {
		b = append(b, '-')
	}
	b = append(b, ' ')
	b = append(b, r.Judged.String()...)
	return string(b)
}

// String is "-" or profile:version:low:high.
func (j Judgement) String() string {
	if j == (Judgement{}) {
		return "-"
	}
	return url.QueryEscape(j.Profile) + fmt.Sprintf(":%d:%s:%s", j.Version,
		strconv.FormatFloat(j.Limits.Low, 'g', -1, 64), strconv.FormatFloat(j.Limits.High, 'g', -1, 64))
}

// restFields is how many fields a Rest has.
const restFields = 11

var errRest = errors.New("not the rest of a rollup as this program writes it")

// SetRest reads what Rest wrote into r, of which the bounds, N, Min, Total and Max are set already.
func (r *Rollup) SetRest(text string) error {
	f := strings.Split(text, " ")
	if len(f) != restFields {
		return fmt.Errorf("history: %q: %w", text, errRest)
	}
	p := restReader{from: r.From}
	counts := strings.Split(f[0], ",")
	if len(counts) != len(r.ByQuality) {
		return fmt.Errorf("history: %q: %w", text, errRest)
	}
	for q, n := range counts {
		r.ByQuality[q] = int(p.int(n))
	}
	r.Integral = p.number(f[1])
	r.Covered, r.Within = p.length(f[2]), p.length(f[3])
	r.Entering, r.Leaving = p.standing(f[4]), p.standing(f[5])
	r.Began, r.First, r.Last = p.moment(f[6]), p.moment(f[7]), p.moment(f[8])
	if f[9] != "-" {
		for part := range strings.SplitSeq(f[9], ",") {
			g := strings.Split(part, ":")
			if len(g) != 4 {
				return fmt.Errorf("history: %q: %w", text, errRest)
			}
			r.Gaps = append(r.Gaps, Gap{From: p.moment(g[0]), To: p.moment(g[1]), Faults: int(p.int(g[2])), OutOfRange: int(p.int(g[3]))})
		}
	}
	r.Judged = p.judgement(f[10])
	if p.err != nil {
		return fmt.Errorf("history: %q: %w", text, errors.Join(errRest, p.err))
	}
	if r.N > 0 {
		r.Mean = r.Total / float64(r.N)
	}
	if r.Covered > 0 {
		r.TimeMean = r.Integral / r.Covered.Seconds()
	}
	return nil
}

// restReader remembers the first error.
type restReader struct {
	from time.Time
	err  error
}

func (p *restReader) int(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && n < 0 {
		err = fmt.Errorf("%s is less than 0", s)
	}
	if err != nil && p.err == nil {
		p.err = err
	}
	return n
}

func (p *restReader) length(s string) time.Duration {
	return time.Duration(p.int(s)) * time.Millisecond
}

func (p *restReader) number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && p.err == nil {
		p.err = err
	}
	return v
}

func (p *restReader) standing(s string) Standing {
	if s == "-" {
		return Standing{}
	}
	return Standing{p.number(s), true}
}

func (p *restReader) moment(s string) time.Time {
	if s == "-" {
		return time.Time{}
	}
	return p.from.Add(p.length(s))
}

func (p *restReader) judgement(s string) (j Judgement) {
	if s == "-" {
		return j
	}
	f := strings.Split(s, ":")
	if len(f) != 4 {
		p.err = errors.Join(p.err, errRest)
		return j
	}
	var err error
	if j.Profile, err = url.QueryUnescape(f[0]); err != nil {
		p.err = errors.Join(p.err, err)
	}
	j.Version, j.Limits = p.int(f[1]), Limits{p.number(f[2]), p.number(f[3])}
	if math.IsNaN(j.Limits.Low) || math.IsNaN(j.Limits.High) {
		p.err = errors.Join(p.err, errRest)
	}
	return j
}
