package sqldb_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/oklog/ulid/v2"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// eventID is the ULID of a number.
func eventID(n int) string {
	var id ulid.ULID
	if err := errors.Join(id.SetTime(1764000000000+uint64(n)), id.SetEntropy([]byte(fmt.Sprintf("%010d", n)))); err != nil {
		panic(err)
	}
	return id.String()
}

func feeding(n int, place string, at time.Time) diary.Event {
	return diary.Event{
		ID: eventID(n), Kind: diary.Feeding, Place: place, Values: form.Values{"input": "cam-40", "amount": 12.5}, Actor: "u-22222222", Device: "d-1",
		Occurred: at, Recorded: at.Add(time.Minute), Synced: at.Add(time.Hour),
	}
}

func pointAt(t *testing.T, north, east float64) privacy.Point {
	t.Helper()
	p, err := privacy.NewPoint(north, east)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func addEvent(t *testing.T, db *sqldb.DB, e diary.Event) {
	t.Helper()
	if added, err := db.AddEvent(t.Context(), e, ledger.By{Actor: e.Actor, At: e.Synced}); err != nil || !added {
		t.Fatalf("%s: %v, %v", e.ID, added, err)
	}
}

func ids(events []diary.Event) (out []string) {
	for _, e := range events {
		out = append(out, e.ID)
	}
	return out
}

func TestEvent_ComesBackAsItWasKept(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		e := feeding(1, "aaaaa", noon)
		e.Cycle, e.Note, e.Skew = "vu-thu", "Cá ăn khỏe, nước trong", 90*time.Minute
		e.Values["tray"], e.Values["many"] = true, []string{"a", "b"}
		e.Media = []diary.Media{{SHA256: "ab", Type: "image/jpeg"}, {SHA256: "cd", Type: "audio/ogg"}}
		e.Position = &diary.Position{Point: pointAt(t, 20.7712345, 106.2), Acc: 8}
		addEvent(t, db, e)
		got, ok, err := db.Event(t.Context(), e.ID)
		if d := cmp.Diff(e, got, cmp.AllowUnexported(privacy.Point{})); d != "" || !ok || err != nil {
			t.Errorf("%v %v %s", ok, err, d)
		}
		if _, ok, err := db.Event(t.Context(), eventID(2)); ok || err != nil {
			t.Errorf("an event that is not there: %v, %v", ok, err)
		}
	})
}

// A phone that got no answer sends again, later and with another skew; the same id for something else is refused.
func TestEvent_SentAgainIsKnown(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		e := feeding(1, "aaaaa", noon)
		addEvent(t, db, e)
		size := ledgerSize(t, db)
		again := e
		again.Synced, again.Skew, again.Actor = noon.Add(9*time.Hour), time.Minute, "u-33333333"
		if added, err := db.AddEvent(t.Context(), again, byAt(again.Synced)); added || err != nil {
			t.Errorf("again: %v, %v", added, err)
		}
		again.Values = form.Values{"input": "cam-40", "amount": 12.6}
		if _, err := db.AddEvent(t.Context(), again, byAt(again.Synced)); !errors.Is(err, diary.ErrReused) {
			t.Errorf("other content under the same id: %v", err)
		}
		if n := ledgerSize(t, db); n != size {
			t.Errorf("%d leaves, want %d", n, size)
		}
	})
}

func ledgerSize(t *testing.T, db *sqldb.DB) int64 {
	t.Helper()
	n, err := db.LedgerSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEvent_CorrectsTheNewestOfItsChain(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		first := feeding(1, "aaaaa", noon)
		addEvent(t, db, first)
		second := feeding(2, "aaaaa", noon)
		second.Corrects = first.ID
		addEvent(t, db, second) // in the same millisecond as the first
		for name, bad := range map[string]string{"what somebody corrected before": first.ID, "what is not there": eventID(99)} {
			late := feeding(3, "aaaaa", noon.Add(time.Hour))
			late.Corrects = bad
			if _, err := db.AddEvent(t.Context(), late, byAt(noon)); !errors.Is(err, diary.ErrCorrects) {
				t.Errorf("corrects %s: %v", name, err)
			}
		}
		elsewhere := feeding(4, "bbbbb", noon)
		elsewhere.Corrects = second.ID
		if _, err := db.AddEvent(t.Context(), elsewhere, byAt(noon)); !errors.Is(err, diary.ErrCorrects) {
			t.Errorf("corrects from another place: %v", err)
		}
		void := diary.Event{ID: eventID(5), Kind: diary.Void, Place: "aaaaa", Values: form.Values{"reason": "nhầm ao"}, Actor: "u-1", Corrects: second.ID, Occurred: noon.AddDate(0, 1, 0), Synced: noon}
		addEvent(t, db, void)
		after := feeding(6, "aaaaa", noon)
		after.Corrects = void.ID
		if _, err := db.AddEvent(t.Context(), after, byAt(noon)); !errors.Is(err, diary.ErrCorrects) {
			t.Errorf("corrects what takes back: %v", err)
		}
		list, err := db.Events(t.Context(), diary.Query{Kinds: []string{diary.Feeding}, To: noon.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		entries := diary.Entries(list)
		if len(entries) != 1 || !entries[0].Voided || len(entries[0].History) != 3 {
			t.Errorf("three events of one entry come to %+v", entries)
		}
	})
}

func TestEvents_AskedFor(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
		for i := range 6 {
			e := feeding(i, []string{"aaaaa", "bbbbb"}[i%2], day(i))
			if i == 3 {
				e.Kind, e.Cycle = diary.Harvest, "vu-thu"
			}
			addEvent(t, db, e)
		}
		moved := feeding(9, "aaaaa", day(20)) // what was entered for day 0 was done on day 20
		moved.Corrects = eventID(0)
		addEvent(t, db, moved)
		for name, c := range map[string]struct {
			q    diary.Query
			want []int
		}{
			"all":             {diary.Query{}, []int{0, 1, 2, 3, 4, 5, 9}},
			"place":           {diary.Query{Places: []string{"bbbbb"}}, []int{1, 3, 5}},
			"places":          {diary.Query{Places: []string{"bbbbb", "ccccc", "aaaaa"}, Newest: 2}, []int{0, 5, 9}},
			"cycle":           {diary.Query{Cycle: "vu-thu"}, []int{3}},
			"kinds":           {diary.Query{Kinds: []string{diary.Harvest, diary.Sale}}, []int{3}},
			"time":            {diary.Query{From: day(1), To: day(3)}, []int{1, 2}},
			"its correction":  {diary.Query{From: day(10)}, []int{0, 9}},
			"what it was":     {diary.Query{To: day(1)}, []int{0, 9}},
			"place and kind":  {diary.Query{Places: []string{"aaaaa"}, Kinds: []string{diary.Harvest}}, nil},
			"newest of place": {diary.Query{Places: []string{"bbbbb"}, Newest: 1}, []int{5}},
		} {
			got, err := db.Events(t.Context(), c.q)
			var want []string
			for _, n := range c.want {
				want = append(want, eventID(n))
			}
			have := ids(got)
			if d := cmp.Diff(want, have, cmpopts.EquateEmpty()); d != "" || err != nil {
				t.Errorf("%s: %v %s", name, err, d)
			}
			if !slices.IsSortedFunc(got, func(a, b diary.Event) int { return a.At().Compare(b.At()) }) {
				t.Errorf("%s: not by when it was done", name)
			}
		}
	})
}

func household(code string) farm.Record {
	return farm.Record{Kind: farm.Household, Values: form.Values{"name": "Ông Bùi Văn " + code, "code": code, "joined": "2020-01-31", "area_m2": 31000.0}}
}

func TestRecord_SavedChangedAndNeverOverwritten(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		first, err := db.SaveRecord(ctx, household("H01"), byAt(noon))
		if err != nil || first.Revision != 1 || !farm.ValidID(first.ID) || !first.Changed.Equal(noon) {
			t.Fatalf("%+v, %v", first, err)
		}
		rev, err := db.RegisterRevision(ctx)
		if err != nil {
			t.Fatal(err)
		}
		same, err := db.SaveRecord(ctx, first, byAt(noon.Add(time.Hour)))
		if d := cmp.Diff(first, same); d != "" || err != nil {
			t.Errorf("saved again: %v %s", err, d)
		}
		change := first
		change.Values = form.Values{"name": "Bà Lan", "code": "H01"}
		second, err := db.SaveRecord(ctx, change, byAt(noon.Add(2*time.Hour)))
		if err != nil || second.Revision != 2 {
			t.Fatalf("%+v, %v", second, err)
		}
		change.Values = form.Values{"name": "Bà Hoa", "code": "H01"} // made from what stood there before
		if _, err := db.SaveRecord(ctx, change, byAt(noon.Add(3*time.Hour))); !errors.Is(err, farm.ErrChanged) {
			t.Errorf("over another's change: %v", err)
		}
		ghost := farm.Record{Kind: farm.Household, ID: "nobody", Revision: 3, Values: household("H09").Values}
		if _, err := db.SaveRecord(ctx, ghost, byAt(noon)); !errors.Is(err, farm.ErrNoRecord) {
			t.Errorf("a change of what is not there: %v", err)
		}
		if now, err := db.RegisterRevision(ctx); err != nil || now == rev {
			t.Errorf("revision %q after %q, %v", now, rev, err)
		}
		got, ok, err := db.Record(ctx, farm.Household, first.ID)
		if d := cmp.Diff(second, got); d != "" || !ok || err != nil {
			t.Errorf("%v %v %s", ok, err, d)
		}
	})
}

func TestRecord_RefusesWhatCannotBe(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		if _, err := db.SaveRecord(ctx, household("H01"), byAt(noon)); err != nil {
			t.Fatal(err)
		}
		product := func(gtin string) farm.Record {
			return farm.Record{Kind: farm.Product, Values: form.Values{"name": "Cá", "branch": "fish", "gtin": gtin}}
		}
		for name, c := range map[string]struct {
			r    farm.Record
			want form.Problem
		}{
			"a household's code twice": {household("h01"), form.Problem{Key: "code", Code: form.Taken, Given: "h01"}},
			"no code":                  {farm.Record{Kind: farm.Household, Values: form.Values{"name": "x"}}, form.Problem{Key: "code", Code: form.Missing}},
			"no kind":                  {farm.Record{Kind: "ghost"}, form.Problem{Key: "kind", Code: form.Unknown, Given: "ghost"}},
			"an id with a slash":       {farm.Record{Kind: farm.Household, ID: "a/b"}, form.Problem{Key: "id", Code: form.BadText, Given: "a/b"}},
			"a wrong check digit":      {product("08936012345671"), form.Problem{Key: "gtin", Code: form.NoGTIN, Given: "08936012345671"}},
			"a number of our own":      {product(farm.InternalNumber(1)), form.Problem{Key: "gtin", Code: form.NoGTIN, Given: farm.InternalNumber(1)}},
			"a place that is not": {
				farm.Record{Kind: farm.Cycle, Values: form.Values{"name": "v", "place": "zzzzz", "branch": "fish", "species": "cá", "season": "s", "begin": "2026-01-01"}},
				form.Problem{Key: "place", Code: form.NoRecord, Given: "zzzzz"},
			},
			"an end before its begin": {
				farm.Record{Kind: farm.Input, Values: form.Values{"name": "v", "type": "feed", "unit": "kg", "valid_from": "2026-02-01", "valid_to": "2026-01-31"}},
				form.Problem{Key: "valid_to", Code: form.Conflict, Given: "2026-01-31"},
			},
		} {
			_, err := db.SaveRecord(ctx, c.r, byAt(noon))
			bad, ok := errors.AsType[*form.InvalidError](err)
			if !ok || len(bad.Problems) != 1 || bad.Problems[0] != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		list, err := db.Records(ctx, "")
		if err != nil || len(list) != 1 {
			t.Errorf("%d records, %v", len(list), err)
		}
	})
}

func TestRecords_AllOrNoneAndInTheOrderOfTheirNames(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		named := func(id, name string) farm.Record {
			return farm.Record{Kind: farm.Input, ID: id, Values: form.Values{"name": name, "type": "feed", "unit": "kg"}}
		}
		if _, err := db.SaveRecords(ctx, []farm.Record{named("a", "Vôi"), named("b", "")}, byAt(noon)); err == nil {
			t.Error("one without a name is taken")
		}
		if _, err := db.SaveRecords(ctx, []farm.Record{named("a", "Đạm"), named("b", "Cám 10"), named("c", "cám 2"), named("d", "Dung dịch")}, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		list, err := db.Records(ctx, farm.Input)
		var got []string
		for _, r := range list {
			got = append(got, r.Name())
		}
		if d := cmp.Diff([]string{"cám 2", "Cám 10", "Dung dịch", "Đạm"}, got); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
	})
}

// BenchmarkEvents lists one place of a season of 5,000 events over ten places, and the whole.
func BenchmarkEvents(b *testing.B) {
	db := sqldbtest.Open(b, sqldbtest.SQLite(b))
	for i := range 5000 {
		e := feeding(i, fmt.Sprintf("place%d", i%10), noon.Add(time.Duration(i)*40*time.Minute))
		if _, err := db.AddEvent(b.Context(), e, byAt(noon)); err != nil {
			b.Fatal(err)
		}
	}
	for name, q := range map[string]diary.Query{"place": {Places: []string{"place3"}}, "newest 20 of a place": {Places: []string{"place3"}, Newest: 20}, "all": {}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := db.Events(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
