package diary_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// noon is a day of November 2026 at the co-op.
func noon(day int) time.Time { return time.Date(2026, 11, day, 12, 0, 0, 0, farm.Time()) }

// wrote is an event of the n-th id.
func wrote(n int, kind string, at time.Time, v form.Values) diary.Event {
	return diary.Event{ID: fmt.Sprintf("01KAEZ%020d", n), Kind: kind, Place: "F7NE3CDQ7", Values: v, Occurred: at, Recorded: at, Synced: at}
}

func moves(kind string, n, day int, input string, amount float64, lot, expiry string) diary.Event {
	v := form.Values{diary.KeyInput: input, diary.KeyAmount: amount}
	if lot != "" {
		v[diary.KeyLot] = lot
	}
	if expiry != "" {
		v[diary.KeyExpiry] = expiry
	}
	return wrote(n, kind, noon(day).Add(time.Duration(n)*time.Second), v)
}

func inputs() []farm.Record {
	of := func(id, unit string) farm.Record {
		return farm.Record{Kind: farm.Input, ID: id, Values: form.Values{"name": id, "unit": unit}}
	}
	return []farm.Record{of("feed", "kg"), of("feed-t", "t"), of("lime", "bag"), of("drug", "ml")}
}

func TestStock_FollowsTheEntries(t *testing.T) {
	void := wrote(90, diary.Void, noon(9), form.Values{"reason": "nhầm"})
	void.Corrects = "01KAEZ" + fmt.Sprintf("%020d", 3)
	mend := moves(diary.Feeding, 91, 4, "feed", 30, "a1", "")
	mend.Corrects, mend.Synced = "01KAEZ"+fmt.Sprintf("%020d", 4), noon(10)
	for name, c := range map[string]struct {
		events []diary.Event
		want   []diary.Balance
		bad    []diary.StockProblem
	}{
		"in and out, whatever the capitals": {
			events: []diary.Event{moves(diary.Receipt, 1, 1, "feed", 100, "A1", "2027-01-31"), moves(diary.Feeding, 2, 2, "feed", 30, " a1", "")},
			want:   []diary.Balance{{Input: "feed", Lot: "A1", Expiry: "2027-01-31", Unit: "kg", Received: 100, Used: 30, Amount: 70, LastUse: id(2)}},
		},
		"a voided use counts for nothing, a corrected one as it stands": {
			events: []diary.Event{
				moves(diary.Receipt, 1, 1, "feed", 100, "A1", ""), moves(diary.Feeding, 3, 3, "feed", 50, "A1", ""), moves(diary.Feeding, 4, 4, "feed", 300, "A1", ""), void, mend,
			},
			want: []diary.Balance{{Input: "feed", Lot: "A1", Unit: "kg", Received: 100, Used: 30, Amount: 70, LastUse: id(4)}},
		},
		"more used than came in stays below nothing": {
			events: []diary.Event{moves(diary.Receipt, 1, 1, "drug", 500, "L", ""), moves(diary.Treatment, 2, 2, "drug", 800, "L", "")},
			want:   []diary.Balance{{Input: "drug", Lot: "L", Unit: "ml", Received: 500, Used: 800, Amount: -300, LastUse: id(2)}},
		},
		"kilograms of feed that is counted in tons": {
			events: []diary.Event{moves(diary.Receipt, 1, 1, "feed-t", 2, "L", ""), moves(diary.Feeding, 2, 2, "feed-t", 500, "L", "")},
			want:   []diary.Balance{{Input: "feed-t", Lot: "L", Unit: "t", Received: 2, Used: 0.5, Amount: 1.5, LastUse: id(2)}},
		},
		"kilograms of what is counted in bags are said, not guessed": {
			events: []diary.Event{moves(diary.Receipt, 1, 1, "lime", 10, "L", ""), moves(diary.Feeding, 2, 2, "lime", 25, "L", ""), moves(diary.Treatment, 3, 3, "none", 1, "", "")},
			want:   []diary.Balance{{Input: "lime", Lot: "L", Unit: "bag", Received: 10, Amount: 10}},
			bad:    []diary.StockProblem{{id(2), "lime", diary.StockUnit}, {id(3), "none", diary.StockInput}},
		},
		"a use without a lot stands alone": {
			events: []diary.Event{moves(diary.Receipt, 1, 1, "feed", 100, "A1", ""), moves(diary.Feeding, 2, 2, "feed", 30, "", "")},
			want: []diary.Balance{
				{Input: "feed", Unit: "kg", Used: 30, Amount: -30, LastUse: id(2)}, {Input: "feed", Lot: "A1", Unit: "kg", Received: 100, Amount: 100},
			},
		},
		"a lot of two expiry days: the earlier goes first, and what it has not comes from the other": {
			events: []diary.Event{
				moves(diary.Receipt, 1, 1, "feed", 10, "A1", "2027-06-30"), moves(diary.Receipt, 2, 1, "feed", 10, "A1", "2027-01-31"), moves(diary.Feeding, 3, 2, "feed", 25, "A1", ""),
			},
			want: []diary.Balance{
				{Input: "feed", Lot: "A1", Expiry: "2027-01-31", Unit: "kg", Received: 10, Used: 10, Amount: 0, LastUse: id(3)},
				{Input: "feed", Lot: "A1", Expiry: "2027-06-30", Unit: "kg", Received: 10, Used: 15, Amount: -5, LastUse: id(3)},
			},
		},
		"a count puts a lot right, and what is used later goes on from it": {
			events: []diary.Event{
				moves(diary.Receipt, 1, 1, "feed", 100, "A1", ""), moves(diary.StockTake, 2, 2, "feed", 80, "A1", ""), moves(diary.Feeding, 3, 3, "feed", 30, "A1", ""),
			},
			want: []diary.Balance{{Input: "feed", Lot: "A1", Unit: "kg", Received: 100, Used: 30, Counted: -20, Amount: 50, LastUse: id(3)}},
		},
		"what came in that day was there that day": {
			events: []diary.Event{moves(diary.Feeding, 1, 1, "feed", 30, "A1", ""), moves(diary.Receipt, 2, 1, "feed", 100, "A1", "2027-01-31")},
			want:   []diary.Balance{{Input: "feed", Lot: "A1", Expiry: "2027-01-31", Unit: "kg", Received: 100, Used: 30, Amount: 70, LastUse: id(1)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 { // in whatever order
				rand.Shuffle(len(c.events), func(i, j int) { c.events[i], c.events[j] = c.events[j], c.events[i] })
				got := diary.Stock(diary.Entries(c.events), inputs())
				if diff := cmp.Diff(c.want, got.Balances); diff != "" {
					t.Fatal(diff)
				}
				if diff := cmp.Diff(c.bad, got.Problems); diff != "" {
					t.Fatal(diff)
				}
			}
		})
	}
}

func id(n int) string { return fmt.Sprintf("01KAEZ%020d", n) }

func TestStock_ShortIsOfTheLotOrTheWhole(t *testing.T) {
	got := diary.Stock(diary.Entries([]diary.Event{moves(diary.Receipt, 1, 1, "feed", 100, "A1", "2027-01-31"), moves(diary.Feeding, 2, 2, "feed", 30, "", "")}), inputs())
	if total, short := got.Total("feed"); total != 70 || short {
		t.Errorf("total %v, short %v", total, short)
	}
	if got.Expiry("feed", "a1") != "2027-01-31" || got.Expiry("feed", "") != "" {
		t.Error("expiry")
	}
	thirds := []diary.Event{moves(diary.Receipt, 1, 1, "feed", 0.3, "A1", "")}
	for n := range 3 {
		thirds = append(thirds, moves(diary.Feeding, 2+n, 2, "feed", 0.1, "A1", ""))
	}
	for _, b := range diary.Stock(diary.Entries(thirds), inputs()).Balances {
		if b.Short() {
			t.Errorf("what adding up costs is no mismatch: %v", b.Amount)
		}
	}
}

// Nothing is lost: the balances come to what came in, less what was used, and counts.
func TestStock_SumsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lots := rapid.SampledFrom([]string{"", "A1", "B2"})
		days := rapid.SampledFrom([]string{"", "2027-01-31", "2027-06-30"})
		var events []diary.Event
		want := 0.0
		for n := range rapid.IntRange(1, 20).Draw(t, "n") {
			amount := float64(rapid.IntRange(0, 50).Draw(t, "amount"))
			kind := rapid.SampledFrom([]string{diary.Receipt, diary.Feeding}).Draw(t, "kind")
			if kind == diary.Receipt {
				want += amount
			} else {
				want -= amount
			}
			events = append(events, moves(kind, n, rapid.IntRange(1, 28).Draw(t, "day"), "feed", amount, lots.Draw(t, "lot"), days.Draw(t, "expiry")))
		}
		got := diary.Stock(diary.Entries(events), inputs())
		if total, _ := got.Total("feed"); total != want {
			t.Fatalf("%v, want %v", total, want)
		}
		slices.Reverse(events)
		if diff := cmp.Diff(got, diary.Stock(diary.Entries(events), inputs())); diff != "" {
			t.Fatal(diff)
		}
	})
}
