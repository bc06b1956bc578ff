package story

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aovuon/gateway/measure"
)

// humid is the relative humidity from which leaves count as wet, % (Hutton criteria, AHDB 2017; SIMCAST, Fry 1983).
const humid = 90.0

// hour is one hour of air, by its means.
type hour struct{ air, humidity float64 }

// verdicts are what the rules of late blight make of whole days of hours.
type verdicts struct {
	humidHours int
	hutton     int // days of at least 6 humid hours and a minimum of at least 10 °C
	units      int // SIMCAST blight units of a moderately susceptible potato, noon to noon
}

// judge applies the rules to hours that begin at midnight.
func judge(hours []hour) (v verdicts) {
	for day := 0; day+24 <= len(hours); day += 24 {
		wet, least := 0, math.Inf(1)
		for _, h := range hours[day : day+24] {
			if h.humidity >= humid {
				wet++
			}
			least = min(least, h.air)
		}
		v.humidHours += wet
		if wet >= 6 && least >= 10 {
			v.hutton++
		}
	}
	for noon := 12; noon+24 <= len(hours); noon += 24 {
		v.units += blightUnits(hours[noon : noon+24])
	}
	return v
}

// blightUnits adds up the units of each run of humid hours between two noons.
func blightUnits(hours []hour) (units int) {
	run, sum := 0, 0.0
	end := func() {
		if run > 0 {
			units += moderately(run, sum/float64(run))
		}
		run, sum = 0, 0
	}
	for _, h := range hours {
		if h.humidity < humid {
			end()
			continue
		}
		run, sum = run+1, sum+h.air
	}
	end()
	return units
}

// moderately is the row of the moderately susceptible potato in the table of blight units (Grünwald et al. 2002): units of a run of
// so many humid hours with that mean temperature, °C.
func moderately(run int, air float64) int {
	from := func(steps ...int) int { // the shortest runs of 1, 2, 3 … units; 0: there is none
		n := 0
		for i, least := range steps {
			if least > 0 && run >= least {
				n = i + 1
			}
		}
		return n
	}
	switch {
	case air <= 2.5 || air > 27.5:
		return 0
	case air <= 7.5:
		return from(13)
	case air <= 12.5:
		return from(7, 10, 13, 16, 19)
	case air <= 22.5:
		return from(7, 8, 9, 10, 11, 13)
	}
	return from(10, 19)
}

// blight computes the rules of late blight from the product's hourly means and from the truth, and wants the same of both.
func blight(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 4, "blight PLACE SENSOR MIDNIGHT DAYS CONDITION... (hutton, units, humid)")
	from, err := c.moment(args[2])
	ts.Check(err)
	days, err := strconv.Atoi(args[3])
	ts.Check(err)
	want, err := conditions(args[4:])
	ts.Check(err)
	w := c.world(ts)
	shown, was := make([]hour, 24*days), make([]hour, 24*days)
	for _, q := range []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity} {
		chart := c.chart(ts, channel{args[1], q}, "7d")
		for i := range shown {
			at := from.Add(time.Duration(i) * time.Hour)
			k := slices.IndexFunc(chart.steps, func(b bucket) bool { return b.Start.Equal(at) })
			if k < 0 || chart.steps[k].N == 0 {
				ts.Fatalf("the product has no %s for the hour of %s", q, at.In(zone()).Format("02/01 15:04"))
			}
			f := c.truthOf(ts, w, args[0], q, at, time.Hour)
			*half(&was[i], q), *half(&shown[i], q) = f.sum/float64(f.n), chart.steps[k].Mean
		}
	}
	a, b := judge(was), judge(shown)
	c.note(ts, "%d days in truth: %d humid hours, %d Hutton days, %d SIMCAST units; by what the product shows: %d, %d, %d",
		days, a.humidHours, a.hutton, a.units, b.humidHours, b.hutton, b.units)
	if a != b {
		ts.Fatalf("what the product shows (%+v) leads to another verdict than the truth (%+v)", b, a)
	}
	facts := map[string]string{"hutton": strconv.Itoa(a.hutton), "units": strconv.Itoa(a.units), "humid": strconv.Itoa(a.humidHours)}
	if wrong := unmet(want, facts); wrong != nil {
		ts.Fatalf("%s", fmt.Sprint("late blight: ", strings.Join(wrong, "; ")))
	}
}

func half(h *hour, q measure.Quantity) *float64 {
	if q == measure.AirTemperature {
		return &h.air
	}
	return &h.humidity
}
