package advice

import (
	"math"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// PKa is that of ammonium in fresh water of a temperature in °C: Emerson, Russo, Lund and Thurston 1975 (reference §1.4). The 2727.92
// that is seen in the wild is a typing error.
func PKa(celsius float64) float64 { return 0.09018 + 2729.92/(celsius+273.15) }

// Unionised is the share of total ammonia that is NH3, the part that poisons fish.
func Unionised(ph, celsius float64) float64 { return 1 / (1 + math.Pow(10, PKa(celsius)-ph)) }

// PerNitrogen is how much NH3 a mg of ammonia nitrogen is: limits are written in NH3, many kits read in N.
const PerNitrogen = 17.031 / 14.007

// How TAN is read from a kit, field tan_basis.
const (
	Nitrogen = "n"   // mg of N a litre
	Ion      = "ion" // mg of NH3 or NH4 a litre
)

const (
	testDays  = 3              // a test says nothing of the water after so long
	nearTest  = time.Hour      // pH and temperature of the probes count so far from it
	peakSpan  = 24 * time.Hour // in which the highest pH after a test is looked for
	warnNH3   = 0.1            // mg/L: TCVN 13952:2024
	critNH3   = 0.3            // mg/L: QCVN 02-20:2014, of memory
	decimals3 = 3
)

func ammoniaSource() farm.Text {
	return farm.Text{
		VI: "NH₃ tính từ TAN, pH, nhiệt độ (Emerson 1975); giới hạn TCVN 13952:2024 (trích lại): 0,1 mg NH₃/L",
		EN: "NH₃ from TAN, pH and temperature (Emerson 1975); limit of TCVN 13952:2024 (as quoted): 0.1 mg NH₃/L",
	}
}

// ammonia judges the newest water test that has TAN: with the pH and temperature that were measured with it, or by the probes at that
// time, and with the highest pH since, when the same TAN is most poisonous.
func ammonia(l *look, p farm.Place) (*rule.Decision, error) {
	test, tan, ok := l.newestTAN(p)
	if !ok {
		return nil, nil
	}
	d := &rule.Decision{Verdict: rule.Calm, Source: ammoniaSource()}
	ph, celsius, err := l.conditions(p, test)
	if err != nil {
		return nil, err
	}
	said := rule.Value(measure.TotalAmmonia, tan)
	if ph == nil || celsius == nil {
		d.Verdict, d.Why, d.Do = rule.Unknown, []rule.Reason{rule.Because("tan_blind", said, rule.At(test.At()))}, []rule.Reason{rule.Because("tan_measure")}
		return d, nil
	}
	factor := PerNitrogen
	if test.Values.Text("tan_basis") == Ion {
		factor = 1
	}
	nh3 := tan * factor * Unionised(*ph, *celsius)
	d.Why = append(d.Why, rule.Because("tan_then", said, rule.At(test.At()), rule.Value(measure.PH, *ph), rule.Value(measure.WaterTemperature, *celsius), about(nh3, decimals3, unitOxygen)))
	worst := nh3
	if high, at, warmth, found, err := l.peak(p, test); err != nil {
		return nil, err
	} else if found && high > *ph {
		if warmth == nil {
			warmth = celsius
		}
		if worst = tan * factor * Unionised(high, *warmth); worst > nh3 {
			d.Why = append(d.Why, rule.Because("tan_peak", rule.Value(measure.PH, high), rule.At(at), about(worst, decimals3, unitOxygen)))
		}
		worst = max(worst, nh3)
	}
	if test.Values.Text("tan_basis") == "" {
		d.Why = append(d.Why, rule.Because("tan_basis"))
	}
	l.poison(d, p, worst)
	if old := l.at.Sub(test.At()); old > peakSpan && d.Verdict != rule.Calm { // it was told on its day; the water is another by now
		d.Verdict, d.Do = rule.Notice, []rule.Reason{rule.Because("tan_again")}
	}
	return d, nil
}

// poison compares NH3 with the limits: the pond's own, read as NH3 as their sources write them, or the usual ones.
func (l *look) poison(d *rule.Decision, p farm.Place, nh3 float64) {
	warn, crit := warnNH3, critNH3
	if x, ok := l.limit(p, measure.UnionisedAmmonia, farm.Warn, true); ok {
		warn = x.Value
	}
	if x, ok := l.limit(p, measure.UnionisedAmmonia, farm.Crit, true); ok {
		crit = x.Value
	}
	switch {
	case nh3 > crit:
		d.Verdict = rule.Crit
		d.Why = append([]rule.Reason{rule.Because("tan_over", about(nh3, decimals3, unitOxygen), about(crit, 2, unitOxygen))}, d.Why...)
		d.Do = append(d.Do, rule.Because("tan_now"), rule.Because("tan_nolime"))
	case nh3 > warn:
		d.Verdict = rule.Warn
		d.Why = append([]rule.Reason{rule.Because("tan_over", about(nh3, decimals3, unitOxygen), about(warn, 2, unitOxygen))}, d.Why...)
		d.Do = append(d.Do, rule.Because("tan_less"), rule.Because("tan_nolime"))
	}
}

func (l *look) newestTAN(p farm.Place) (test diary.Entry, tan float64, ok bool) {
	for _, e := range l.entries { // in order of time
		if v, said := e.Values.Number("tan"); said && e.Kind == diary.WaterTest && e.Place == p.Code {
			test, tan, ok = e, v, true
		}
	}
	return test, tan, ok
}

// conditions are pH and temperature of a test: as they were measured with it, else by the probes; nil: nobody knows.
func (l *look) conditions(p farm.Place, test diary.Entry) (ph, celsius *float64, err error) {
	for _, x := range []struct {
		field string
		of    measure.Quantity
		to    **float64
	}{{"ph", measure.PH, &ph}, {"temperature", measure.WaterTemperature, &celsius}} {
		if v, said := test.Values.Number(x.field); said {
			*x.to = &v
			continue
		}
		list, err := l.steps(p, x.of, test.At().Add(-nearTest), test.At().Add(nearTest), 10*time.Minute)
		if err != nil {
			return nil, nil, err
		}
		best := nearTest + 1
		for _, b := range list {
			if far := b.Start.Add(5 * time.Minute).Sub(test.At()).Abs(); far < best {
				best = far
				v := b.Mean
				*x.to = &v
			}
		}
	}
	return ph, celsius, nil
}

// peak is the highest pH that the probe measured within a day after a test, and how warm the water was then.
func (l *look) peak(p farm.Place, test diary.Entry) (high float64, at time.Time, celsius *float64, ok bool, err error) {
	to := test.At().Add(peakSpan)
	if to.After(l.at) {
		to = l.at
	}
	list, err := l.steps(p, measure.PH, test.At(), to, 30*time.Minute)
	if err != nil || len(list) == 0 {
		return 0, at, nil, false, err
	}
	for _, b := range list {
		if b.Mean > high {
			high, at = b.Mean, b.Start.Add(15*time.Minute)
		}
	}
	warm, err := l.steps(p, measure.WaterTemperature, at.Add(-time.Hour), at.Add(time.Hour), 2*time.Hour)
	if len(warm) > 0 {
		celsius = &warm[0].Mean
	}
	return high, at, celsius, true, err
}
