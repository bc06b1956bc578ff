package field_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

const actField = `
seed: 3
begin: 2026-01-01
places:
  - { id: ao1, kind: pond, area: 1500, depth: 1.4, species: carp, stock: 900, care: none }
  - { id: khoai1, kind: plot, soil: loam, layers: [{ thickness: 0.3, soil: silt-loam }, { thickness: 0.4, soil: { field_capacity: 0.3, wilting_point: 0.2, saturation: 0.5 } }] }
  - { id: say1, kind: room, goods: herb }
buses:
  - { id: w1, w1: w1 }
devices:
  - { id: ao1-temp, kind: ds18b20, bus: w1, place: ao1 }
`

// clock stands still until it is set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func actRig(t *testing.T, o field.Options) (*field.Field, *clock) {
	t.Helper()
	cfg, err := field.Parse("field.yaml", []byte(actField), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{at: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	o.Now = c.now
	f, err := field.New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	return f, c
}

func TestAct_Words(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for line, want := range map[string]world.Action{
		"act feed ao1 12.5":                                  {Place: "ao1", Kind: world.Feed, Amount: 12.5},
		"act treat ao1 20 lime":                              {Place: "ao1", Kind: world.Treat, Amount: 20, What: "lime"},
		"act treat ao1 20 --what lime":                       {Place: "ao1", Kind: world.Treat, Amount: 20, What: "lime"},
		"act harvest ao1":                                    {Place: "ao1", Kind: world.Harvest},
		"act plant khoai1 rice by Trần Thị B":                {Place: "khoai1", Kind: world.Plant, What: "rice", By: "Trần Thị B"},
		"act irrigate khoai1 25 for 1.5":                     {Place: "khoai1", Kind: world.Irrigate, Amount: 25, For: 90 * time.Minute},
		"act rain 60 for 6h by story":                        {Kind: world.Rainfall, Amount: 60, For: 6 * time.Hour, By: "story"},
		"act rain - 60 --for 6h":                             {Kind: world.Rainfall, Amount: 60, For: 6 * time.Hour},
		"act calm for 3":                                     {Kind: world.Calm, For: 3 * time.Hour},
		"act load say1 80 herb at 2026-03-05T00:00:00+07:00": {At: now.Truncate(24 * time.Hour).Add(17 * time.Hour), Place: "say1", Kind: world.Load, Amount: 80, What: "herb"},
	} {
		f, _ := actRig(t, field.Options{})
		if _, err := f.Desk().Do(t.Context(), line); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if want.At.IsZero() {
			want.At = now
		}
		if diff := cmp.Diff([]world.Action{want}, f.World().Actions()); diff != "" {
			t.Errorf("%s:\n%s", line, diff)
		}
	}
	for line, want := range map[string]string{
		"act":                                    "want: act feed PLACE KG",
		"act feed":                               "the weather cannot have \"feed\"",
		"act feed ao9 3":                         "the world has ao1, khoai1, say1",
		"act feed ao1 much":                      "want more than 0",
		"act feed ao1 1 2":                       `"2": want KIND`,
		"act rain 60":                            "want it to last",
		"act rain 60 for":                        "for what?",
		"act rain 60 for soon":                   "want hours, or a duration",
		"act rain 60 for 1h at noon":             "want a time, such as",
		"act rain NaN for 1h":                    "want",
		"act feed ao1 1 at 2025-12-31T12:00:00Z": "begin in field.yaml",
		"act feed ao1 1 at 2100-01-01T00:00:00Z": "more than a year after the world's present time",
	} {
		f, _ := actRig(t, field.Options{})
		if _, err := f.Desk().Do(t.Context(), line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
		if n := len(f.World().Actions()); n != 0 {
			t.Errorf("%s: refused and done", line)
		}
	}
}

// What is done before a restart is in the world after it; a journal that cannot be written leaves the world as it is.
func TestAct_Journal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "actions.jsonl")
	j, _, err := world.OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	f, c := actRig(t, field.Options{Journal: j})
	for _, line := range []string{"act fill ao1 12 for 5h", "act overcast 1 for 40h by A B", "act feed ao1 9 at 2026-03-01T00:00:00Z"} {
		if _, err := f.Desk().Do(t.Context(), line); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	told, err := world.ReadJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := actRig(t, field.Options{Actions: told.Actions})
	if diff := cmp.Diff(f.World().Actions(), again.World().Actions()); diff != "" {
		t.Error(diff)
	}
	for h := range 60 {
		at := c.at.Add(time.Duration(h) * time.Hour)
		for _, q := range f.World().Quantities("ao1") {
			a, errA := f.World().Value("ao1", q, at)
			b, errB := again.World().Value("ao1", q, at)
			if a != b || errors.Join(errA, errB) != nil {
				t.Fatalf("%s at %s: %v and %v; %v %v", q, at, a, b, errA, errB)
			}
		}
	}
	lines, err := again.Desk().Do(t.Context(), "actions")
	if err != nil || len(lines) != 3 || !strings.Contains(lines[0], `"feed"`) || !strings.Contains(lines[1], `"by":"A B"`) {
		t.Errorf("%q, %v", lines, err)
	}
	if _, err := f.Desk().Do(t.Context(), "act feed ao1 5"); err == nil || !strings.Contains(err.Error(), "nothing was done") || len(f.World().Actions()) != 3 {
		t.Errorf("with a closed journal: %v", err)
	}
}

func TestAct_BeforeTheBeginning(t *testing.T) {
	f, _ := actRig(t, field.Options{Actions: []world.Action{
		{At: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC), Place: "ao1", Kind: world.Feed, Amount: 4},
		{At: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), Place: "ao1", Kind: world.Feed, Amount: 5},
	}})
	if f.Early() != 1 || len(f.World().Actions()) != 1 {
		t.Errorf("%d early, %+v", f.Early(), f.World().Actions())
	}
	cfg, err := field.Parse("field.yaml", []byte(actField), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }
	_, err = field.New(cfg, field.Options{Now: now, Actions: []world.Action{{At: now(), Place: "ao9", Kind: world.Feed, Amount: 4}}})
	if err == nil || !strings.Contains(err.Error(), "line 1 of the journal") {
		t.Errorf("a place that is gone: %v", err)
	}
	if _, err = field.New(cfg, field.Options{Now: func() time.Time { return time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC) }}); err == nil || !strings.Contains(err.Error(), "want an earlier day") {
		t.Errorf("before the world: %v", err)
	}
}

func TestParse_Places(t *testing.T) {
	f, _ := actRig(t, field.Options{})
	p := f.World().Places()
	want := []world.Place{
		{ID: "ao1", Kind: world.Pond, Care: world.None, Probe: 0.5, Area: 1500, Depth: 1.4, Species: "carp", Density: 1, Stock: 900},
		{
			ID: "khoai1", Kind: world.Plot, Care: world.Usual, Crop: "potato", DryOut: 5, Season: "main", Probe: 0.15, Soil: world.Soils()["loam"],
			Layers: []world.Layer{{Thickness: 0.3, Soil: world.SiltLoam()}, {Thickness: 0.4, Soil: world.Soil{FieldCapacity: 0.3, WiltingPoint: 0.2, Saturation: 0.5}}},
		},
		{ID: "say1", Kind: world.Room, Care: world.Usual, Goods: "herb"},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(f.World().Quantities("say1"), measure.RelativeHumidity) {
		t.Error("a room without humidity")
	}
	for old, tc := range map[string]struct{ now, says string }{
		"soil: loam":        {"soil: lava", "want one of clay, loam"},
		"begin: 2026-01-01": {"begin: last year", "want a day, such as"},
		"care: none":        {"care: maybe", "want usual or none"},
		"goods: herb":       {"goods: herb, area: 30", "remove it"},
		"wilting_point":     {"wilting", "unknown field"},
	} {
		_, err := field.Parse("field.yaml", []byte(strings.Replace(actField, old, tc.now, 1)), "/x")
		if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), "field.yaml") {
			t.Errorf("%s: %v, want %q", tc.now, err, tc.says)
		}
	}
}

// A world that begins too long ago would be integrated for minutes, silently.
func TestNew_RefusesAWorldOfCenturies(t *testing.T) {
	cfg, err := field.Parse("field.yaml", []byte(strings.Replace(actField, "begin: 2026-01-01", "begin: 1066-01-01", 1)), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	if _, err := field.New(cfg, field.Options{Now: func() time.Time { return now }}); err == nil || !strings.Contains(err.Error(), "want a later day") {
		t.Errorf("%v, want a later day", err)
	}
}

// A fast world's actions carry its own time.
func TestAct_AtSpeed(t *testing.T) {
	cfg, err := field.Parse("field.yaml", []byte(actField), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Speed = 60
	begun := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	c := &clock{at: begun}
	f, err := field.New(cfg, field.Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	c.at = begun.Add(10 * time.Minute)
	if err := f.Act(world.Action{Place: "ao1", Kind: world.Feed, Amount: 3}); err != nil {
		t.Fatal(err)
	}
	if got := f.World().Actions()[0].At; !got.Equal(begun.Add(10 * time.Hour)) {
		t.Errorf("fed at %s", got)
	}
}
