package panel

import (
	"math"
	"slices"
	"time"

	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
	"aovuon/gateway/words"
)

// staleAfter is the age from which the product itself takes a value for old (server/web).
const staleAfter = 10 * time.Minute

// row is one quantity of one place: the truth, and what every probe and the product say.
type row struct {
	Quantity measure.Quantity
	Label    string
	Unit     string
	Truth    string // empty: the world has none of it
	Lines    []line
}

// line is what one sensor says, and what the product makes of it.
type line struct {
	Sensor         string
	Probe, Product cell
}

// cell is a value as it is shown. Tone is good, doubt or fault, or empty.
type cell struct {
	Text string // empty: there is none
	Note string
	Age  string
	Tone string
}

// verdict is what a place comes to.
type verdict struct {
	Key  string // of the words
	Tone string
}

// source is what was gathered about a place for its rows.
type source struct {
	place   string
	answers []ledger.Entry // of its devices
	series  []ProductNewest
	measure map[measure.Quantity][]string // sensors that are there to measure it, answered or not
}

// rows sets truth, probes and product side by side, in the order in which people read quantities.
func (s *Page) rows(w *words.Words, src source, now time.Time) (list []row) {
	for _, q := range measure.Quantities() {
		truth, known := s.o.Field.Truth(src.place, q, now)
		info, _ := q.Info()
		r := row{Quantity: q, Label: w.Quantity(q), Unit: info.Unit}
		if known {
			r.Truth = w.Value(q, truth)
		}
		for _, sensor := range src.sensors(q) {
			r.Lines = append(r.Lines, line{Sensor: sensor, Probe: s.probe(w, src, q, sensor, now), Product: s.product(w, src, q, sensor, now)})
		}
		if known || len(r.Lines) > 0 {
			list = append(list, r)
		}
	}
	return list
}

// sensors lists who says something of a quantity.
func (src source) sensors(q measure.Quantity) []string {
	list := slices.Clone(src.measure[q])
	for _, e := range src.answers {
		if e.Quantity == q {
			list = append(list, e.Device)
		}
	}
	for _, n := range src.series {
		if n.Quantity == q {
			list = append(list, n.Sensor)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// probe is the newest answer of a chip, against the truth of its instant.
func (s *Page) probe(w *words.Words, src source, q measure.Quantity, sensor string, now time.Time) cell {
	i := slices.IndexFunc(src.answers, func(e ledger.Entry) bool { return e.Device == sensor && (e.Quantity == q || e.Quantity == "") })
	switch {
	case i < 0 && !slices.Contains(src.measure[q], sensor): // a command, an alarm, a formula
		return cell{Note: w.T("cell.computed")}
	case i < 0:
		return cell{}
	}
	e := src.answers[i]
	c := cell{Age: w.Length(int64(max(0, now.Sub(e.Time)) / time.Second)), Tone: "good"}
	if e.Fault != "" {
		c.Note, c.Tone = w.Or("fault."+e.Fault, e.Fault), "fault"
		return c
	}
	c.Text = w.Value(q, e.Value)
	if off, bad := s.off(src.place, q, e.Value, e.Time); bad {
		c.Note, c.Tone = w.T("cell.off", signed(w, q, off)), "doubt"
	}
	return c
}

// product is what the product says of a sensor, against the truth of the instant it was measured.
func (s *Page) product(w *words.Words, src source, q measure.Quantity, sensor string, now time.Time) cell {
	i := slices.IndexFunc(src.series, func(n ProductNewest) bool { return n.Sensor == sensor && n.Quantity == q })
	if i < 0 || src.series[i].Time.IsZero() {
		return cell{}
	}
	n := src.series[i]
	age := now.Sub(n.Time)
	c := cell{Age: w.Length(int64(max(0, age) / time.Second)), Tone: "good"}
	if n.Value == nil {
		c.Note, c.Tone = w.Or("reason."+string(n.Reason), w.T("quality.fault")), "fault"
		if age > staleAfter {
			c.Note += " · " + w.T("cell.old")
		}
		return c
	}
	c.Text = w.Value(q, *n.Value)
	off, bad := s.off(src.place, q, *n.Value, n.Time)
	switch quality, _ := measure.ParseQuality(n.Quality); {
	case age > staleAfter:
		c.Note, c.Tone = w.T("cell.old"), "fault"
	case quality != measure.Good:
		c.Note, c.Tone = w.T("quality."+quality.String()), "doubt"
	case bad:
		c.Note, c.Tone = w.T("cell.unseen", signed(w, q, off)), "fault"
	}
	return c
}

// off is how far a value is from the truth, and whether that is more than a sound probe may be.
func (s *Page) off(place string, q measure.Quantity, v float64, at time.Time) (off float64, bad bool) {
	truth, ok := s.o.Field.Truth(place, q, at)
	if !ok {
		return 0, false
	}
	fixed, share := tolerance(q)
	return v - truth, math.Abs(v-truth) > fixed+share*math.Abs(truth)
}

// tolerance is how far from the truth a sound and calibrated probe may be, fixed and as a share of the truth: about three times
// what the data sheets of the supported probes allow, so that what is marked is worth a look. A choice of this page.
func tolerance(q measure.Quantity) (fixed, share float64) {
	switch q { //nolint:exhaustive // what probes measure; the rest is counted or switched
	case measure.WaterTemperature, measure.AirTemperature:
		return 0.7, 0
	case measure.SoilTemperature, measure.DewPoint:
		return 2, 0
	case measure.DissolvedOxygen:
		return 0.3, 0.04
	case measure.OxygenSaturation, measure.RelativeHumidity:
		return 5, 0
	case measure.PH, measure.SoilPH:
		return 0.2, 0
	case measure.ORP:
		return 20, 0
	case measure.Conductivity, measure.SoilConductivity, measure.Salinity, measure.Turbidity:
		return 0.1, 0.12
	case measure.Ammonium, measure.TotalAmmonia, measure.UnionisedAmmonia:
		return 0.1, 0.15
	case measure.WaterLevel, measure.SurfaceDistance, measure.SoilMoisture:
		return 3, 0
	case measure.AirPressure:
		return 2, 0
	case measure.VapourDeficit:
		return 0.25, 0
	}
	return math.Inf(1), 0
}

func signed(w *words.Words, q measure.Quantity, off float64) string {
	info, _ := q.Info()
	text := w.Num(off, info.Decimals)
	if off > 0 {
		text = "+" + text
	}
	return text
}

// verdictOf says in a word how a place is seen: the worst there is.
func verdictOf(rows []row, down bool) verdict {
	if down {
		return verdict{"verdict.down", "doubt"}
	}
	worst, said := verdict{"verdict.match", "good"}, false
	rank := map[string]int{"verdict.match": 0, "verdict.doubts": 1, "verdict.knows": 2, "verdict.unseen": 3}
	for _, r := range rows {
		for _, l := range r.Lines {
			v := verdict{"verdict.match", "good"}
			switch {
			case l.Product == cell{}:
				continue
			case l.Product.Text == "":
				v = verdict{"verdict.knows", "doubt"}
			case l.Product.Tone == "fault":
				v = verdict{"verdict.unseen", "fault"}
			case l.Product.Tone == "doubt":
				v = verdict{"verdict.doubts", "doubt"}
			}
			said = true
			if rank[v.Key] > rank[worst.Key] {
				worst = v
			}
		}
	}
	if !said {
		return verdict{"verdict.none", "doubt"}
	}
	return worst
}
