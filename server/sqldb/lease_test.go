package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"aovuon/server/elect"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func TestLease_IsTakenByOneOnly(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		seen, err := db.Lease(t.Context(), "history")
		if err != nil || seen != (elect.Lease{Name: "history"}) {
			t.Fatalf("before anybody took it: %+v, %v", seen, err)
		}
		for term := int64(1); term < 4; term++ {
			got := takeAtOnce(t, db, seen, 8)
			now, err := db.Lease(t.Context(), "history")
			if err != nil || len(got) != 1 || got[0] != now || now.Term != term || !now.Taken.Equal(noon) {
				t.Fatalf("term %d: taken %+v, stands %+v, %v", term, got, now, err)
			}
			if ok, err := db.RenewLease(t.Context(), now, noon.Add(time.Second)); !ok || err != nil {
				t.Fatalf("renewed %v, %v", ok, err)
			}
			if _, ok, err := db.TakeLease(t.Context(), now, "late", noon); ok || err != nil {
				t.Fatalf("taken although it was renewed: %v, %v", ok, err)
			}
			if ok, err := db.RenewLease(t.Context(), seen, noon); ok || err != nil {
				t.Fatalf("an old term was renewed: %v, %v", ok, err)
			}
			if seen, err = db.Lease(t.Context(), "history"); err != nil || seen.Beat != now.Beat+1 || !seen.Renewed.Equal(noon.Add(time.Second)) {
				t.Fatalf("after the renewal: %+v, %v", seen, err)
			}
		}
		if err := db.ReleaseLease(t.Context(), seen, noon); err != nil {
			t.Fatal(err)
		}
		if l, err := db.Leases(t.Context()); err != nil || len(l) != 1 || l[0].Held() || l[0].Term != 3 {
			t.Errorf("given back: %+v, %v", l, err)
		}
	})
}

// takeAtOnce has n holders try to take a lease at once, and returns the leases of those who did.
func takeAtOnce(t *testing.T, db *sqldb.DB, seen elect.Lease, n int) (got []elect.Lease) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			l, ok, err := db.TakeLease(t.Context(), seen, string(rune('a'+i)), noon)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if ok {
				got = append(got, l)
			}
		})
	}
	wg.Wait()
	return got
}

// What a process writes that leads no more, and does not know it yet, is not kept: a cursor, an anchor, a record of the ledger.
func TestLease_FencesWhatAnOldLeaderWrites(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		o := elect.Options{Leases: db, Name: "history", Holder: "old", TTL: time.Hour, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)}
		err := elect.Run(t.Context(), o, func(ctx context.Context) error {
			if err := db.SaveCursor(ctx, "history", 7); err != nil {
				return err
			}
			l, err := db.Lease(ctx, "history")
			if err != nil {
				return err
			}
			if _, ok, err := db.TakeLease(ctx, l, "new", noon); !ok || err != nil {
				t.Errorf("not taken: %v", err)
			}
			return errors.Join(
				wantLost(t, "cursor", db.SaveCursor(ctx, "history", 9)),
				wantLost(t, "refusals", db.SaveRefusals(ctx, nil, nil)),
				wantLost(t, "contact", db.SaveContact(ctx, someContact(), byAt(noon))),
			)
		})
		if err != nil {
			t.Fatal(err)
		}
		if at, err := db.Cursor(t.Context(), "history"); err != nil || at != 7 {
			t.Errorf("cursor %d, %v", at, err)
		}
		if list, err := db.Contacts(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("contacts %v, %v", list, err)
		}
		if l, err := db.Lease(t.Context(), "history"); err != nil || l.Holder != "new" || l.Term != 2 {
			t.Errorf("lease %+v, %v", l, err)
		}
		if err := db.SaveCursor(t.Context(), "history", 11); err != nil { // by a command, which is under no lease
			t.Error(err)
		}
	})
}

func wantLost(t *testing.T, what string, err error) error {
	t.Helper()
	if !errors.Is(err, elect.ErrLost) {
		t.Errorf("%s: err %v, want ErrLost", what, err)
	}
	if errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}
