package outbreak_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/privacy"
	"aovuon/server/watch/outbreak"
	"aovuon/server/watch/rule"
)

// field is a made-up farm: places 100 m apart in a row, by their codes.
type field struct {
	t      *testing.T
	farm   *farm.Farm
	events []diary.Event
	fails  error
}

func day(d, hour int) time.Time { return time.Date(2026, 11, d, hour, 0, 0, 0, farm.Time()) }

// newField puts places at metres east of a corner.
func newField(t *testing.T, kind farm.Kind, east ...float64) *field {
	t.Helper()
	f := &field{t: t, farm: &farm.Farm{}}
	for i, m := range east {
		f.place(fmt.Sprintf("P%d", i), kind, m)
	}
	return f
}

func (f *field) place(code string, kind farm.Kind, east float64) {
	f.t.Helper()
	const perDegree = 111_194.9 // m, of the equator's sphere; close enough for hundreds of metres
	var o farm.Outline
	for _, c := range [][2]float64{{0, 0}, {0, 40}, {40, 40}, {40, 0}} {
		p, err := privacy.NewPoint(0.01+c[0]/perDegree, 106+(east+c[1])/perDegree)
		if err != nil {
			f.t.Fatal(err)
		}
		o = append(o, p)
	}
	f.farm.Places = append(f.farm.Places, farm.Place{Code: code, Kind: kind, Zone: "z", Outline: o})
}

func (f *field) wrote(kind, place string, when time.Time, v form.Values) {
	f.events = append(f.events, diary.Event{ID: fmt.Sprintf("%026d", len(f.events)+1), Kind: kind, Place: place, Values: v, Occurred: when, Recorded: when, Synced: when})
}

func (f *field) Farm(context.Context) (*farm.Farm, error) { return f.farm, f.fails }

func (f *field) Events(_ context.Context, q diary.Query) ([]diary.Event, error) {
	var out []diary.Event
	for _, e := range f.events {
		if slices.Contains(q.Kinds, e.Kind) && !e.At().Before(q.From) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (f *field) clusters(today int) []outbreak.Cluster {
	return outbreak.Defaults().Clusters(f.farm, outbreak.Cases(diary.Entries(f.events), farm.Time()), day(today, 0))
}

func TestCases(t *testing.T) {
	f := newField(t, farm.Pond, 0)
	for _, e := range []struct {
		kind string
		v    form.Values
		want string // subject; "": no case
	}{
		{"scouting", form.Values{"pest": "Rầy  Nâu", "affected_pct": 3.0}, "ray nau"},
		{"scouting", form.Values{"pest": "Đạo ôn"}, "dao on"},
		{"scouting", form.Values{"pest": "rầy nâu", "affected_pct": 0.0}, ""},
		{"scouting", form.Values{"pest": "mốc sương", "affected_pct": 0.0, "blight_score": 2.0}, "moc suong"},
		{"scouting", form.Values{"pest": " !", "affected_pct": 9.0}, ""},
		{"mortality", form.Values{"count": 5.0}, "fish"},
		{"mortality", form.Values{"count": 4.0}, ""},
		{"health", form.Values{"signs": "lờ đờ"}, "fish"},
		{"health", form.Values{"signs": "lờ đờ", "affected_pct": 0.0}, ""},
		{"feed", form.Values{"pest": "x"}, ""},
	} {
		f.events = nil
		f.wrote(e.kind, "P0", day(3, 8), e.v)
		got := outbreak.Cases(diary.Entries(f.events), farm.Time())
		if len(got) != min(1, len(e.want)) || len(got) == 1 && got[0].Subject != e.want {
			t.Errorf("%s %v: %+v, want %q", e.kind, e.v, got, e.want)
		}
	}
	f.events = nil
	f.wrote("mortality", "P0", day(3, 8), form.Values{"count": 50.0})
	f.wrote("mortality", "P0", day(3, 9), form.Values{"count": 4.0})
	f.events[1].Corrects = f.events[0].ID
	if got := outbreak.Cases(diary.Entries(f.events), farm.Time()); len(got) != 0 {
		t.Errorf("corrected: %+v", got)
	}
	f.wrote(diary.Void, "P0", day(3, 10), form.Values{"reason": "x"})
	f.events[1].Values["count"], f.events[2].Corrects = 40.0, f.events[1].ID
	if got := outbreak.Cases(diary.Entries(f.events), farm.Time()); len(got) != 0 {
		t.Errorf("voided: %+v", got)
	}
	late := day(4, 0).Add(-time.Minute) // 23:59 there, 16:59 in UTC
	f.events = nil
	f.wrote("health", "P0", late.UTC(), form.Values{"signs": "x"})
	if got := outbreak.Cases(diary.Entries(f.events), farm.Time()); !got[0].Day.Equal(day(3, 0)) {
		t.Errorf("day %s", got[0].Day)
	}
}

// Three places, each within 500 m of the next, within ten days: at the edge of each, and just beyond.
func TestClusters_Edges(t *testing.T) {
	for _, tt := range []struct {
		name string
		east []float64 // metres; a place is 40 m wide
		days []int
		want int // clusters on the 20th
	}{
		{"side by side", []float64{0, 100, 200}, []int{18, 19, 20}, 1},
		{"two are not enough", []float64{0, 100}, []int{19, 20}, 0},
		{"a chain", []float64{0, 530, 1060}, []int{18, 19, 20}, 1},
		{"a gap of 499 m", []float64{0, 539, 100}, []int{18, 19, 20}, 1},
		{"a gap of 501 m", []float64{0, 40, 581.5}, []int{18, 19, 20}, 0},
		{"the tenth day", []float64{0, 100, 200}, []int{11, 19, 20}, 1},
		{"the eleventh day", []float64{0, 100, 200}, []int{10, 19, 20}, 0},
		{"two groups", []float64{0, 100, 200, 2000, 2100, 2200}, []int{18, 19, 20, 18, 19, 20}, 2},
		{"tomorrow's", []float64{0, 100, 200}, []int{19, 20, 21}, 0},
	} {
		f := newField(t, farm.Pond, tt.east...)
		for i, d := range tt.days {
			f.wrote("health", fmt.Sprintf("P%d", i), day(d, 8), form.Values{"signs": "x"})
		}
		if got := f.clusters(20); len(got) != tt.want {
			t.Errorf("%s: %d clusters, want %d: %+v", tt.name, len(got), tt.want, got)
		}
	}
}

// Different pests make no cluster, one written in different ways does; the same place twice counts once.
func TestClusters_TheSameThing(t *testing.T) {
	f := newField(t, farm.Plot, 0, 100, 200)
	f.wrote("scouting", "P0", day(18, 8), form.Values{"pest": "Rầy nâu", "affected_pct": 2.0})
	f.wrote("scouting", "P1", day(19, 8), form.Values{"pest": "sâu cuốn lá", "affected_pct": 2.0})
	f.wrote("scouting", "P2", day(20, 8), form.Values{"pest": "ray nau", "affected_pct": 2.0})
	f.wrote("scouting", "P2", day(20, 9), form.Values{"pest": "rầy  nâu", "affected_pct": 4.0})
	if got := f.clusters(20); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	f.wrote("scouting", "P1", day(17, 8), form.Values{"pest": "RẦY NÂU", "affected_pct": 1.0})
	got := f.clusters(20)
	if len(got) != 1 || !slices.Equal(got[0].Places, []string{"P0", "P1", "P2"}) || got[0].Name != "rầy  nâu" || !got[0].First.Equal(day(17, 0)) || !got[0].Last.Equal(day(20, 0)) ||
		len(got[0].Cases) != 3 || got[0].Cases[2].Share != 4 || got[0].Guessed {
		t.Errorf("%+v", got)
	}
}

// A place without an outline is near those of its zone, and the cluster says that this was guessed.
func TestClusters_WithoutOutline(t *testing.T) {
	f := newField(t, farm.Pond, 0, 100, 5000)
	f.farm.Places[2].Outline = nil
	for i := range 3 {
		f.wrote("health", fmt.Sprintf("P%d", i), day(19, 8), form.Values{"signs": "x"})
	}
	if got := f.clusters(20); len(got) != 1 || !got[0].Guessed {
		t.Errorf("%+v", got)
	}
	f.farm.Places[2].Zone = "elsewhere"
	if got := f.clusters(20); len(got) != 0 {
		t.Errorf("another zone: %+v", got)
	}
}

// A plot in two clusters is told of both, and what to do once.
func TestWatch_TwoClustersAskForTheSameOnce(t *testing.T) {
	f := newField(t, farm.Plot, 0, 100, 200)
	for _, p := range []string{"P0", "P1", "P2"} {
		f.wrote("scouting", p, day(19, 7), form.Values{"pest": "rầy nâu", "affected_pct": 2.0})
		f.wrote("scouting", p, day(19, 7), form.Values{"pest": "sâu xám", "affected_pct": 3.0})
	}
	w := outbreak.New(f, outbreak.Defaults())
	for range 8 { // whatever the order of a map
		list, err := w.Decide(t.Context(), day(20, 9))
		if err != nil || len(list) != 3 {
			t.Fatalf("%+v, %v", list, err)
		}
		d := list[0]
		if len(d.Why) != 4 || d.Why[2].Args[1].Name.VI != "rầy nâu" || d.Why[3].Args[1].Name.VI != "sâu xám" {
			t.Fatalf("why: %+v", d.Why)
		}
		if len(d.Do) != 2 || d.Do[0].Key != "outbreak_crop" || d.Do[1].Key != "outbreak_call" {
			t.Fatalf("do: %+v", d.Do)
		}
	}
}

func TestWatch_Decides(t *testing.T) {
	f := newField(t, farm.Pond, 0, 100, 200, 300, 9000)
	f.place("R0", farm.Plot, 250)
	f.place("S0", farm.Shed, 260)
	f.wrote("mortality", "P0", day(18, 8), form.Values{"count": 12.0})
	f.wrote("health", "P1", day(19, 8), form.Values{"signs": "lồi mắt"})
	f.wrote("mortality", "P2", day(20, 6), form.Values{"count": 7.0})
	f.wrote("scouting", "R0", day(19, 7), form.Values{"pest": "rầy nâu", "affected_pct": 2.5})
	w := outbreak.New(f, outbreak.Defaults())
	list, err := w.Decide(t.Context(), day(20, 9))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range list {
		text := string(d.Verdict)
		for _, r := range d.Why {
			text += " " + r.Key
		}
		for _, r := range d.Do {
			text += " " + r.Key
		}
		got[d.Place] = text
		if d.Rule != w.ID() || d.Topic != outbreak.Topic || !d.Until.After(d.At) || d.Source.VI == "" {
			t.Errorf("%+v", d)
		}
	}
	want := map[string]string{
		"P0": "warn outbreak_cluster outbreak_dead outbreak_fish outbreak_call", "P1": "warn outbreak_cluster outbreak_sick outbreak_fish outbreak_call",
		"P2": "warn outbreak_cluster outbreak_dead outbreak_fish outbreak_call", "P3": "notice outbreak_beside outbreak_look", "P4": "calm outbreak_none",
		"R0": "notice outbreak_share",
	}
	for place, text := range want {
		if got[place] != text {
			t.Errorf("%s: %q, want %q", place, got[place], text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	// Before the third report there is no cluster; ten days later nothing is left of it.
	for _, at := range []time.Time{day(20, 5), day(30, 9)} {
		list, err := w.Decide(t.Context(), at)
		if err != nil || slices.ContainsFunc(list, func(d rule.Decision) bool { return d.Verdict == rule.Warn }) {
			t.Errorf("%s: %+v, %v", at, list, err)
		}
	}
	f.fails = errors.New("the disk is gone")
	if _, err := w.Decide(t.Context(), day(20, 9)); !errors.Is(err, f.fails) {
		t.Error(err)
	}
}
