package printjob_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aovuon/server/label"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/printjob"
)

// A run of serials is printed once, in parts, and not beyond.
func TestRun_IsPrintedOnce(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack("", 50)
		if bad := r.refused(lan, printjob.Order{Run: run, Paper: sheet()}, printjob.BadState); bad[0].State != string(trace.Harvested) || bad[0].Ref != r.lot {
			r.Errorf("refused with %+v", bad)
		}
		r.release()
		r.refused(nga, printjob.Order{Run: run, Paper: sheet()}, printjob.NoRight)
		r.refused(lan, printjob.Order{Run: "01JDXXXXXXXXXXXXXXXXXXXXXX", Paper: sheet()}, printjob.NoRun)

		first := r.print(printjob.Order{Run: run, Count: 21, Paper: sheet()})
		items, err := r.db.Items(r.Context(), run)
		if err != nil {
			r.Fatal(err)
		}
		if len(first.Marks) != 21 || first.Marks[20].N != 21 || first.Marks[20].ID != items[20].Serial || first.Actor != "u-lan" {
			r.Errorf("first print: %+v", first)
		}
		bad := r.refused(lan, printjob.Order{Run: run, Count: 30, Paper: sheet()}, printjob.TooMany)
		var said []string
		for _, l := range bad {
			said = append(said, string(l.Kind)+"="+strconv.Itoa(l.Count))
		}
		if got := strings.Join(said, " "); got != "thing=0 packed=50 done=21 left=29 asked=30" {
			r.Errorf("the arithmetic is %s", got)
		}
		if second := r.print(printjob.Order{Run: run, Paper: sheet()}); len(second.Marks) != 29 || second.Marks[0].N != 22 {
			r.Errorf("the rest: %+v", second.Marks)
		}
		r.refused(lan, printjob.Order{Run: run, Paper: sheet()}, printjob.TooMany)
		if got := r.run(run); got.Done != 50 || len(got.Left) != 0 || got.Packed != 50 {
			r.Errorf("%+v", got)
		}
	})
}

// Labels of packs without serials are as many as the packs.
func TestRun_PlainLabelsAreAsManyAsPacks(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack(trace.StepPlain, 40)
		r.release()
		j := r.print(printjob.Order{Run: run, Count: 39, Paper: printjob.Paper{W: 50, H: 30, DPI: 203, Language: label.ZPL}})
		if j.Marks[0] != (printjob.Mark{N: 1}) || !j.Paper.Roll() {
			r.Errorf("%+v", j)
		}
		r.refused(lan, printjob.Order{Run: run, Count: 2, Paper: sheet()}, printjob.TooMany)
		r.print(printjob.Order{Run: run, Count: 1, Paper: sheet()})
	})
}

// An order that comes twice is one print.
func TestTake_TheSameOrderTwiceIsOnePrint(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack("", 10)
		r.release()
		o := printjob.Order{ID: "01KAWM0000000000000000000A", Run: run, Count: 5, Paper: sheet()}
		a, b := r.print(o), r.print(o)
		if a.ID != b.ID || len(b.Marks) != 5 || r.run(run).Done != 5 {
			r.Errorf("%+v and %+v", a, b)
		}
	})
}

// What was held, recalled, shipped or destroyed has no label, and none again.
func TestAgain_OnlyOfWhatMayBeSoldAndIsThere(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack("", 12)
		r.release()
		j := r.print(printjob.Order{Run: run, Count: 10, Paper: sheet()})
		again := printjob.Order{Again: j.ID, Slots: []int{9, 3, 3}, Why: printjob.Jammed, Paper: sheet()}
		second := r.print(again)
		if len(second.Marks) != 2 || second.Marks[0] != j.Marks[2] || second.Marks[1] != j.Marks[8] || second.Again != j.ID || r.run(run).Done != 10 {
			r.Errorf("again: %+v", second)
		}
		third := r.print(printjob.Order{Again: second.ID, Slots: []int{2}, Why: printjob.Lost, Paper: sheet()})
		if third.Again != j.ID || third.Marks[0].N != 9 {
			r.Errorf("again of again: %+v", third)
		}
		d, ok, err := r.desk.Job(r.Context(), j.ID)
		if err != nil || !ok || len(d.Reprints) != 2 || d.Marks[0].ID != j.Marks[0].ID {
			r.Errorf("%+v %v %v", d, ok, err)
		}
		for code, o := range map[printjob.Code]printjob.Order{
			printjob.NoReason: {Again: j.ID, Slots: []int{1}, Why: "because", Paper: sheet()},
			printjob.BadLabel: {Again: j.ID, Slots: []int{11}, Why: printjob.Lost, Paper: sheet()},
			printjob.BadCount: {Again: j.ID, Why: printjob.Lost, Paper: sheet()},
			printjob.NoJob:    {Again: "01KAWM0000000000000000000Z", Slots: []int{1}, Why: printjob.Lost, Paper: sheet()},
		} {
			r.refused(lan, o, code)
		}

		r.move(lan, trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: r.lot, Items: []string{j.Marks[2].ID}}}, Buyer: "bep"})
		r.refused(lan, again, printjob.Gone)
		r.move(lan, trace.Goods{Kind: trace.Destroy, In: []trace.Part{{Ref: r.lot, Items: []string{j.Marks[3].ID}}}, Reason: "rách"})
		r.refused(lan, printjob.Order{Again: j.ID, Slots: []int{4}, Why: printjob.Damaged, Paper: sheet()}, printjob.Gone)
		if got := r.run(run); got.Void != 1 || got.Gone != 0 || !slices.Equal(got.Left, []int{11, 12}) {
			r.Errorf("%+v", got)
		}
		r.move(lan, trace.Goods{Kind: trace.Hold, In: []trace.Part{{Ref: r.lot}}, Reason: "nghi ngờ"})
		r.refused(lan, printjob.Order{Run: run, Paper: sheet()}, printjob.BadState)
		r.refused(lan, printjob.Order{Again: j.ID, Slots: []int{1}, Why: printjob.Lost, Paper: sheet()}, printjob.BadState)
	})
}

// A packing that was taken back has no labels.
func TestRun_TakenBackHasNoLabels(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack("", 12)
		r.release()
		r.move(lan, trace.Goods{Kind: trace.Amend, Voids: run, Reason: "ghi nhầm"})
		r.refused(lan, printjob.Order{Run: run, Paper: sheet()}, printjob.NoRun)
	})
}

// A lot of which more left than came in has no labels, whatever was packed before.
func TestRun_OfALotThatIsOverdrawnHasNoLabels(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack("", 150)
		r.release()
		l, _ := r.lot.Link()
		now, err := r.db.DiaryLot(r.Context(), l)
		if err != nil {
			r.Fatal(err)
		}
		now.Lot.KG = 60 // the harvest was put right
		if err := r.db.SaveLot(r.Context(), now.Lot, ledger.By{Actor: ledger.Operator, At: r.now}); err != nil {
			r.Fatal(err)
		}
		bad := r.refused(lan, printjob.Order{Run: run, Paper: sheet()}, printjob.OverMass)
		if bad[1].KG != 60 || bad[2].KG != 75 {
			r.Errorf("%+v", bad)
		}
	})
}

func TestBoxes_HaveOneLabelEach(t *testing.T) {
	each(t, func(r *rig) {
		r.pack("", 12)
		box := r.move(lan, trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: r.lot, Count: 6}}}).Out[0].Ref.ID
		loose := r.move(lan, trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: r.lot, KG: 20}}}).Out[0].Ref.ID
		both := printjob.Order{Boxes: []string{box, loose, box}, Paper: sheet()}
		r.refused(lan, both, printjob.BadState)
		r.release()
		r.refused(lan, printjob.Order{Boxes: []string{"004000000000000992"}, Paper: sheet()}, printjob.NoBox)
		j := r.print(both)
		if len(j.Marks) != 2 || j.Marks[0].ID != box || j.Run != "" {
			r.Errorf("%+v", j)
		}
		r.refused(lan, printjob.Order{Boxes: []string{loose}, Paper: sheet()}, printjob.Printed)
		r.print(printjob.Order{Again: j.ID, Slots: []int{2}, Why: printjob.Unreadable, Paper: sheet()})
		d, _, err := r.desk.Job(r.Context(), j.ID)
		if err != nil || len(d.Boxes) != 2 || len(d.Boxes[0].Items) != 6 || d.Boxes[1].Parts[0].KG != 20 || len(d.Reprints) != 1 {
			r.Errorf("%+v %v", d, err)
		}
		r.move(lan, trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: trace.Ref{Kind: trace.RefBox, ID: box}}}, Buyer: "bep"})
		r.refused(lan, printjob.Order{Again: j.ID, Slots: []int{1}, Why: printjob.Lost, Paper: sheet()}, printjob.BadBox)
	})
}

// A paper that is no paper is refused before anything is kept.
func TestTake_RefusesPaper(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack("", 12)
		r.release()
		for _, p := range []printjob.Paper{{Sheet: "L9999", Start: 1}, {Sheet: "L7160", Start: 22}, {Sheet: "L7160", Start: 1, X: 99}} {
			_, err := r.desk.Take(r.Context(), lan, printjob.Order{Run: run, Paper: p})
			if _, ok := errors.AsType[*label.RefusedError](err); !ok {
				r.Errorf("%+v: %v", p, err)
			}
		}
		if r.run(run).Done != 0 {
			r.Error("something was kept")
		}
	})
}

// Every print is told by the ledger, without a serial, and the rows say the same.
func TestTake_IsInTheLedger(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack("", 12)
		r.release()
		j := r.print(printjob.Order{Run: run, Count: 5, Paper: sheet()})
		r.print(printjob.Order{Again: j.ID, Slots: []int{1, 2, 5}, Why: printjob.Jammed, Paper: sheet()})
		rows, err := r.db.LedgerRows(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		var got []printjob.Said
		for _, row := range rows {
			if row.Kind != ledger.LabelsPrinted {
				continue
			}
			var s printjob.Said
			if err := json.Unmarshal(row.Body, &s); err != nil {
				r.Fatal(err)
			}
			if strings.Contains(string(row.Body), j.Marks[0].ID) {
				r.Error("a serial is in the ledger")
			}
			got = append(got, s)
		}
		if len(got) != 2 || got[0].Labels != "1-5" || got[1].Labels != "1-2,5" || got[1].Again != j.ID || got[1].Reason != printjob.Jammed || got[0].Lot != "/01/"+fish+"/10/AO1-261124" {
			r.Errorf("the ledger tells %+v", got)
		}
		if !ledger.LabelsPrinted.Public() {
			r.Error("nobody is told")
		}
	})
}

func TestJobs_ComeNewestFirstInPages(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack("", 12)
		r.release()
		var ids []string
		for range 3 {
			ids = append(ids, r.print(printjob.Order{Run: run, Count: 2, Paper: sheet()}).ID)
		}
		slices.Reverse(ids)
		page, err := r.desk.Jobs(r.Context(), "", 2)
		if err != nil || len(page) != 2 || page[0].ID != ids[0] || page[1].ID != ids[1] {
			r.Fatalf("%+v %v", page, err)
		}
		if page, err = r.desk.Jobs(r.Context(), page[1].ID, 2); err != nil || len(page) != 1 || page[0].ID != ids[2] {
			r.Errorf("%+v %v", page, err)
		}
	})
}

func TestRanges_ReadWhatTheyWrite(t *testing.T) {
	for want, list := range map[string][]int{"": nil, "1": {1}, "1-3": {1, 2, 3}, "1-2,5,7-8": {1, 2, 5, 7, 8}} {
		if got := printjob.Ranges(list); got != want {
			t.Errorf("%v: %s, want %s", list, got, want)
		}
		if want == "" {
			continue
		}
		if got, err := printjob.ParseRanges(want, 8); err != nil || !slices.Equal(got, list) {
			t.Errorf("%s: %v %v", want, got, err)
		}
	}
	if got, err := printjob.ParseRanges(" 3, 7–9;8\n2 ", 9); err != nil || printjob.Ranges(got) != "2-3,7-9" {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"", "0", "10", "3-2", "a", "1-", "-1", "1-99999999999999999999"} {
		if got, err := printjob.ParseRanges(bad, 9); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}

// What is read is within bounds, and reads back as itself.
func FuzzParseRanges(f *testing.F) {
	for _, s := range []string{"3, 7-9", "1-1000000", "1–2;4", "9-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := printjob.ParseRanges(s, 10_000)
		if err != nil {
			return
		}
		if list[0] < 1 || list[len(list)-1] > 10_000 || !slices.IsSorted(list) {
			t.Fatalf("%q: %v", s, list)
		}
		if again, err := printjob.ParseRanges(printjob.Ranges(list), 10_000); err != nil || !slices.Equal(again, list) {
			t.Errorf("%q: %v reads back as %v, %v", s, list, again, err)
		}
	})
}
