package plan_test

import (
	"math"
	"testing"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/plan"
)

func day(s string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, s, farm.Time())
	if err != nil {
		panic(err)
	}
	return t.Add(9 * time.Hour)
}

// village is two ponds of one household, a plot with two crops a year, and a plot of nobody.
func village() plan.Case {
	rec := func(kind farm.RecordKind, id string, v form.Values) farm.Record {
		return farm.Record{Kind: kind, ID: id, Values: v}
	}
	entry := func(kind, at, place, cycle string, v form.Values) diary.Entry {
		return diary.Entry{Event: diary.Event{Kind: kind, Place: place, Cycle: cycle, Occurred: day(at), Values: v}}
	}
	return plan.Case{
		Year: 2026, Now: day("2026-11-26"),
		Farm: &farm.Farm{Places: []farm.Place{
			{Code: "A", Kind: farm.Pond, AreaM2: 20000, Household: "H1"}, {Code: "B", Kind: farm.Pond, AreaM2: 15000, Household: "h1"}, {Code: "C", Kind: farm.Plot, AreaM2: 10000}, {Code: "D", Kind: farm.Plot, AreaM2: 5000},
		}},
		Records: []farm.Record{
			rec(farm.Household, "h1", form.Values{"name": "Hộ 1", "code": "H1"}),
			rec(farm.Household, "h2", form.Values{"name": "Hộ 2", "code": "H2", "area_m2": 30000.0}),
			rec(farm.Household, "h3", form.Values{"name": "Hộ 3", "code": "H3", "area_m2": 29999.0}),
			rec(farm.Cycle, "c1", form.Values{"place": "A", "branch": "fish", "species": "Cá rô phi", "season": "2026", "begin": "2026-02-01", "end": "2026-09-30"}),
			rec(farm.Cycle, "c2", form.Values{"place": "B", "branch": "fish", "species": "cá rô phi", "season": "2026", "begin": "2026-03-01"}),
			rec(farm.Cycle, "c3", form.Values{"place": "C", "branch": "crop", "species": "lúa", "season": "vụ mùa", "begin": "2026-06-01", "end": "2026-09-30", "area_m2": 8000.0}),
			rec(farm.Cycle, "c4", form.Values{"place": "C", "branch": "crop", "species": "khoai tây", "season": "vụ đông", "begin": "2026-10-15"}),
			rec(farm.Cycle, "c0", form.Values{"place": "C", "branch": "crop", "species": "khoai tây", "season": "vụ đông 2025", "begin": "2025-10-15", "end": "2026-02-15"}),
			rec(farm.Buyer, "b1", form.Values{"name": "Công ty X"}),
			rec(farm.Contract, "k1", form.Values{"number": "01", "buyer": "b1", "quantity_kg": 10000.0, "floor_price": 30000.0, "from": "2026-08-01", "to": "2026-10-31"}),
			rec(farm.Target, "t1", form.Values{"name": "Cá", "target_of": "area_ha", "want": 7.0, "branch": "fish"}),
			rec(farm.Target, "t2", form.Values{"name": "Giá trị", "target_of": "value_ha", "want": 210e6}),
			rec(farm.Target, "t3", form.Values{"name": "Hộ lớn", "target_of": "large_households", "want": 5.0}),
			rec(farm.Target, "t4", form.Values{"name": "Khoai", "target_of": "tons_ha", "want": 15.0, "branch": "crop", "species": "khoai tây"}),
		},
		Entries: []diary.Entry{
			entry(diary.Harvest, "2026-09-20", "A", "c1", form.Values{"kg": 9000.0}),
			entry(diary.Harvest, "2026-02-10", "C", "c0", form.Values{"kg": 14000.0}), // of last year's season
			entry(diary.Harvest, "2026-09-25", "C", "", form.Values{"kg": 5000.0}),    // the only season that day
			entry(diary.Harvest, "2026-09-25", "D", "", form.Values{"kg": 7.0}),       // no season at all
			{Voided: true, Event: diary.Event{Kind: diary.Harvest, Place: "A", Cycle: "c1", Occurred: day("2026-09-21"), Values: form.Values{"kg": 1e6}}},
			entry(diary.Sale, "2026-09-21", "A", "c1", form.Values{"kg": 4000.0, "price": 35000.0, "contract": "k1"}),
			entry(diary.Sale, "2026-09-22", "A", "c1", form.Values{"kg": 1000.0, "price": 29000.0, "contract": "k1"}),
			entry(diary.Sale, "2026-11-02", "A", "c1", form.Values{"kg": 2000.0, "contract": "k1"}), // too late, and without a price
			entry(diary.Sale, "2026-09-26", "C", "c3", form.Values{"kg": 5000.0, "price": 9000.0}),
		},
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestReckon(t *testing.T) {
	p := plan.Reckon(village())
	// 2 + 1.5 + 1 ha: the plot's two crops stand on one hectare.
	near(t, "land", p.All.Ha, 4.5)
	near(t, "harvested", p.All.HarvestedKG, 14000)
	near(t, "harvested land", p.All.HarvestedHa, 2.8) // pond B still stands, and 0.8 ha of the plot were rice
	near(t, "value", p.All.Value, 4000*35000+1000*29000+5000*9000)
	near(t, "unpriced", p.All.UnpricedKG, 2000)
	near(t, "astray", p.Astray.HarvestedKG, 7)
	if len(p.Branches) != 2 || p.Branches[0].Branch != farm.Fish {
		t.Fatalf("branches %+v", p.Branches)
	}
	near(t, "fish land", p.Branches[0].Ha, 3.5)
	near(t, "crop land", p.Branches[1].Ha, 1)
	if len(p.Crops) != 3 || p.Crops[0].Name != "Cá rô phi" || p.Crops[0].Places != 2 {
		t.Fatalf("crops %+v", p.Crops)
	}
	if got, _ := p.Crops[0].TonsPerHa(); got != 4.5 {
		t.Errorf("9 t from 2 of 3.5 ha, and the rest still stands: %v t/ha", got)
	}
	if got, ok := p.Crops[2].TonsPerHa(); p.Crops[2].Name != "lúa" || !ok {
		t.Errorf("%+v", p.Crops[2])
	} else {
		near(t, "rice a hectare", got, 5/0.8)
	}
	if _, ok := p.Crops[1].TonsPerHa(); ok {
		t.Error("potato that is not harvested has a yield")
	}
	if h := p.Households; len(h) != 3 || h[0].Code != "H1" || h[1].Code != "H2" || !h[0].Large() || !h[1].Large() || h[2].Large() {
		t.Errorf("households %+v", h)
	}
	for i, want := range []float64{3.5, (4000*35000 + 1000*29000 + 5000*9000) / 4.5, 2} {
		near(t, p.Targets[i].Record.Name(), p.Targets[i].Have, want)
	}
	if p.Targets[3].Known || p.Targets[3].Share() != 0 {
		t.Error("a yield that nobody knows is told as one")
	}
}

func TestReckon_AFloorPriceIsToldApart(t *testing.T) {
	c := village()
	c.Floor = true
	p := plan.Reckon(c)
	near(t, "value", p.All.Value, 4000*35000+1000*29000+5000*9000+2000*30000)
	near(t, "of it at the floor", p.All.FloorValue, 2000*30000)
	near(t, "unpriced", p.All.UnpricedKG, 0)
}

func TestReckon_Contracts(t *testing.T) {
	k := plan.Reckon(village()).Contracts
	if len(k) != 1 || k[0].Buyer != "Công ty X" || !k[0].Overdue {
		t.Fatalf("%+v", k)
	}
	near(t, "delivered", k[0].DeliveredKG, 7000)
	near(t, "missing", k[0].Missing(), 3000)
	near(t, "below the floor", k[0].BelowKG, 1000)
	near(t, "without a price", k[0].UnpricedKG, 2000)
	near(t, "outside", k[0].OutsideKG, 2000)
	c := village()
	c.Now = day("2026-10-31")
	if plan.Reckon(c).Contracts[0].Overdue {
		t.Error("overdue on its last day")
	}
}

func TestReckon_AYearWithoutAnythingIsEmpty(t *testing.T) {
	c := village()
	c.Year = 2019
	if p := plan.Reckon(c); p.All != (plan.Sum{}) || len(p.Crops) != 0 || len(p.Years) != 2 || p.Years[0] != 2026 {
		t.Errorf("%+v", p)
	}
}

func TestReckon_APerennialCountsInEveryYearItStands(t *testing.T) {
	c := village()
	c.Records = append(c.Records, farm.Record{Kind: farm.Cycle, ID: "c9", Values: form.Values{
		"place": "D", "branch": "herb", "species": "đinh lăng", "season": "lâu năm", "begin": "2024-03-01", "perennial": true,
	}})
	for day, kg := range map[string]float64{"2025-11-20": 100, "2026-11-20": 300} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		c.Entries = append(c.Entries, diary.Entry{Event: diary.Event{Kind: diary.Harvest, Place: "D", Cycle: "c9", Occurred: at, Values: form.Values{"kg": kg}}})
	}
	for year, want := range map[int]float64{2024: 0, 2025: 100, 2026: 307, 2027: -1} { // 7 kg name no season: it is the only one there
		c.Year = year
		var herbs *plan.Row
		p := plan.Reckon(c)
		for i := range p.Branches {
			if p.Branches[i].Branch == farm.Herb {
				herbs = &p.Branches[i]
			}
		}
		switch {
		case want < 0 && herbs != nil:
			t.Errorf("%d: it stands in a year that has not come", year)
		case want >= 0 && herbs == nil:
			t.Errorf("%d: it does not stand", year)
		case herbs != nil:
			near(t, "herbs", herbs.HarvestedKG, want)
			near(t, "land of herbs", herbs.Ha, 0.5)
		}
	}
}
