package soil

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

var at = time.Date(2026, 12, 10, 7, 20, 0, 0, farm.Time())

// hours are those of a moisture, from so many hours ago until so many; each is what f gives of how long ago it was.
func hours(from, to int, f func(ago int) float64) (out []Hour) {
	for ago := from; ago >= to; ago-- {
		out = append(out, Hour{Start: at.Truncate(time.Hour).Add(-time.Duration(ago) * time.Hour), Moisture: f(ago)})
	}
	return out
}

func level(v float64) func(int) float64 { return func(int) float64 { return v } }

// potatoField is a silt loam (29 and 15 %) with a potato of 45 days, 50 from its harvest, and three days of weather that take 3.3 mm.
func potatoField(h []Hour) *Field {
	potato, _ := cropNamed("crop", "khoai tây")
	f := &Field{
		Place: farm.Place{Code: "A", AreaM2: 7200, Ground: farm.Ground{Texture: "silt_loam"}}, At: at, North: 20.77, Hours: h,
		Season: &Season{Crop: potato, Planted: farm.Midnight(at).AddDate(0, 0, -45), Harvest: farm.Midnight(at).AddDate(0, 0, 50)},
		Holds:  farm.Holding{FieldCapacity: 29, WiltingPoint: 15}, Estimated: true,
	}
	for day := range 3 {
		f.Air = append(f.Air, AirDay{Day: farm.Midnight(at).AddDate(0, 0, day-3), Min: 16, Max: 26, Vapour: 1.7, Humid: true})
	}
	return f
}

// said writes decisions as topic=verdict:first reason>what to do.
func said(f *Field) string {
	var out []string
	for _, d := range f.Decisions() {
		line := d.Topic + "=" + string(d.Verdict) + ":" + d.Why[0].Key
		for _, do := range d.Do {
			line += ">" + do.Key
		}
		out = append(out, strings.ReplaceAll(line, "soil_", ""))
	}
	return strings.Join(out, " ")
}

func TestField_JudgesByTheNumbers(t *testing.T) {
	f := potatoField(hours(48, 0, level(26)))
	f.judge()
	near(t, "moisture", f.Moisture, 26, 1e-9)
	near(t, "ET0", f.ET0, 2.94, 0.02)
	near(t, "Kc", f.Kc, f.Season.Coefficient(at), 0)
	near(t, "ETc", f.ETc, f.ET0*f.Kc, 1e-9)
	near(t, "p", f.P, 0.35+0.04*(5-f.ETc), 1e-9)
	near(t, "TAW", f.TAW, 140*f.Roots, 1e-9)
	near(t, "RAW", f.RAW, f.P*f.TAW, 1e-9)
	near(t, "depleted", f.Depleted, 30*f.Roots, 1e-9)
	near(t, "days", f.Days, (f.RAW-f.Depleted)/f.ETc, 1e-9)
	near(t, "m³", f.GiveM3, f.Depleted*7.2, 1e-9)
	near(t, "stress", f.Stress, 1, 0)
	if f.Method != PenmanMonteith {
		t.Errorf("by %q", f.Method)
	}
}

// What is said of a field in every state it can be in.
func TestField_Says(t *testing.T) {
	falls := func(from float64, per float64) func(int) float64 {
		return func(ago int) float64 { return from + per*float64(ago) }
	}
	for name, tc := range map[string]struct {
		hours  []Hour
		change func(*Field)
		want   string
	}{
		"enough":               {hours: hours(60, 0, level(27)), want: "irrigation=calm:enough drought=calm:no_want waterlogging=calm:not_wet"},
		"within a day":         {hours: hours(60, 0, level(23.3)), want: "irrigation=notice:due_soon>give drought=calm:no_want waterlogging=calm:not_wet"},
		"due":                  {hours: hours(60, 0, level(22)), want: "irrigation=notice:due>give drought=notice:below>give waterlogging=calm:not_wet"},
		"dry for 5 hours":      {hours: append(hours(60, 5, level(22)), hours(4, 0, level(17))...), want: "irrigation=notice:due>give drought=notice:below>give waterlogging=calm:not_wet"},
		"dry for 6 hours":      {hours: append(hours(60, 6, level(22)), hours(5, 0, level(17))...), want: "irrigation=notice:due>give drought=notice:below>give waterlogging=calm:not_wet"},
		"dry for 7 hours":      {hours: append(hours(60, 7, level(22)), hours(6, 0, level(17))...), want: "irrigation=notice:due>give drought=warn:dry>give waterlogging=calm:not_wet"},
		"withers":              {hours: append(hours(60, 10, level(17)), hours(9, 0, level(14))...), want: "irrigation=notice:due>give drought=crit:withers>give waterlogging=calm:not_wet"},
		"withers since now":    {hours: append(hours(60, 2, level(17)), hours(1, 0, level(14))...), want: "irrigation=notice:due>give drought=warn:dry>give waterlogging=calm:not_wet"},
		"wet for a day":        {hours: append(hours(60, 25, level(29)), hours(24, 0, level(36))...), want: "irrigation=calm:enough drought=calm:no_want waterlogging=warn:wet>drain"},
		"wet for 22 hours":     {hours: append(hours(60, 23, level(29)), hours(22, 0, level(36))...), want: "irrigation=calm:enough drought=calm:no_want waterlogging=notice:wet_since>drain"},
		"at the limit":         {hours: hours(60, 0, level(34)), want: "irrigation=calm:enough drought=calm:no_want waterlogging=calm:not_wet"},
		"wet, with holes":      {hours: slices.Concat(hours(60, 25, level(29)), hours(24, 14, level(36)), hours(10, 0, level(36))), want: "irrigation=calm:enough drought=calm:no_want waterlogging=warn:wet>drain"},
		"wet, with a long one": {hours: slices.Concat(hours(60, 16, level(36)), hours(9, 0, level(36))), want: "irrigation=calm:enough drought=calm:no_want waterlogging=notice:wet_since>drain"},
		"dried an hour ago":    {hours: append(hours(60, 1, level(36)), hours(0, 0, level(33))...), want: "irrigation=calm:enough drought=calm:no_want waterlogging=calm:not_wet"},
		"in its last weeks": {
			hours(60, 0, level(20)), func(f *Field) { f.Season.Harvest = farm.Midnight(at).AddDate(0, 0, 14) },
			"irrigation=calm:stop drought=calm:stop waterlogging=calm:not_wet",
		},
		"wet before the harvest": {
			hours(60, 0, level(30)), func(f *Field) { f.Season.Harvest = farm.Midnight(at).AddDate(0, 0, 9) },
			"irrigation=calm:stop drought=calm:stop waterlogging=notice:wet_harvest>drain",
		},
		"a harvest that is only reckoned stops nothing": {
			hours(60, 0, level(20)), func(f *Field) { f.Season.Harvest, f.Season.Estimated = farm.Midnight(at).AddDate(0, 0, 9), true },
			"irrigation=notice:due>give drought=notice:below>give waterlogging=calm:not_wet",
		},
		"no air, enough": {
			hours(60, 0, level(27)), func(f *Field) { f.Air = nil },
			"irrigation=calm:enough_undated drought=calm:no_want waterlogging=calm:not_wet",
		},
		"old air": {
			hours(60, 0, level(27)), func(f *Field) { f.Air = []AirDay{{Day: farm.Midnight(at).AddDate(0, 0, -4), Min: 16, Max: 26}} },
			"irrigation=calm:enough_undated drought=calm:no_want waterlogging=calm:not_wet",
		},
		"no area": {
			hours(60, 0, level(22)), func(f *Field) { f.Place.AreaM2 = 0 },
			"irrigation=notice:due>give_mm drought=notice:below>give_mm waterlogging=calm:not_wet",
		},
		"damp winter": {
			hours(60, 0, level(28)), func(f *Field) {
				for i := range f.Air {
					f.Air[i].Max, f.Air[i].Vapour = 17, 1.85
				}
			},
			"irrigation=calm:enough_long drought=calm:no_want waterlogging=calm:not_wet",
		},
		"drained after rain, nobody read it": {
			slices.Concat(hours(60, 40, level(24)), hours(39, 13, falls(29.5, 0.15)), hours(12, 0, level(29.8))), nil,
			"irrigation=calm:enough>read_capacity drought=calm:no_want waterlogging=calm:not_wet",
		},
		"drained after rain, read before": {
			slices.Concat(hours(60, 40, level(24)), hours(39, 13, falls(29.5, 0.15)), hours(12, 0, level(29.8))), func(f *Field) { f.Estimated = false },
			"irrigation=calm:enough drought=calm:no_want waterlogging=calm:not_wet",
		},
		"it runs through": {
			slices.Concat(hours(100, 61, level(22)), hours(60, 50, level(29)), hours(49, 0, level(22))), nil,
			"irrigation=unknown:leaks>leaks drought=unknown:leaks>leaks waterlogging=calm:not_wet",
		},
		"it is drunk in three days": {
			slices.Concat(hours(100, 73, level(22)), hours(72, 0, falls(21.8, 0.06))), nil,
			"irrigation=notice:due>give drought=notice:below>give waterlogging=calm:not_wet",
		},
		"nothing grows":   {hours(60, 0, level(20)), func(f *Field) { f.Season, f.Fallow = nil, true }, "irrigation=calm:fallow drought=calm:fallow waterlogging=calm:not_wet"},
		"never a season":  {hours(60, 0, level(20)), func(f *Field) { f.Season = nil }, "irrigation=unknown:no_season>no_season drought=unknown:no_season>no_season waterlogging=calm:not_wet"},
		"fallow and full": {hours(60, 0, level(40)), func(f *Field) { f.Season, f.Fallow = nil, true }, "irrigation=calm:fallow drought=calm:fallow waterlogging=warn:wet>drain"},
		"silent": {
			nil, func(f *Field) { f.Lacks = Silent },
			"irrigation=unknown:silent>silent drought=unknown:silent>silent waterlogging=unknown:silent>silent",
		},
		"silent since": {
			nil, func(f *Field) { f.Lacks, f.Newest = Silent, at.Add(-9*time.Hour) },
			"irrigation=unknown:silent_since>silent drought=unknown:silent_since>silent waterlogging=unknown:silent_since>silent",
		},
		"no ground": {
			hours(60, 0, level(20)), func(f *Field) { f.Lacks = NoGround },
			"irrigation=unknown:no_ground>no_ground drought=unknown:no_ground>no_ground waterlogging=unknown:no_ground>no_ground",
		},
		"suspect, good":    {hours(60, 0, level(27)), func(f *Field) { f.Suspect = true }, "irrigation=unknown:suspect drought=unknown:suspect waterlogging=unknown:suspect"},
		"suspect, bad":     {append(hours(60, 25, level(29)), hours(24, 0, level(36))...), func(f *Field) { f.Suspect = true }, "irrigation=unknown:suspect drought=unknown:suspect waterlogging=warn:wet>drain"},
		"suspect, fallow":  {hours(60, 0, level(27)), func(f *Field) { f.Suspect, f.Season, f.Fallow = true, nil, true }, "irrigation=calm:fallow drought=calm:fallow waterlogging=unknown:suspect"},
		"rice is not ours": {hours(60, 0, level(45)), func(f *Field) { f.Season.Flooded = true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := potatoField(tc.hours)
			if tc.change != nil {
				tc.change(f)
			}
			f.judge()
			if got := said(f); got != tc.want {
				t.Errorf("said %s\nwant %s", got, tc.want)
			}
			for _, d := range f.Decisions() {
				if len(d.Why) == 0 || d.Until.Sub(at) != validFor || d.Rule != ID || d.Place != "A" {
					t.Errorf("%+v", d)
				}
			}
		})
	}
}

// Every reason that can be said has its words on the list.
func TestWords_HaveAllReasons(t *testing.T) {
	words := Words()
	for _, change := range []func(*Field){
		func(*Field) {}, func(f *Field) { f.Irrigated = &Water{At: at, MM: 20} }, func(f *Field) { f.Irrigated = &Water{At: at} },
		func(f *Field) { f.Rain = []Water{{At: at.Add(-time.Hour), MM: 20}} }, func(f *Field) { f.Replaced, f.Spread = true, 12 }, func(f *Field) { f.Season.Estimated, f.Season.Near = true, true },
	} {
		for _, moisture := range []float64{12, 16, 22, 23.3, 27, 36} {
			f := potatoField(hours(60, 0, level(moisture)))
			change(f)
			f.judge()
			for _, d := range f.Decisions() {
				for _, r := range d.Why {
					if !slices.Contains(words, "why."+r.Key) {
						t.Errorf("why.%s is not among the words", r.Key)
					}
				}
				for _, r := range d.Do {
					if !slices.Contains(words, "do."+r.Key) {
						t.Errorf("do.%s is not among the words", r.Key)
					}
				}
				if !slices.Contains(words, "topic."+d.Topic) {
					t.Errorf("topic.%s is not among the words", d.Topic)
				}
			}
		}
	}
}

func TestDoubts_OfTheMomentToReadTheCapacity(t *testing.T) {
	for name, tc := range map[string]struct {
		hours  []Hour
		change func(*Field)
		want   []Doubt
	}{
		"the moment":        {hours: append(hours(80, 31, level(22)), hours(30, 0, level(29))...)},
		"no rain":           {hours: hours(80, 0, level(29)), want: []Doubt{NoRain}},
		"a light one":       {hours: append(hours(80, 31, level(26.5)), hours(30, 0, level(29))...), want: []Doubt{NoRain}},
		"it rained today":   {hours: append(hours(80, 13, level(22)), hours(12, 0, level(30))...), want: []Doubt{Draining}},
		"still falling":     {hours: append(hours(80, 31, level(22)), hours(30, 0, func(ago int) float64 { return 29 + 0.2*float64(ago) })...), want: []Doubt{Draining}},
		"three days ago":    {hours: append(hours(95, 61, level(22)), hours(60, 0, func(ago int) float64 { return 28 + 0.03*float64(ago) })...), want: []Doubt{Late}},
		"not this texture":  {hours: append(hours(80, 31, level(33)), hours(30, 0, level(44))...), want: []Doubt{Far}},
		"no soil":           {hours: append(hours(80, 31, level(50)), hours(30, 0, level(75))...), want: []Doubt{Beyond, Far}},
		"nobody trusts it":  {append(hours(80, 31, level(22)), hours(30, 0, level(29))...), func(f *Field) { f.Suspect = true }, []Doubt{Untrue}},
		"silent":            {hours(80, 20, level(29)), func(f *Field) { f.Lacks = Silent }, []Doubt{Stale}},
		"no texture, 44 %":  {append(hours(80, 31, level(33)), hours(30, 0, level(44))...), func(f *Field) { f.Place.Ground = farm.Ground{} }, nil},
		"nothing was known": {hours: hours(10, 0, level(29)), want: []Doubt{NoRain}},
	} {
		f := &Field{Place: farm.Place{Ground: farm.Ground{Texture: "silt_loam"}}, At: at, Hours: tc.hours}
		f.now()
		if tc.change != nil {
			tc.change(f)
		}
		if got := f.doubts(); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	if !(Capacity{Doubts: []Doubt{NoRain, Beyond}}).Barred() || (Capacity{Doubts: []Doubt{NoRain, Far}}).Barred() {
		t.Error("what no soil holds is barred, and nothing else")
	}
}

var _ rule.Rule = (*Service)(nil)
