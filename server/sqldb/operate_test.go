package sqldb_test

import (
	"testing"
	"time"

	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/watch/notify"
)

func TestOperate_TellsWhatIsThere(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, ok, err := db.Received(ctx, 1); ok || err != nil {
			t.Errorf("the first batch of an empty log: %v, %v", ok, err)
		}
		if size, at, err := db.HeadTime(ctx); size != 0 || !at.IsZero() || err != nil {
			t.Errorf("the newest of no heads: %d, %v, %v", size, at, err)
		}
		must(db.SaveCheckpoint(ctx, 3, []byte("three"), noon))
		must(db.SaveCheckpoint(ctx, 7, []byte("seven"), noon.Add(time.Hour)))
		if size, at, err := db.HeadTime(ctx); size != 7 || !at.Equal(noon.Add(time.Hour)) || err != nil {
			t.Errorf("the newest head: %d, %v, %v", size, at, err)
		}
		must(db.SaveContact(ctx, someContact(), byAt(noon)))
		var list []notify.Message
		for i, state := range []notify.Delivery{notify.Waiting, notify.Sent, notify.Failed, notify.Failed} {
			m := someMessage(string(rune('A'+i)), noon)
			m.State = state
			if state != notify.Waiting {
				m.Done = noon.Add(time.Duration(i) * time.Minute)
			}
			list = append(list, m)
		}
		must(db.AddMessages(ctx, list))
		counts, err := db.MessageCounts(ctx, noon)
		must(err)
		if got := counts["mail"]; got[notify.Failed] != 2 || got[notify.Sent] != 1 || len(got) != 2 {
			t.Errorf("messages: %v", counts)
		}
		if counts, err = db.MessageCounts(ctx, noon.Add(3*time.Minute)); err != nil || counts["mail"][notify.Failed] != 1 {
			t.Errorf("messages of the last minute: %v, %v", counts, err)
		}
		pools := map[string]sqldb.Pool{}
		for _, p := range db.Pools() {
			pools[p.Name] = p
		}
		want := 2
		if db.Driver() == sqldb.Postgres { // there leases have connections of their own
			want = 3
		}
		if _, ok := pools["beats"]; ok != (want == 3) {
			t.Errorf("pools: %+v", pools)
		}
		if p := pools["read"]; len(pools) != want || p.Limit != 8 || p.Open < 1 || p.InUse != 0 {
			t.Errorf("pools: %+v", pools)
		}
	})
}
