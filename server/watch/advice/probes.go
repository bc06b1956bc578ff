package advice

import (
	"math"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/calibration"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

const (
	soon      = 7 * 24 * time.Hour // before it is due, people are told
	keptBooks = 12                 // calibrations of a sensor that are looked at
)

// tolerance is how far a probe may drift before decisions go wrong, in its unit; share is of the value instead: 0 where the other holds.
// [P] proposed by this project: half of what the shipped limits tell apart.
type tolerance struct{ by, share float64 }

func tolerances() map[measure.Quantity]tolerance {
	return map[measure.Quantity]tolerance{
		measure.DissolvedOxygen: {by: 0.5}, measure.PH: {by: 0.2}, measure.OxygenSaturation: {by: 6}, measure.ORP: {by: 20}, measure.WaterTemperature: {by: 0.5},
		measure.Conductivity: {share: 0.1}, measure.Salinity: {share: 0.1},
	}
}

func calibrated() (out []rule.Input) {
	for _, q := range measure.Quantities() {
		if _, ok := tolerances()[q]; ok {
			out = append(out, rule.Input{Quantity: q})
		}
	}
	return out
}

func probesSource() farm.Text {
	return farm.Text{
		VI: "sổ hiệu chuẩn của đầu đo: hạn do người hiệu chuẩn đặt, và độ trôi giữa các lần hiệu chuẩn",
		EN: "the probe's calibration book: the interval set by who calibrated it, and its drift between calibrations",
	}
}

// probes says which probes of a place must be calibrated or cleaned: they were found bad, are overdue, will be within a week, or drift so
// fast that they are beyond what may be before that.
func probes(l *look, p farm.Place) (*rule.Decision, error) {
	d := &rule.Decision{Verdict: rule.Calm, Source: probesSource()}
	seen := false
	for _, m := range l.farm.MountsAt(p.Code, l.at.Add(-time.Second), l.at.Add(time.Second)) {
		book, err := l.o.Calibrations.Calibrations(l.ctx, m.Gateway, m.Sensor, keptBooks)
		if err != nil {
			return nil, err
		}
		for _, q := range m.Measures {
			i := slices.IndexFunc(book, func(e calibration.Entry) bool { return e.Quantity == q && !e.Time.IsZero() && !e.Time.After(l.at) })
			if i < 0 {
				continue
			}
			if r, err := calibration.Read(book[i].Body); err == nil {
				seen = true
				l.probe(d, m.Sensor, book, book[i], r)
			}
		}
	}
	if !seen {
		return nil, nil
	}
	if len(d.Why) == 0 {
		d.Why = []rule.Reason{rule.Because("care_fine")}
	}
	return d, nil
}

// probe adds what is to be said of one.
func (l *look) probe(d *rule.Decision, sensor string, book []calibration.Entry, e calibration.Entry, r calibration.Record) {
	add := func(v rule.Verdict, why rule.Reason, do string) {
		if v.Worse(d.Verdict) {
			d.Verdict = v
			d.Why, d.Do = append([]rule.Reason{why}, d.Why...), append([]rule.Reason{rule.Because(do, name(sensor))}, d.Do...)
			return
		}
		d.Why, d.Do = append(d.Why, why), append(d.Do, rule.Because(do, name(sensor)))
	}
	q := rule.Arg{Quantity: e.Quantity}
	switch standing, due := e.Standing(r, l.at); {
	case standing == calibration.Unfit:
		add(rule.Warn, rule.Because("care_unfit", q, name(sensor), rule.Day(e.Time)), "care_replace")
		return
	case standing == calibration.Overdue:
		add(rule.Notice, rule.Because("care_overdue", q, name(sensor), rule.Day(due)), "care_calibrate")
		return
	case !due.IsZero() && due.Sub(l.at) <= soon:
		add(rule.Notice, rule.Because("care_due", q, name(sensor), rule.Day(due)), "care_calibrate")
		return
	}
	if until, monthly, ok := drifted(book, e.Quantity, r); ok && until.Sub(l.at) <= soon {
		unit, decimals := unitOf(e.Quantity)
		add(rule.Notice, rule.Because("care_drift", q, name(sensor), about(math.Abs(monthly), decimals, unit), rule.Day(until)), "care_clean")
	}
}

// drifted says when a probe that goes on as it did will be off by more than it may: from its newest calibration on, at the faster pace of its
// last two.
func drifted(book []calibration.Entry, q measure.Quantity, r calibration.Record) (until time.Time, monthly float64, ok bool) {
	drifts := calibration.Drifts(book, q)
	for _, d := range drifts[:min(2, len(drifts))] {
		if math.Abs(d.Monthly) > math.Abs(monthly) {
			monthly = d.Monthly
		}
	}
	most := tolerances()[q].by
	if share := tolerances()[q].share; share > 0 {
		for _, p := range r.Points {
			if v := share * math.Abs(p.Expected); v > 0 && (most == 0 || v < most) {
				most = v
			}
		}
	}
	if monthly == 0 || most == 0 || len(drifts) == 0 {
		return until, 0, false
	}
	months := most / math.Abs(monthly)
	if months > 24 {
		return until, monthly, false
	}
	return drifts[0].At.Add(time.Duration(months * 30 * 24 * float64(time.Hour))), monthly, true
}

func unitOf(q measure.Quantity) (string, int) {
	info, _ := q.Info()
	return info.Unit, info.Decimals
}

// name is a sensor's own name, the same in every language.
func name(sensor string) rule.Arg { return rule.Named(farm.Text{VI: sensor}) }
