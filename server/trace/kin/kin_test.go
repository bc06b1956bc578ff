package kin_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"aovuon/server/trace"
	"aovuon/server/trace/kin"
)

// drawn is a store of edges in memory.
type drawn []kin.Edge

func (d drawn) Out(_ context.Context, from []trace.Ref) (out []kin.Edge, _ error) {
	for _, e := range d {
		if slices.Contains(from, e.From) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (d drawn) In(_ context.Context, to []trace.Ref) (out []kin.Edge, _ error) {
	for _, e := range d {
		if slices.Contains(to, e.To) {
			out = append(out, e)
		}
	}
	return out, nil
}

func ref(t *testing.T, s string) trace.Ref {
	t.Helper()
	r, err := trace.ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// day is a day of the season.
func day(n int) time.Time { return time.Date(2026, 6, n, 0, 0, 0, 0, time.UTC) }

// season: seed and two feed lots go into a season; a partial harvest before the second feed, another after it; the second is dried into a lot
// that is boxed and shipped, merged with the first into another.
func season(t *testing.T) drawn {
	t.Helper()
	edge := func(from, to string, n int) kin.Edge {
		e := kin.Edge{From: ref(t, from), To: ref(t, to), At: day(n), Source: from + to}
		if e.From.Kind == trace.RefLot || e.From.Kind == trace.RefBox {
			e.Kept, e.Count = e.At, 1
		}
		return e
	}
	return drawn{
		edge("supply:trai/G1", "season:s1", 1),
		edge("supply:cam/F1", "season:s1", 2),
		edge("season:s1", "lot:1/A", 10),
		edge("supply:cam/F2", "season:s1", 12),
		edge("season:s1", "lot:1/B", 20),
		edge("lot:1/B", "lot:2/DRY", 22),
		edge("lot:2/DRY", "box:b1", 23),
		edge("box:b1", "buyer:cho", 24),
		edge("lot:1/A", "buyer:bep", 11),
		edge("lot:1/A", "lot:1/MIX", 25),
		edge("lot:1/B", "lot:1/MIX", 25),
		edge("lot:1/MIX", "buyer:sieuthi", 26),
	}
}

func names(tree kin.Tree) (out []string) {
	for _, n := range tree.Nodes {
		out = append(out, n.Ref.String())
	}
	return out
}

func TestTrace_FollowsGoodsWithTheirTime(t *testing.T) {
	for _, c := range []struct {
		name, of string
		d        kin.Direction
		want     []string
	}{
		{"feed before both harvests is in both", "supply:cam/F1", kin.Down, []string{
			"supply:cam/F1", "season:s1", "lot:1/A", "lot:1/B", "buyer:bep", "lot:1/MIX", "lot:2/DRY", "box:b1", "buyer:sieuthi", "buyer:cho",
		}},
		{"feed after the first harvest is not in it, but in what was merged with the second", "supply:cam/F2", kin.Down, []string{
			"supply:cam/F2", "season:s1", "lot:1/B", "lot:1/MIX", "lot:2/DRY", "box:b1", "buyer:sieuthi", "buyer:cho",
		}},
		{"the first harvest was fed only what came before it", "lot:1/A", kin.Up, []string{"lot:1/A", "season:s1", "supply:cam/F1", "supply:trai/G1"}},
		{"what was merged holds all of it", "lot:1/MIX", kin.Up, []string{"lot:1/MIX", "lot:1/A", "lot:1/B", "season:s1", "supply:cam/F1", "supply:cam/F2", "supply:trai/G1"}},
		{"a buyer's delivery leads back to the seed", "buyer:cho", kin.Up, []string{"buyer:cho", "box:b1", "lot:2/DRY", "lot:1/B", "season:s1", "supply:cam/F1", "supply:cam/F2", "supply:trai/G1"}},
	} {
		tree, err := kin.Trace(t.Context(), season(t), kin.From(ref(t, c.of)), c.d)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(tree); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// A place in a period begins at a time: what was harvested before is not meant.
func TestTrace_BeginsAtATime(t *testing.T) {
	tree, err := kin.Trace(t.Context(), season(t), []kin.Start{{Ref: ref(t, "season:s1"), Since: day(15)}}, kin.Down)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(tree); slices.Contains(got, "lot:1/A") || !slices.Contains(got, "lot:1/B") {
		t.Errorf("%q", got)
	}
}

// Where a second way into a season came earlier, what was harvested between the two is found, too.
func TestTrace_AnEarlierUseWidensTheTime(t *testing.T) {
	d := append(season(t), kin.Edge{From: ref(t, "supply:cam/F2"), To: ref(t, "season:s1"), At: day(3), Source: "late"})
	tree, err := kin.Trace(t.Context(), d, kin.From(ref(t, "supply:cam/F2")), kin.Down)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(tree); !slices.Contains(got, "lot:1/A") {
		t.Errorf("%q", got)
	}
}

func TestTrace_EndsInACircle(t *testing.T) {
	d := drawn{{From: ref(t, "lot:1/A"), To: ref(t, "lot:1/B"), At: day(1)}, {From: ref(t, "lot:1/B"), To: ref(t, "lot:1/A"), At: day(2)}}
	tree, err := kin.Trace(t.Context(), d, kin.From(ref(t, "lot:1/A")), kin.Down)
	if err != nil || len(tree.Nodes) != 2 || len(tree.Edges) != 2 {
		t.Errorf("%v %v", tree, err)
	}
}

func TestDeliveries_TellWhatCameBack(t *testing.T) {
	d := drawn{
		{From: ref(t, "lot:1/A"), To: ref(t, "buyer:cho"), At: day(1), KG: 50, Document: "PX-1"},
		{From: ref(t, "lot:1/A"), To: ref(t, "buyer:cho"), At: day(3), KG: 20, Back: true},
	}
	tree, err := kin.Trace(t.Context(), d, kin.From(ref(t, "lot:1/A")), kin.Down)
	if err != nil {
		t.Fatal(err)
	}
	got := tree.Deliveries()
	if len(got) != 2 || got[0].KG != 50 || got[0].Back || got[0].Document != "PX-1" || got[1].KG != 20 || !got[1].Back {
		t.Errorf("%+v", got)
	}
}

// What was taken out of a box before it left is not in the delivery; what was in it when it left is, also in a box in it.
func TestTrace_KnowsWhatWasInABoxWhenItLeft(t *testing.T) {
	move := func(from, to string, n, count int, back bool) kin.Edge {
		return kin.Edge{From: ref(t, from), To: ref(t, to), At: day(n), Kept: day(n), Count: count, Back: back, Source: from + to + day(n).String()}
	}
	d := drawn{
		move("lot:1/A", "box:small", 1, 10, false),
		move("lot:1/B", "box:small", 2, 5, false),
		move("lot:1/A", "box:small", 3, 10, true),
		move("box:small", "box:big", 4, 0, false),
		move("lot:1/C", "box:big", 4, 1, false),
		move("box:big", "buyer:cho", 5, 0, false),
		move("box:big", "buyer:cho", 7, 0, true),
		move("box:small", "box:big", 8, 0, true),
		move("lot:1/A", "box:small", 9, 2, false),
		move("box:small", "buyer:bep", 10, 0, false),
		move("box:big", "buyer:sieuthi", 11, 0, false),
	}
	for _, c := range []struct {
		of   string
		d    kin.Direction
		want []string
	}{
		{"lot:1/A", kin.Down, []string{"lot:1/A", "box:small", "buyer:bep"}},
		{"lot:1/B", kin.Down, []string{"lot:1/B", "box:small", "box:big", "buyer:bep", "buyer:cho"}},
		{"lot:1/C", kin.Down, []string{"lot:1/C", "box:big", "buyer:cho", "buyer:sieuthi"}},
		{"buyer:cho", kin.Up, []string{"buyer:cho", "box:big", "box:small", "lot:1/C", "lot:1/B"}},
		{"buyer:sieuthi", kin.Up, []string{"buyer:sieuthi", "box:big", "lot:1/C"}},
		{"box:small", kin.Up, []string{"box:small", "lot:1/A", "lot:1/B"}},
		{"box:big", kin.Up, []string{"box:big", "lot:1/C"}},
	} {
		tree, err := kin.Trace(t.Context(), d, kin.From(ref(t, c.of)), c.d)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(tree); !slices.Equal(got, c.want) {
			t.Errorf("%s %d:\n got %q\nwant %q", c.of, c.d, got, c.want)
		}
	}
}

// A delivery of a box says how much was in it of what was asked about, of boxes in it, too, and nothing of what was taken out before.
func TestDeliveries_SayWhatWasInABox(t *testing.T) {
	move := func(from, to string, n, count int, kg float64, back bool) kin.Edge {
		return kin.Edge{From: ref(t, from), To: ref(t, to), At: day(n), Kept: day(n), Count: count, KG: kg, Back: back, Source: from + to + day(n).String()}
	}
	tree, err := kin.Trace(t.Context(), drawn{
		move("lot:1/A", "box:small", 1, 10, 0, false),
		move("lot:1/A", "box:small", 2, 4, 0, true),
		move("lot:1/A", "box:big", 2, 0, 2.5, false),
		move("box:small", "box:big", 3, 0, 0, false),
		move("box:big", "buyer:cho", 4, 0, 0, false),
		move("lot:1/A", "box:big", 5, 99, 0, false),
	}, kin.From(ref(t, "lot:1/A")), kin.Down)
	if err != nil {
		t.Fatal(err)
	}
	got := tree.Deliveries()
	if want := []kin.Content{{Lot: ref(t, "lot:1/A"), KG: 2.5, Count: 6}}; len(got) != 1 || !slices.Equal(got[0].Holds, want) {
		t.Errorf("%+v", got)
	}
}
