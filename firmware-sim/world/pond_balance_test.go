package world

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/formula"
)

// Stores of nitrogen, salt and water, a m² of pond.
func (b *basin) nitrogenStored() float64 {
	s := b.s
	return s[pDepth]*(s[pTAN]+s[pNitrite]+s[pNitrate]+s[pAlgae]/algaeCN+s[pDetN]) + s[pMudN] +
		fishN*(s[pFish]+s[pDead]) + feedN*(s[pGut]+s[pFeed])
}

func (b *basin) saltStored() float64 { return b.s[pDepth]*b.s[pSalt] + b.s[pBrine] }

// What comes in goes out or stays: to a part in a hundred million over a season with everything that people do.
func TestPond_KeepsItsBooks(t *testing.T) {
	for seed := range uint64(3) {
		b := basinOf(t, seed, Place{Density: 1.5}, weatherAt(seed), time.February, 1)
		deeds := []Action{
			{Kind: Treat, What: "salt", Amount: 400},
			{Kind: Treat, What: "lime", Amount: 80},
			{Kind: Treat, What: "copper", Amount: 3},
			{Kind: Treat, What: "alum", Amount: 60},
			{Kind: Treat, What: "probiotic", Amount: 5},
			{Kind: Drain, Amount: 60},
			{Kind: Fill, Amount: 45},
			{Kind: Feed, Amount: 30},
			{Kind: Stock, Amount: 120},
			{Kind: Harvest, Amount: 150},
			{Kind: Aerate, Amount: 0.4},
		}
		nitrogen, salt, water := b.nitrogenStored(), b.saltStored(), b.s[pDepth]
		for i := range 33 {
			b.run(10*24, nil)
			b.do(t, deeds[(i+int(seed))%len(deeds)])
		}
		s := b.s
		for what, left := range map[string][2]float64{
			"nitrogen": {nitrogen + s[pNitroIn] - s[pNitroOut] - b.nitrogenStored(), s[pNitroIn]},
			"salt":     {salt + s[pSaltIn] - s[pSaltOut] - b.saltStored(), s[pSaltIn]},
			"water":    {water + s[pWaterIn] - s[pWaterOut] - s[pDepth], s[pWaterIn]},
		} {
			if math.Abs(left[0]) > 1e-8*left[1] {
				t.Errorf("seed %d: %g of %s is missing, of %g that came", seed, left[0], what, left[1])
			}
		}
		t.Logf("seed %d: a m² got %.1f g N and gave %.1f; %.2f m of water came, %.2f left", seed, s[pNitroIn], s[pNitroOut], s[pWaterIn], s[pWaterOut])
	}
}

// Vapour takes no salt along: what is left grows saltier as the water sinks, but for what seeps.
func TestPond_EvaporationThickens(t *testing.T) {
	over := weatherAt(1)
	dry := func(h float64) Sky { a := over(h); a.Rain, a.Dew = 0, a.Dew-3; return a }
	b := basinOf(t, 1, Place{Care: None, Stock: 1}, dry, time.May, 1)
	salt, depth, ec := b.s[pSalt], b.s[pDepth], b.read(t, measure.Conductivity)
	b.run(30*24, nil)
	seeped := b.s[pSaltOut] / salt
	evaporated := depth - b.s[pDepth] - seeped
	t.Logf("30 dry days of May: %.0f mm evaporated, %.0f mm seeped; %.0f to %.0f µS/cm", 1000*evaporated, 1000*seeped, ec, b.read(t, measure.Conductivity))
	if b.s[pSalt] < salt*1.05 || math.Abs(b.saltStored()+b.s[pSaltOut]-salt*depth) > 1e-9*salt {
		t.Error("salt is lost")
	}
	if mm := 1000 * evaporated / 30; mm < 3 || mm > 8 { // FAO-56: reference evaporation of such a month is 4 to 6 mm a day
		t.Errorf("%.1f mm a day", mm)
	}
}

// Golden values of un-ionised ammonia, %: Emerson 1975, computed apart from this code.
func TestUnionised_GoldenValues(t *testing.T) {
	for celsius, row := range map[float64][7]float64{
		15: {0.0862, 0.2721, 0.8553, 2.656, 7.942, 21.43, 46.31},
		20: {0.1250, 0.3942, 1.236, 3.807, 11.12, 28.36, 55.59},
		25: {0.1790, 0.5639, 1.762, 5.366, 15.21, 36.19, 64.20},
		28: {0.2207, 0.6947, 2.164, 6.538, 18.12, 41.16, 68.87},
		30: {0.2532, 0.7965, 2.476, 7.432, 20.25, 44.53, 71.74},
	} {
		for i, want := range row {
			ph := 6.5 + float64(i)/2
			if got := 100 * unionised(ph, celsius); math.Abs(got-want) > 6e-4*want {
				t.Errorf("%g °C, pH %g: %.4f %%, want %g", celsius, ph, got, want)
			}
		}
	}
}

// The three ammonias of a probe agree with its pH and its warmth, as the gateway computes them.
func TestPond_AmmoniasAgree(t *testing.T) {
	b := basinOf(t, 1, Place{}, weatherAt(1), time.June, 1)
	b.run(24, func(float64) {
		tan := b.read(t, measure.TotalAmmonia)
		want, err := formula.UnionisedAmmonia(tan, b.read(t, measure.PH), b.read(t, measure.WaterTemperature))
		if err != nil {
			t.Fatal(err)
		}
		nh3 := b.read(t, measure.UnionisedAmmonia)
		if math.Abs(nh3-want) > 1e-9 || math.Abs(tan-nh3-b.read(t, measure.Ammonium)) > 1e-12 {
			t.Fatalf("NH3 %g, want %g of %g", nh3, want, tan)
		}
	})
}

// pK of carbonic acid and of water from Stumm & Morgan 1996, tables 4.7 and 3.3, and the pH of water in equilibrium with the air.
func TestEquilibria_GoldenValues(t *testing.T) {
	e := newEquilibria()
	for celsius, want := range map[float64][3]float64{
		5: {6.52, 10.56, 14.73}, 15: {6.42, 10.43, 14.34}, 25: {6.35, 10.33, 14.00}, 40: {6.30, 10.22, 13.54},
	} {
		q := e.at(celsius)
		got := [3]float64{3 - math.Log10(q.k1), 3 - math.Log10(q.k2), 6 - math.Log10(q.kw)}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 0.015 {
				t.Errorf("%g °C: pK %.3f, want %g", celsius, got[i], want[i])
			}
		}
	}
	q := e.at(25)
	for alk, want := range map[float64]float64{0.1: 7.196, 1: 8.189, 2: 8.484} { // [H] = K1 Kh p / alkalinity, less what carbonate takes
		ph := 7.0
		carbon := alk
		for range 200 { // let carbon go to the air's
			ph = q.ph(alk, carbon, ph)
			free, _ := q.free(ph)
			carbon += 0.5 * (q.henry - free*carbon)
		}
		if math.Abs(ph-want) > 0.01 {
			t.Errorf("alkalinity %g: pH %.3f, want %g", alk, ph, want)
		}
	}
}

// Newton's steps alone went to and fro here for ever.
func TestPH_ComesToAnEnd(t *testing.T) {
	q := newEquilibria().at(14.96875)
	if from, near := q.ph(2.5, 4.998046875, 3.375), q.ph(2.5, 4.998046875, 6.4); math.Abs(from-near) > 1e-6 {
		t.Errorf("pH %.6f from afar, %.6f from near by", from, near)
	}
}

// The solver finds the root from anywhere, for water of any kind: what comes out carries the alkalinity.
func TestProperty_PHCarriesTheAlkalinity(t *testing.T) {
	e := newEquilibria()
	rapid.Check(t, func(t *rapid.T) {
		q := e.at(rapid.Float64Range(0, 45).Draw(t, "celsius"))
		alk := rapid.Float64Range(-0.5, 8).Draw(t, "alkalinity")
		carbon := rapid.Float64Range(0, 12).Draw(t, "carbon")
		ph := q.ph(alk, carbon, rapid.Float64Range(3, 11).Draw(t, "guess"))
		h := math.Pow(10, 3-ph)
		d := h*h + q.k1*h + q.k1*q.k2
		if got := carbon*(q.k1*h+2*q.k1*q.k2)/d + q.kw/h - h; math.Abs(got-alk) > 1e-5 || ph < 2 || ph > 13 {
			t.Fatalf("pH %g carries %g eq/m³", ph, got)
		}
	})
}

func TestConductivity_IsTheInverseOfPSS78(t *testing.T) {
	for _, s := range []float64{0.02, 0.1, 0.2, 0.5, 1, 1.9, 2.1, 5, 12, 30} {
		got, err := formula.Salinity(conductivityOf(s), 25, 0)
		if err != nil || math.Abs(got-s) > 2e-4*s+1e-6 {
			t.Errorf("salinity %g becomes %g µS/cm and that %g (%v)", s, conductivityOf(s), got, err)
		}
	}
}

// Whatever weather comes and whatever people do, for weeks: every amount is finite and none below nothing, every quantity within
// what measure says is one.
func TestProperty_NothingBreaksThePond(t *testing.T) {
	deed := rapid.Custom(func(t *rapid.T) Action {
		a := Action{Kind: rapid.SampledFrom([]ActionKind{Stock, Harvest, Feed, Treat, Aerate, Fill, Drain}).Draw(t, "kind")}
		most := map[ActionKind]float64{Stock: 3000, Harvest: 3000, Feed: 300, Treat: 2000, Aerate: 5, Fill: 100, Drain: 200}[a.Kind]
		a.Amount = rapid.Float64Range(0.001, most).Draw(t, "amount")
		if a.Kind == Treat {
			a.What = rapid.SampledFrom(append(Treatments(), "other vitamin C")).Draw(t, "what")
		}
		if a.Kind == Fill || a.Kind == Drain {
			a.For = time.Duration(rapid.IntRange(0, 20).Draw(t, "hours")) * time.Hour
		}
		return a
	})
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64Range(0, 1000).Draw(t, "seed")
		over := weatherAt(seed)
		var warm, wind, rain, sun float64
		place := Place{
			Species: rapid.SampledFrom(Species()).Draw(t, "species"), Density: rapid.Float64Range(0.2, 2).Draw(t, "density"),
			Depth: rapid.Float64Range(0.5, 4).Draw(t, "depth"), Alkalinity: rapid.Float64Range(5, 300).Draw(t, "alkalinity"),
			Care: rapid.SampledFrom([]Care{Usual, None}).Draw(t, "care"), ID: "ao1", Kind: Pond,
		}
		place, err := place.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		b := &basin{h: hoursOf(time.Date(2026, 1, 1+rapid.IntRange(0, 364).Draw(t, "day"), -7, 0, 0, 0, time.UTC))}
		b.pond = newPond(seed, place, func(h float64) Sky {
			a := over(h)
			a.Air, a.Dew, a.Wind, a.Rain, a.Sun = a.Air+warm, a.Dew+warm-2, a.Wind+wind, a.Rain+rain, a.Sun*sun
			return a
		})
		sun = 1
		b.s = b.begin(b.h)
		for range rapid.IntRange(1, 12).Draw(t, "turns") {
			warm, wind = rapid.Float64Range(-10, 9).Draw(t, "warmer"), rapid.SampledFrom([]float64{0, 0, 4, 40}).Draw(t, "wind")
			rain, sun = rapid.SampledFrom([]float64{0, 0, 2, 80}).Draw(t, "rain"), rapid.Float64Range(0.1, 1.1).Draw(t, "sun")
			d := deed.Draw(t, "deed")
			if err := b.act(b.s, b.h, d, false); err != nil {
				t.Fatal(err)
			}
			b.run(rapid.Float64Range(1, 60).Draw(t, "hours"), func(float64) { b.sane(t) })
			if d.For > 0 {
				if err := b.act(b.s, b.h, d, true); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// sane checks what must always be.
func (b *basin) sane(t *rapid.T) {
	for i, v := range b.s {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			t.Fatalf("entry %d is %v", i, v)
		case v < 0 && i != pAlk && i != pRedox && i != pWarmUp && i != pWarmLow && i != pWarmBed && i < pWaterIn:
			t.Fatalf("entry %d is %g", i, v)
		}
	}
	for _, q := range measure.Quantities() {
		v, ok := b.value(b.s, b.h, q)
		if !ok {
			continue
		}
		if grade, err := q.Grade(v); err != nil || grade != measure.Good {
			t.Fatalf("%s %g is %v (%v)", q, v, grade, err)
		}
	}
	if o := b.s[pOxyUp]; o > 35 {
		t.Fatalf("%g mg/L of oxygen", o)
	}
}

func TestPond_RefusesWhatItCannotHave(t *testing.T) {
	w, err := New(Options{Seed: 1, Begin: time.Date(2026, 6, 1, 0, 0, 0, 0, zone()), Places: []Place{{ID: "ao1", Kind: Pond}}})
	if err != nil {
		t.Fatal(err)
	}
	for want, a := range map[string]Action{
		"it can have aerate, drain, feed, fill, harvest, stock, treat":  {Kind: Irrigate, Amount: 3, For: time.Hour},
		`want one of lime, probiotic, alum, copper, salt, or "other …"`: {Kind: Treat, What: "snake oil", Amount: 3},
		"is a pond of tilapia": {Kind: Stock, What: "carp", Amount: 3},
		"amount NaN":           {Kind: Harvest, Amount: math.NaN()},
		"amount 0":             {Kind: Feed},
		"for -1h":              {Kind: Fill, Amount: 3, For: -time.Hour},
	} {
		a.At, a.Place = w.Begin().Add(time.Hour), "ao1"
		if err := w.Act(a); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", a, err, want)
		}
	}
	for _, a := range []Action{
		{Kind: Treat, What: "other vitamin C", Amount: 3}, {Kind: Stock, What: "tilapia", Amount: 3}, {Kind: Fill, Amount: 3},
	} {
		a.At, a.Place = w.Begin().Add(time.Hour), "ao1"
		if err := w.Act(a); err != nil {
			t.Error(err)
		}
	}
	b := basinOf(t, 1, Place{}, weatherAt(1), time.June, 1)
	if err := b.act(b.s, b.h, Action{Kind: Irrigate, Amount: 3}, false); err == nil || !strings.Contains(err.Error(), "want stock") {
		t.Errorf("irrigate: %v", err)
	}
}
