package sqldb_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

func opened(id, place, topic string, at time.Time) alarm.Change {
	a := alarm.Alarm{
		ID: id, Key: alarm.Key{Place: place, Topic: topic}, Looker: alarm.LimitsID, State: alarm.Firing, Level: rule.Warn, Began: at.Add(-time.Minute), Since: at, Fired: at, Broken: true,
		Decision: rule.Decision{Rule: alarm.LimitsID, Place: place, Topic: topic, Verdict: rule.Warn, At: at, Why: []rule.Reason{rule.Because("below", rule.Value("dissolved_oxygen", 2.75))}},
	}
	return alarm.Change{Alarm: a, What: alarm.ToState, From: alarm.Pending, At: at}
}

func TestAlarms_AreKeptWithEveryChangeInOrder(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		first := []alarm.Change{opened("A1", "P1", "dissolved_oxygen", noon), opened("A2", "P2", "ph", noon)}
		if err := db.KeepAlarmChanges(ctx, first); err != nil {
			t.Fatal(err)
		}
		if first[0].N != 1 || first[1].N != 2 || first[1].Alarm.N != 2 {
			t.Fatalf("numbers %d, %d, %d", first[0].N, first[1].N, first[1].Alarm.N)
		}
		ended := first[0].Alarm
		ended.State, ended.Ended = alarm.Normal, noon.Add(time.Hour)
		acked := first[0].Alarm
		acked.Acked, acked.AckedBy = noon.Add(time.Minute), "u-1"
		more := []alarm.Change{
			{Alarm: acked, What: alarm.Acked, From: alarm.Firing, At: noon.Add(time.Minute), By: "u-1", Note: "tới ngay"},
			{Alarm: ended, What: alarm.ToState, From: alarm.Firing, At: noon.Add(time.Hour)},
		}
		if err := db.KeepAlarmChanges(ctx, more); err != nil {
			t.Fatal(err)
		}
		got, err := db.AlarmChanges(ctx, 0, 100)
		if err != nil || !reflect.DeepEqual(got, slices.Concat(first, more)) {
			t.Errorf("got  %v, %v\nwant %v", got, err, slices.Concat(first, more))
		}
		if got, err := db.AlarmChanges(ctx, 2, 1); err != nil || len(got) != 1 || got[0].N != 3 {
			t.Errorf("after 2, one: %v, %v", got, err)
		}
		lasting, _, err := db.LastingAlarms(ctx, noon)
		if err != nil || len(lasting) != 1 || lasting[0].ID != "A2" || *lasting[0].Decision.Why[0].Args[0].Number != 2.75 {
			t.Errorf("lasting: %v, %v", lasting, err)
		}
		a, changes, err := db.Alarm(ctx, "A1")
		if err != nil || len(changes) != 3 || a.State != alarm.Normal || a.N != 4 {
			t.Errorf("A1: %v, %d changes, %v", a, len(changes), err)
		}
		if _, _, err := db.Alarm(ctx, "A9"); !errors.Is(err, alarm.ErrNone) {
			t.Errorf("none: %v", err)
		}
		for _, tc := range []struct {
			q    alarm.Query
			want int
		}{
			{alarm.Query{From: noon, To: noon.Add(time.Hour)}, 2},
			{alarm.Query{Place: "P1", From: noon, To: noon.Add(time.Hour)}, 1},
			{alarm.Query{Place: "P1", Topic: "ph", From: noon, To: noon.Add(time.Hour)}, 0},
			{alarm.Query{From: noon.Add(2 * time.Hour), To: noon.Add(3 * time.Hour)}, 1}, // A2 lasts
			{alarm.Query{From: noon.Add(-2 * time.Hour), To: noon.Add(-time.Hour)}, 0},
			{alarm.Query{From: noon, To: noon.Add(time.Hour), Limit: 1}, 1},
		} {
			if got, err := db.AlarmHistory(ctx, tc.q); err != nil || len(got) != tc.want {
				t.Errorf("%+v: %d, %v; want %d", tc.q, len(got), err, tc.want)
			}
		}
	})
}

// Two that write an alarm at once: one is told that it moved, and nothing of its call is kept.
func TestAlarms_WhoWritesOverAnotherIsRefused(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		first := []alarm.Change{opened("A1", "P1", "ph", noon)}
		if err := db.KeepAlarmChanges(ctx, first); err != nil {
			t.Fatal(err)
		}
		stale := first[0]
		stale.Alarm.N = 0
		for name, list := range map[string][]alarm.Change{
			"another of the same key":  {opened("A2", "P2", "ph", noon), opened("A3", "P1", "ph", noon)},
			"the same id again":        {stale},
			"a change of an older one": {{Alarm: alarm.Alarm{ID: "A1", Key: first[0].Alarm.Key, N: 7}, What: alarm.Acked, From: alarm.Firing, At: noon}},
		} {
			if err := db.KeepAlarmChanges(ctx, list); !errors.Is(err, alarm.ErrMoved) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got, err := db.AlarmChanges(ctx, 0, 100); err != nil || len(got) != 1 {
			t.Errorf("kept: %v, %v", got, err)
		}
	})
}

// A follower that keeps one number alone never misses a change of writers that work at once.
func TestAlarms_AFollowerIsNeverOvertaken(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		const writers, each = 4, 15
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					id := fmt.Sprintf("A%d-%d", w, i)
					if err := db.KeepAlarmChanges(t.Context(), []alarm.Change{opened(id, id, "ph", noon)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		seen, after, last := 0, int64(0), false
		for !last || seen < writers*each {
			select {
			case <-done:
				last = true
			default:
			}
			got, err := db.AlarmChanges(t.Context(), after, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range got {
				if c.N != after+1 {
					t.Fatalf("number %d follows %d", c.N, after)
				}
				after = c.N
				seen++
			}
			if last && len(got) == 0 && seen < writers*each {
				t.Fatalf("%d of %d seen", seen, writers*each)
			}
		}
	})
}

func TestMaintenance_IsKeptAndTakenBack(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		m := alarm.Maintenance{ID: "M1", Place: "P1", From: noon, To: noon.Add(time.Hour), By: "u-1", Reason: "tháo nước"}
		if err := db.KeepMaintenance(ctx, m); err != nil {
			t.Fatal(err)
		}
		if _, held, err := db.LastingAlarms(ctx, noon.Add(time.Minute)); err != nil || len(held) != 1 || held[0] != m {
			t.Errorf("held: %v, %v", held, err)
		}
		m.Ended, m.EndedBy = noon.Add(10*time.Minute), "u-2"
		if err := db.KeepMaintenance(ctx, m); err != nil {
			t.Fatal(err)
		}
		if _, held, err := db.LastingAlarms(ctx, noon.Add(20*time.Minute)); err != nil || len(held) != 0 {
			t.Errorf("taken back: %v, %v", held, err)
		}
		if got, err := db.Maintenances(ctx, noon, noon.Add(time.Hour)); err != nil || len(got) != 1 || got[0] != m {
			t.Errorf("list: %v, %v", got, err)
		}
	})
}

func TestLogPosition_FindsWhereATimeBegins(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if at, err := db.LogPosition(t.Context(), noon); err != nil || at != 0 {
			t.Errorf("an empty log: %d, %v", at, err)
		}
	})
}
