package gate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/calibration"
	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
)

func TestBanned_HoldsTheSeasonForGood(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	b.record(farm.Input, "enro", form.Values{"name": "Enro 20", "type": "drug", "actives": []string{"Enrofloxacine HCl"}, "unit": "g", "withdrawal_days": 0.0})
	e := b.use(diary.Treatment, ao1, "fish", "enro", at(6, 1, 6, 0))
	want := gate.Finding{
		Rule: gate.Banned, Level: gate.Block, Place: ao1, Cycle: "fish", Cause: e.ID, Record: "input/enro", Args: []any{"Enrofloxacin", "Enro 20", day(6, 1), "TT 10/2016/TT-BNNPTNT", "cần xác nhận"},
	}
	if diff := cmp.Diff(want, b.one(gate.Banned)); diff != "" {
		t.Error(diff)
	}
	if v := b.judge(); len(v.Holds(ao1, "fish")) != 1 || len(v.Holds(ao1, "")) != 1 || len(v.Holds(ao4, "")) != 0 {
		t.Errorf("%+v", v.Findings)
	}
	b.use(diary.Treatment, ao1, "fish", "enro", at(6, 2, 6, 0)) // said once, by the newest
	if f := b.one(gate.Banned); f.Cause != b.events[1].ID {
		t.Errorf("%+v", f)
	}
}

func TestBanned_OfWhichSeasonItIs(t *testing.T) {
	enro := form.Values{"name": "Thuốc", "type": "drug", "actives": []string{"enrofloxacin"}, "unit": "g", "withdrawal_days": 0.0}
	for name, c := range map[string]struct {
		cycle string
		when  time.Time
		want  gate.Rule // "": nothing
	}{
		"the season's":                       {"fish", at(6, 1, 6, 0), gate.Banned},
		"before it, while the pond was made": {"", at(4, 15, 6, 0), gate.Banned},
		"of the season before":               {"old", at(3, 1, 6, 0), gate.BannedBefore},
		"not named, in the season before":    {"", at(3, 1, 6, 0), gate.BannedBefore},
		"more than a year ago":               {"old", time.Date(2025, 9, 1, 6, 0, 0, 0, farm.Time()), ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, at(10, 3, 9, 0))
			b.record(farm.Cycle, "old", form.Values{"place": ao1, "branch": "fish", "species": "x", "begin": "2025-01-01", "end": "2026-03-31"})
			b.record(farm.Input, "enro", enro)
			b.use(diary.EnvProduct, ao1, c.cycle, "enro", c.when)
			v := b.judge()
			for _, r := range []gate.Rule{gate.Banned, gate.BannedBefore} {
				if got := len(found(v, r)) == 1; got != (r == c.want) {
					t.Errorf("%s: %v: %+v", r, got, v.Findings)
				}
			}
		})
	}
}

// Leaving the season out of a harvest's entry helps nobody.
func TestBanned_WhereNobodyNamesTheSeason(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	b.record(farm.Input, "enro", form.Values{"name": "Thuốc", "type": "drug", "actives": []string{"enrofloxacin"}, "unit": "g", "withdrawal_days": 0.0})
	b.use(diary.Treatment, ao1, "fish", "enro", at(6, 1, 6, 0))
	b.Place = ao1
	if len(b.judge().Holds(ao1, "")) != 1 {
		t.Error("an open season")
	}
	b.set(farm.Cycle, "fish", "end", "2026-10-01")
	if len(b.judge().Holds(ao1, "")) != 1 {
		t.Error("a season that is over")
	}
	b.Cycle = "nobody-knows"
	if v := b.judge(); len(v.Holds(ao1, "nobody-knows")) != 1 {
		t.Errorf("a season that is not there: %+v", v.Findings)
	}
}

func TestBanned_KnowsPondsFromFields(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	b.record(farm.Input, "decis", form.Values{"name": "Decis 2.5EC", "type": "pesticide", "unit": "ml", "phi_days": 3.0, "withdrawal_days": 3.0})
	b.use(diary.Spraying, thuoc1, "", "decis", at(6, 1, 6, 0))
	b.none(gate.Banned, gate.BannedMaybe, gate.BannedBefore)
	b.use(diary.EnvProduct, ao1, "fish", "decis", at(6, 1, 6, 0)) // its name alone tells
	b.one(gate.Banned)
	// The crops' own list warns.
	b.record(farm.Input, "furadan", form.Values{"name": "Furadan", "type": "pesticide", "actives": []string{"carbofuran"}, "unit": "kg", "phi_days": 3.0})
	b.use(diary.Spraying, khoai1, "potato", "furadan", at(6, 1, 6, 0))
	if f := b.one(gate.BannedMaybe); f.Level != gate.Warning || f.Place != khoai1 {
		t.Errorf("%+v", f)
	}
}

func TestDrift_ByTheEdgesOfPlotAndPond(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	b.record(farm.Input, "karate", form.Values{"name": "Karate 2.5EC", "type": "pesticide", "actives": []string{"lambda-cyhalothrin"}, "unit": "ml", "phi_days": 0.0})
	b.Settings.DriftM = 44.5 // ao2 is 45 m away
	e := b.use(diary.Spraying, khoai1, "potato", "karate", at(10, 1, 6, 0))
	b.use(diary.Spraying, thuoc1, "", "karate", at(10, 1, 6, 0)) // 170 m and more away
	b.use(diary.Spraying, khoai1, "potato", "spray", at(10, 1, 6, 0))
	f := b.one(gate.DriftNear)
	if f.Place != ao4 || f.Level != gate.Warning || f.Cause != e.ID || !f.Clears.Equal(day(11, 1)) || f.Args[0] != "Lambda-cyhalothrin" || f.Args[2] != 44 {
		t.Errorf("%+v", f)
	}
	if f := b.one(gate.DriftSprayed); f.Place != khoai1 || f.Cause != e.ID || f.Args[1] != (farm.Text{VI: "Ao 4", EN: "Pond 4"}) {
		t.Errorf("%+v", f)
	}
	if len(b.judge().Holds(ao4, "")) != 0 {
		t.Error("a warning holds a lot")
	}
	b.Settings.DriftM = 43.5
	b.none(gate.DriftNear)
	b.Settings.DriftM = 44.5
	b.Now = day(11, 1)
	b.none(gate.DriftNear)

	// Without an outline nobody can tell, and that is said.
	b.Now = at(10, 3, 9, 0)
	for i := range b.Farm.Places {
		if b.Farm.Places[i].Code == ao4 {
			b.Farm.Places[i].Outline = nil
		}
	}
	v := b.judge()
	if unknown := found(v, gate.DriftUnknown); len(unknown) != 2 || unknown[0].Place != ao4 || unknown[0].Level != gate.Note { // from khoai1 and from thuoc1
		t.Errorf("%+v", unknown)
	}
}

// organic makes the potato an organic season that began its conversion on a day.
func organic(b *bench, from string) {
	b.record(farm.Cycle, "potato", form.Values{"name": "Khoai", "place": khoai1, "branch": "crop", "species": "khoai tây", "begin": "2026-05-01", "way": "organic", "conversion_from": from, "product": "spud"})
	b.record(farm.Certificate, "cert", form.Values{"scheme": "organic", "number": "1", "products": []string{"spud"}, "places": []string{khoai1}, "from": "2026-01-01", "to": "2027-12-31"})
}

func TestOrganic_Conversion(t *testing.T) {
	for name, c := range map[string]struct {
		do     func(b *bench)
		want   gate.Rule // "": may be called organic
		clears time.Time
	}{
		"12 months to the day of sowing": {func(b *bench) { organic(b, "2025-05-01") }, "", time.Time{}},
		"a day less":                     {func(b *bench) { organic(b, "2025-05-02") }, gate.OrganicCrop, time.Time{}},
		"sown later than the season began": {func(b *bench) {
			organic(b, "2025-05-02")
			b.wrote(diary.Planting, khoai1, "potato", at(5, 2, 6, 0), nil)
		}, "", time.Time{}},
		"shortened to 6 months":                {func(b *bench) { organic(b, "2025-11-01"); b.set(farm.Cycle, "potato", "conversion_months", 6.0) }, "", time.Time{}},
		"never below 6":                        {func(b *bench) { organic(b, "2025-11-02"); b.set(farm.Cycle, "potato", "conversion_months", 1.0) }, gate.OrganicCrop, time.Time{}},
		"no day on record":                     {func(b *bench) { organic(b, "") }, gate.OrganicNone, time.Time{}},
		"a perennial, 18 months until harvest": {func(b *bench) { organic(b, "2025-04-03"); b.set(farm.Cycle, "potato", "perennial", true) }, "", time.Time{}},
		"a perennial, a day less":              {func(b *bench) { organic(b, "2025-04-04"); b.set(farm.Cycle, "potato", "perennial", true) }, gate.OrganicConvert, day(10, 4)},
		"a season in between that was not": {func(b *bench) {
			organic(b, "2024-01-01")
			b.record(farm.Cycle, "corn", form.Values{"name": "Ngô", "place": khoai1, "branch": "crop", "species": "ngô", "begin": "2025-01-01", "end": "2025-04-01", "way": "vietgap"})
		}, gate.OrganicBroken, time.Time{}},
		"the conversion of the season before goes on": {func(b *bench) {
			organic(b, "")
			b.record(farm.Cycle, "corn", form.Values{"name": "Ngô", "place": khoai1, "branch": "crop", "species": "ngô", "begin": "2025-01-01", "end": "2025-12-01", "way": "organic", "conversion_from": "2024-01-01"})
		}, "", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, at(10, 3, 9, 0))
			c.do(b)
			v := b.judge()
			forbidden := v.Forbids(gate.ClaimOrganic, khoai1, "potato")
			if c.want == "" && len(forbidden) > 0 || c.want != "" && (len(forbidden) != 1 || forbidden[0].Rule != c.want || !forbidden[0].Clears.Equal(c.clears)) {
				t.Errorf("%+v", forbidden)
			}
			if len(v.Holds(khoai1, "potato")) != 0 {
				t.Error("what is not organic may be sold as what it is")
			}
		})
	}
}

func TestOrganic_InputsThatAreNotListed(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	organic(b, "2020-01-01")
	b.use(diary.Spraying, khoai1, "potato", "bt", at(6, 1, 6, 0)) // listed
	b.none(gate.OrganicInput, gate.OrganicUnlisted)
	used := b.use(diary.Spraying, khoai1, "", "spray", time.Date(2023, 10, 3, 6, 0, 0, 0, farm.Time()))
	f := b.one(gate.OrganicInput)
	if f.Level != gate.Block || f.Claim != gate.ClaimOrganic || f.Cause != used.ID || !f.Clears.Equal(day(10, 4)) {
		t.Errorf("%+v", f)
	}
	b.Now = day(10, 4) // 36 months and a day after
	b.none(gate.OrganicInput)
	b.use(diary.Fertilizing, khoai1, "potato", "feed", at(6, 1, 6, 0)) // nobody said: not listed, and that is said
	if f := b.one(gate.OrganicUnlisted); f.Args[0] != "Cám" || !f.Clears.Equal(time.Date(2029, 6, 2, 0, 0, 0, 0, farm.Time())) {
		t.Errorf("%+v", f)
	}
	// A season that does not aim at it is told nothing.
	b.set(farm.Cycle, "potato", "way", "vietgap")
	b.none(gate.OrganicUnlisted, gate.OrganicNone)
}

func TestOrganic_OfFishNobodyKnowsTheRules(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	b.set(farm.Cycle, "fish", "way", "organic")
	if f := b.one(gate.OrganicRules); f.Level != gate.Block || f.Claim != gate.ClaimOrganic {
		t.Errorf("%+v", f)
	}
}

func TestOrganic_SplitUnit(t *testing.T) {
	const khoai2 = "77S9RTVPH"
	b := newBench(t, at(10, 3, 9, 0))
	organic(b, "2020-01-01")
	b.record(farm.Household, "h4", form.Values{"name": "Lan", "code": "HO-04"})
	b.record(farm.Cycle, "potato2", form.Values{"name": "Khoai 2", "place": khoai2, "branch": "crop", "species": "Khoai  Tây", "begin": "2026-06-01", "way": "conventional"})
	b.none(gate.OrganicSplit) // another household's
	for i := range b.Farm.Places {
		if b.Farm.Places[i].Code == khoai2 {
			b.Farm.Places[i].Household = "h4" // by id, where the other place has its code
		}
	}
	if f := b.one(gate.OrganicSplit); f.Level != gate.Warning || f.Place != khoai1 || f.Record != "cycle/potato2" {
		t.Errorf("%+v", f)
	}
	b.set(farm.Cycle, "potato2", "end", "2026-06-30")
	b.set(farm.Cycle, "potato", "begin", "2026-07-01")
	b.none(gate.OrganicSplit) // one after the other
}

func TestCertificates_ScopeAndEnd(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	b.set(farm.Cycle, "fish", "way", "vietgap")
	if f := b.one(gate.CertMissing); f.Claim != gate.ClaimVietGAP || f.Level != gate.Block {
		t.Errorf("%+v", f)
	}
	cert := func(id, scheme, place, from, to string) {
		b.record(farm.Certificate, id, form.Values{"scheme": scheme, "number": "VG-" + id, "products": []string{"tilapia"}, "places": []string{place}, "from": from, "to": to})
	}
	for name, c := range map[string]struct {
		scheme, place, from, to string
		covers                  bool
	}{
		"covers":          {"vietgap", ao1, "2026-01-01", "2026-12-31", true},
		"another pond":    {"vietgap", ao4, "2026-01-01", "2026-12-31", false},
		"another scheme":  {"gacp", ao1, "2026-01-01", "2026-12-31", false},
		"its last day":    {"vietgap", ao1, "2026-01-01", "2026-10-03", true},
		"the day after":   {"vietgap", ao1, "2026-01-01", "2026-10-02", false},
		"its first day":   {"vietgap", ao1, "2026-10-03", "2026-12-31", true},
		"begins tomorrow": {"vietgap", ao1, "2026-10-04", "2026-12-31", false},
	} {
		cert("1", c.scheme, c.place, c.from, c.to)
		if got := len(found(b.judge(), gate.CertMissing)) == 0; got != c.covers {
			t.Errorf("%s: covers %v", name, got)
		}
	}
	for to, want := range map[string]struct {
		rule   gate.Rule
		level  gate.Level
		urgent bool
	}{
		"2026-12-03": {"", "", false}, // 61 days
		"2026-12-02": {gate.CertEnding, gate.Note, false},
		"2026-11-03": {gate.CertEnding, gate.Note, false}, // 31 days
		"2026-11-02": {gate.CertEnding, gate.Warning, false},
		"2026-10-11": {gate.CertEnding, gate.Warning, false},
		"2026-10-10": {gate.CertEnding, gate.Warning, true}, // 7 days
		"2026-10-03": {gate.CertEnding, gate.Warning, true}, // today is its last
		"2026-10-02": {gate.CertOver, gate.Warning, true},
	} {
		cert("1", "vietgap", ao1, "2026-01-01", to)
		v := b.judge()
		all := append(found(v, gate.CertEnding), found(v, gate.CertOver)...)
		if want.rule == "" {
			if len(all) != 0 {
				t.Errorf("to %s: %+v", to, all)
			}
			continue
		}
		if len(all) != 1 || all[0].Rule != want.rule || all[0].Level != want.level || all[0].Urgent() != want.urgent {
			t.Errorf("to %s: %+v", to, all)
		}
	}
	// One that follows without a gap is nobody's worry; one that leaves a day out is.
	cert("1", "vietgap", ao1, "2026-01-01", "2026-10-10")
	cert("2", "vietgap", ao1, "2026-10-11", "2027-10-10")
	b.none(gate.CertEnding)
	cert("2", "vietgap", ao1, "2026-10-12", "2027-10-10")
	b.one(gate.CertEnding)
}

func TestPapers_OfAPond(t *testing.T) {
	b := newBench(t, at(5, 4, 9, 0)) // the season's fourth day
	b.none(gate.StockingNone, gate.WaterTestNone)
	b.Now = at(5, 5, 9, 0)
	if f := b.one(gate.StockingNone); f.Kind != diary.Stocking {
		t.Errorf("%+v", f)
	}
	e := b.wrote(diary.Stocking, ao1, "fish", at(5, 2, 9, 0), form.Values{"species": "x", "hatchery": "y", "seed_lot": "z", "count": 100.0})
	b.none(gate.StockingNone)
	if f := b.one(gate.Quarantine); f.Cause != e.ID {
		t.Errorf("%+v", f)
	}
	e.Values["quarantine_no"] = "KD-1"
	b.none(gate.Quarantine)

	b.Now = at(5, 8, 23, 59) // 7 days after it began
	b.none(gate.WaterTestNone)
	b.Now = day(5, 9)
	if f := b.one(gate.WaterTestNone); f.Kind != diary.WaterTest || f.Args[0] != 8 || f.Args[1] != 7 {
		t.Errorf("%+v", f)
	}
	b.wrote(diary.WaterTest, ao1, "", at(5, 8, 6, 0), form.Values{"ph": 7.0})
	b.none(gate.WaterTestNone, gate.WaterTestDue)
	b.Now = day(5, 16)
	b.one(gate.WaterTestDue)
	b.Settings.WaterTestDays = 30
	b.none(gate.WaterTestDue)
	// A season that is over asks for no more tests; a field asks for none.
	b.Settings.WaterTestDays = 7
	b.Place, b.Cycle = ao1, "fish"
	b.set(farm.Cycle, "fish", "end", "2026-05-15")
	b.none(gate.WaterTestDue)
}

func TestCalibrations_OverdueAndUnfit(t *testing.T) {
	b := newBench(t, at(5, 2, 9, 0))
	for s, standing := range map[string]calibration.Standing{"a": calibration.InForce, "b": calibration.Overdue, "c": calibration.Unfit, "d": calibration.Undated} {
		b.Calibrations = append(b.Calibrations, gate.Calibration{Place: ao4, Sensor: s, Standing: standing, Due: at(4, 1, 9, 0)})
	}
	if f := b.one(gate.CalibrationDue); f.Args[0] != "b" || f.Place != ao4 || !f.Args[1].(time.Time).Equal(day(4, 1)) {
		t.Errorf("%+v", f)
	}
	if f := b.one(gate.CalibrationBad); f.Args[0] != "c" {
		t.Errorf("%+v", f)
	}
}

func TestStock_ShortExpiredNotRegistered(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	b.wrote(diary.Receipt, "", "", at(5, 1, 8, 0), form.Values{"input": "drug", "amount": 100.0, "lot": "L1", "expiry": "2026-06-01"})
	b.use(diary.Treatment, ao1, "fish", "drug", at(6, 1, 6, 0), "amount", 60.0, "lot", "L1") // its last day is a good one
	b.none(gate.StockShort, gate.InputExpired, gate.NotRegistered)
	e := b.use(diary.Treatment, ao1, "fish", "drug", at(6, 2, 6, 0), "amount", 60.0, "lot", "l1")
	if f := b.one(gate.InputExpired); f.Cause != e.ID || f.Place != ao1 || f.Args[1] != "l1" || !f.Args[2].(time.Time).Equal(day(6, 1)) {
		t.Errorf("%+v", f)
	}
	f := b.one(gate.StockShort)
	if diff := cmp.Diff([]any{"Oxytetra", "L1", 20.0, "g"}, f.Args); diff != "" || f.Place != "" {
		t.Error(diff)
	}
	b.set(farm.Input, "drug", "valid_to", "2026-06-01")
	if f := b.one(gate.NotRegistered); f.Cause != e.ID {
		t.Errorf("%+v", f)
	}
	b.set(farm.Input, "drug", "unit", "bag")
	b.use(diary.Feeding, ao1, "fish", "drug", at(7, 1, 6, 0))
	b.one(gate.StockUnknown)
}
