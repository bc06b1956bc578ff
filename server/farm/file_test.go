package farm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
)

const smallest = `coop:
  name: { vi: HTX, en: Co-op }
zones:
  - { id: z, name: { vi: Khu, en: Zone } }
places:
  - code: F7NE3CDQ7
    name: ao1
    kind: pond
    title: { vi: Ao 1, en: Pond 1 }
    zone: z
    holds: { vi: cá, en: fish }
    limits: p
mounts:
  - { gateway: gw-1, sensor: t, place: ao1, measures: [ph], until: "2026-01-01" }
  - { gateway: gw-1, sensor: t, place: ao1, measures: [ph], from: "2026-01-01" }
limits:
  - { profile: p, quantity: ph, level: warn, below: 6.5, source: { vi: n, en: s } }
`

func TestDemo_IsTheFarmTheDemoNeeds(t *testing.T) {
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[farm.Kind]int{}
	for _, p := range f.Places {
		kinds[p.Kind]++
		if len(f.MountsAt(p.Code, time.Time{}, time.Now())) == 0 {
			t.Errorf("%s has no sensor", p.Name)
		}
	}
	if kinds[farm.Pond] < 4 || kinds[farm.Plot] < 3 || !f.Coop.Demo {
		t.Errorf("places %v, demo %v", kinds, f.Coop.Demo)
	}
	if code, ok := f.PlaceOf("gw-ao-phukhe", "ao1-do", time.Now()); !ok || code != "F7NE3CDQ7" {
		t.Errorf("ao1-do hangs at %q, %v", code, ok)
	}
	ao1, _ := f.Place("F7NE3CDQ7")
	l := f.LimitsOf(ao1, measure.DissolvedOxygen)
	if len(l) != 2 || l[0].Level != farm.Crit || l[0].Value != 3 || l[1].Value != 4 {
		t.Errorf("limits of oxygen: %+v", l)
	}
	if !l[1].Broken(3.99) || l[1].Broken(4) {
		t.Error("a value equal to the limit is within")
	}
}

func TestAddress_IsAskedForAtATime(t *testing.T) {
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	midnight := time.Date(2025, 7, 1, 0, 0, 0, 0, farm.Time())
	before, ok1 := farm.AddressAt(f.Coop.Addresses, midnight.Add(-time.Millisecond))
	after, ok2 := farm.AddressAt(f.Coop.Addresses, midnight)
	if !ok1 || !ok2 || !strings.Contains(before.Text.VI, "huyện") || strings.Contains(after.Text.VI, "huyện") {
		t.Errorf("before %+v, after %+v: districts were abolished on 01/07/2025", before, after)
	}
	if _, ok := farm.AddressAt(nil, midnight); ok {
		t.Error("an address out of nothing")
	}
}

func TestParse_MovesASensorAtADate(t *testing.T) {
	f, err := farm.Parse("farm.yaml", []byte(strings.Replace(smallest, "zones:", "zones:\n  - { id: y, name: { vi: Y, en: Y } }", 1)))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, farm.Time())
	if len(f.MountsAt("F7NE3CDQ7", at, at.AddDate(0, 1, 0))) != 1 || len(f.MountsAt("F7NE3CDQ7", at.Add(-time.Second), at.Add(1))) != 2 {
		t.Error("MountsAt does not respect the dates")
	}
}

func TestParse_SaysLineAndMend(t *testing.T) {
	if _, err := farm.Parse("farm.yaml", []byte(smallest)); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ old, new, want string }{
		"unknown key":         {"    zone: z\n", "    zone: z\n    colour: red\n", `[11:5] unknown field "colour"`},
		"duplicate key":       {"    kind: pond\n", "    kind: pond\n    kind: plot\n", `[9:5] mapping key "kind" already defined at [8:5]`},
		"no YAML":             {"coop:", "coop: [", "farm.yaml: ["},
		"bad check character": {"F7NE3CDQ7", "F7NE3CDQ8", "farm.yaml:6: places[0].code: farm: code \"F7NE3CDQ8\": the check character does not match"},
		"bad kind":            {"kind: pond", "kind: lake", `farm.yaml:8: places[0].kind: "lake" is no kind of place: use one of [pond plot shed]`},
		"unknown zone":        {"zone: z", "zone: x", `farm.yaml:10: places[0].zone: no zone "x"`},
		"unknown profile":     {"limits: p", "limits: q", `farm.yaml:12: places[0].limits: no profile "q"`},
		"one language":        {"{ vi: Ao 1, en: Pond 1 }", "{ vi: Ao 1 }", "farm.yaml:9: places[0].title: want a text in both languages"},
		"unknown place":       {"sensor: t, place: ao1, measures: [ph], u", "sensor: t, place: ao9, measures: [ph], u", `farm.yaml:14: mounts[0].place: no place "ao9"`},
		"unknown quantity":    {"measures: [ph], from", "measures: [ph, love], from", `farm.yaml:15: mounts[1].measures[1]: unknown quantity "love"`},
		"quantity twice":      {"measures: [ph], from", "measures: [ph, ph], from", `farm.yaml:15: mounts[1].measures[1]: ph is there twice`},
		"bad date":            {`until: "2026-01-01"`, `until: "01/02/2026"`, `farm.yaml:14: mounts[0].until: "01/02/2026" is no date`},
		"two places at once":  {`, from: "2026-01-01"`, ``, "farm.yaml:15: mounts[1]: t of gw-1 hangs somewhere else at the same time"},
		"bad gateway":         {"gateway: gw-1, sensor: t, place: ao1, measures: [ph], u", "gateway: GW, sensor: t, place: ao1, measures: [ph], u", `farm.yaml:14: mounts[0].gateway: "GW"`},
		"limit both ways":     {"below: 6.5", "below: 6.5, above: 9", "farm.yaml:17: limits[0]: want exactly one of below and above"},
		"impossible limit":    {"below: 6.5", "below: 65", "farm.yaml:17: limits[0]: 65 is outside the physical limits of ph"},
		"no such level":       {"level: warn", "level: bad", `farm.yaml:17: limits[0].level: "bad" is no level`},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(smallest, tc.old) {
				t.Fatalf("the case does not match the file")
			}
			_, err := farm.Parse("farm.yaml", []byte(strings.Replace(smallest, tc.old, tc.new, 1)))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestParse_TakesAByteOrderMarkAndOneDocument(t *testing.T) {
	if _, err := farm.Parse("farm.yaml", []byte("\ufeff# a comment\n---\n"+smallest)); err != nil {
		t.Error(err)
	}
	_, err := farm.Parse("farm.yaml", []byte(smallest+"---\nplaces: []\n"))
	if err == nil || !strings.Contains(err.Error(), "farm.yaml:19: a second document: keep one") {
		t.Errorf("two documents: %v", err)
	}
}

func TestParse_FindsDuplicates(t *testing.T) {
	again := smallest[strings.Index(smallest, "  - code"):strings.Index(smallest, "mounts:")]
	_, err := farm.Parse("farm.yaml", []byte(strings.Replace(smallest, "mounts:", again+"mounts:", 1)))
	for _, want := range []string{"farm.yaml:13: places[1].code: F7NE3CDQ7 is the code of another place", `farm.yaml:14: places[1].name: "ao1" is the name of another`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v\nwant %s", err, want)
		}
	}
}

func TestParse_TwiceGivesTheSame(t *testing.T) {
	a, err := farm.Parse("a", []byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	b, err := farm.Parse("a", []byte(smallest))
	if err != nil || cmp.Diff(a, b) != "" {
		t.Errorf("%v\n%s", err, cmp.Diff(a, b))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(smallest))
	f.Add([]byte("coop: {name: &a {vi: x, en: y}}\nplaces: *a"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if farm, err := farm.Parse("x", raw); (farm == nil) == (err == nil) {
			t.Fatal("want a farm or an error")
		}
	})
}
