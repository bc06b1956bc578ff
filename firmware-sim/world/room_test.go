package world

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/gateway/measure"
)

func testRoom(t failer, p Place, k sky) *room {
	t.Helper()
	p.ID, p.Kind = "say1", Room
	p, err := p.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	return newRoom(7, p, k)
}

func (r *room) run(s state, h, hours float64, after func(h float64, x exchangeOfRoom)) float64 {
	const dt = 0.125
	for range int(math.Round(hours / dt)) {
		x := r.advance(s, h, dt)
		h += dt
		if after != nil {
			after(h, x)
		}
	}
	return h
}

// Under air that does not change, goods dry by Lewis' curve: (X - Xe)/(X0 - Xe) = e^(-k t).
func TestRoom_GoodsDryAlongTheCurve(t *testing.T) {
	r := testRoom(t, Place{Care: None}, fair(25, 0, nil))
	for i, w := range r.wares {
		h := hourOf(2026, 3, 2)
		s := r.begin(h)
		do(t, r, s, h, Action{Kind: Heat, Amount: 50, For: 100 * time.Hour})
		h = r.run(s, h, 12, nil) // warm through
		do(t, r, s, h, Action{Kind: Load, Amount: 0.5, What: w.name})
		x0, sumK, xe, n, rh := s[roomMoist], 0.0, 0.0, 0.0, 0.0
		r.run(s, h, 1.5/w.rate, func(h float64, _ exchangeOfRoom) {
			v := read(t, r, s, h, measure.RelativeHumidity) / 100
			sumK += w.speed(s[roomAir]) * 0.125
			xe, rh, n = xe+w.balanced(s[roomAir], v), rh+v, n+1
		})
		xe /= n
		got, want := (s[roomMoist]-xe)/(x0-xe), math.Exp(-sumK)
		if math.Abs(got-want) > 0.02 {
			t.Errorf("ware %d: moisture ratio %.3f, want %.3f (air at %.0f %%)", i, got, want, 100*rh/n)
		}
	}
}

// ASAE D245.5, rough rice: 13.5 % dry basis at 25 °C and 69 %; the isotherms rise with humidity and, for rice, fall with
// warmth.
func TestWares_Equilibrium(t *testing.T) {
	want := math.Pow(-math.Log(1-0.69)/(1.9187e-5*(25+51.161)), 1/2.4451) / 100
	if got := riceBalance(25, 0.69); math.Abs(got-want) > 1e-12 || got < 0.125 || got > 0.165 {
		t.Errorf("rice at 25 °C, 69 %%: %.4f", got)
	}
	if riceBalance(50, 0.5) >= riceBalance(25, 0.5) {
		t.Error("warm rice holds more")
	}
	for _, w := range wares() {
		for rh := 0.05; rh < 0.95; rh += 0.05 {
			if w.balanced(40, rh) >= w.balanced(40, rh+0.05) {
				t.Errorf("%s: holds less at %.0f %%", w.name, 100*(rh+0.05))
			}
		}
		if dry := w.balanced(w.heat, 0.3); dry >= w.dry {
			t.Errorf("%s can never be dry: %.3f at 30 %%", w.name, dry)
		}
	}
}

// The usual day: the room is at 45 to 55 °C soon, the bánh đa at most 13 % wet by evening; herbs take a day or two; damp goods
// make the air damp again.
func TestRoom_UsualDay(t *testing.T) {
	for goods, tc := range map[string]struct{ least, most, moisture float64 }{"banh-da": {2.5, 10, 14}, "herb": {16, 48, 13}} {
		w := newWeather(4, nil)
		r := testRoom(t, Place{Goods: goods}, w.at)
		h := hourOf(2025, 11, 10) // a Monday
		s := r.begin(h)
		h = r.run(s, h, 7, nil)
		if s[roomDry] > 0 {
			t.Fatal("loaded before seven")
		}
		loaded := h
		h = r.run(s, h, 0.125, nil)
		if read(t, r, s, h, GoodsMass) < 50 {
			t.Fatalf("%s: nothing was loaded", goods)
		}
		h = r.run(s, h, 3, nil)
		if air := read(t, r, s, h, measure.AirTemperature); air < 45 || air > 55 {
			t.Errorf("%s: %.1f °C after three hours", goods, air)
		}
		var dry float64
		r.run(s, h, 60, func(h float64, _ exchangeOfRoom) {
			if dry == 0 && read(t, r, s, h, GoodsMoisture) <= tc.moisture {
				dry = h - loaded
			}
		})
		if goods == "banh-da" {
			s := r.begin(loaded - 7)
			at := r.run(s, loaded-7, 16.5, nil) // half past four: done, and still on the trays
			if air := read(t, r, s, at, measure.AirTemperature); air < 35 || air > 42 {
				t.Errorf("goods that are done wait at %.1f °C, want about %g", air, keepWarm)
			}
		}
		if dry < tc.least || dry > tc.most {
			t.Errorf("%s: at %g %% after %.1f h, want %g to %g", goods, tc.moisture, dry, tc.least, tc.most)
		}
	}
}

func TestRoom_NewGoodsMakeItDamp(t *testing.T) {
	r := testRoom(t, Place{Care: None}, fair(25, 2, nil))
	h := hourOf(2026, 3, 2)
	s := r.begin(h)
	do(t, r, s, h, Action{Kind: Heat, Amount: 50, For: 14*time.Hour + 30*time.Minute})
	h = r.run(s, h, 4, nil)
	before := read(t, r, s, h, measure.RelativeHumidity)
	do(t, r, s, h, Action{Kind: Load, Amount: 80, What: "banh-da"})
	h = r.run(s, h, 0.5, nil)
	damp := read(t, r, s, h, measure.RelativeHumidity)
	h = r.run(s, h, 10, nil)
	if after := read(t, r, s, h, measure.RelativeHumidity); damp < before+10 || after > damp-10 {
		t.Errorf("humidity %.0f %%, %.0f %% with wet goods, %.0f %% when they are dry", before, damp, after)
	}
	do(t, r, s, h, Action{Kind: Unload})
	h = r.run(s, h, 12, nil)
	if left := s[roomAir] - r.sky(h).Air; math.Abs(left) > 6 || read(t, r, s, h, GoodsMass) != 0 {
		t.Errorf("12 h after the fire went out it is %.1f °C above the outside, %.1f kg on the trays", left, read(t, r, s, h, GoodsMass))
	}
}

// Heat and water of the room balance to the rounding of the numbers, whatever is loaded and heated, and every value is one.
func TestRoom_Balances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWeather(rapid.Uint64Range(0, 20).Draw(t, "seed"), nil)
		care := rapid.SampledFrom([]Care{Usual, None}).Draw(t, "care")
		r := testRoom(t, Place{Goods: rapid.SampledFrom(Goods()).Draw(t, "goods"), Care: care}, w.at)
		h := hourOf(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 5)
		s := r.begin(h)
		for range 12 {
			switch rapid.IntRange(0, 4).Draw(t, "act") {
			case 0:
				what := rapid.SampledFrom(Goods()).Draw(t, "what")
				do(t, r, s, h, Action{Kind: Load, Amount: rapid.Float64Range(0.01, trayLimit).Draw(t, "kg"), What: what})
			case 1:
				do(t, r, s, h, Action{Kind: Unload})
			case 2:
				do(t, r, s, h, Action{Kind: Heat, Amount: rapid.Float64Range(20, hottest).Draw(t, "°C"), For: time.Hour})
			}
			h = settled(t, r, s, h)
		}
	})
}

// settled steps a room for three hours and checks heat, water and values.
func settled(t *rapid.T, r *room, s state, h float64) float64 {
	const dt = 0.125
	for range 24 {
		if r.usual { // what is loaded and taken out is no exchange: let it happen before
			r.routine(s, h, dt)
		}
		heat := func() float64 { return (roomAirMass*airHeat+roomShelves)*s[roomAir] + roomLining*s[roomLiningT] }
		water := func() float64 { return roomAirMass*s[roomWater] + s[roomDry]*s[roomMoist] }
		heat0, water0 := heat(), water()
		quiet := *r
		quiet.usual = false
		x := quiet.advance(s, h, dt)
		h += dt
		if gap := heat() - heat0 - (x.stove - x.aired - x.walls - vapourHeat*(x.evaporated-x.dripping)); math.Abs(gap) > 1e-6*(1000+math.Abs(heat0)) {
			t.Fatalf("%g kJ are not accounted for", gap)
		}
		if gap := water() - water0 - (-x.vented - x.dripping); math.Abs(gap) > 1e-6 {
			t.Fatalf("%g kg of water are not accounted for", gap)
		}
		for _, q := range []measure.Quantity{
			measure.AirTemperature, measure.RelativeHumidity, measure.AirPressure, measure.DewPoint, measure.VapourDeficit,
		} {
			if quality, err := q.Grade(read(t, r, s, h, q)); err != nil || quality != measure.Good {
				t.Fatalf("%s %g: %v %v", q, read(t, r, s, h, q), quality, err)
			}
		}
		if m := read(t, r, s, h, GoodsMoisture); !(m > 0 && m < 80) || s[roomAir] > 95 {
			t.Fatalf("goods at %g %%, air at %g °C", m, s[roomAir])
		}
	}
	return h
}

func TestRoom_ActionsItCannotHave(t *testing.T) {
	r := testRoom(t, Place{}, fair(20, 4, nil))
	h := hourOf(2026, 1, 10)
	s := r.begin(h)
	for name, a := range map[string]Action{
		"feed": {Kind: Feed, Amount: 1}, "goods": {Kind: Load, Amount: 10, What: "bricks"}, "too much": {Kind: Load, Amount: 1000, What: "herb"},
		"fire": {Kind: Heat, Amount: 300, For: time.Hour}, "heat without an end": {Kind: Heat, Amount: 50},
	} {
		if err := r.act(s, h, a, false); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func BenchmarkRoom_Step(b *testing.B) {
	w := newWeather(1, nil)
	r := testRoom(b, Place{}, w.at)
	h := hourOf(2026, 1, 1)
	s := r.begin(h)
	for b.Loop() {
		r.step(s, h, 0.125)
		h += 0.125
	}
}
