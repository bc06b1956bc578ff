package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// asMover makes the test binary move one database into another, batch log and all, until it is killed or done.
const asMover = "AOVUON_TEST_MOVE"

func moveOptions(from, to sqldb.Config) sqldb.MoveOptions {
	return sqldb.MoveOptions{From: from, To: to, Origin: "htx-thu", Now: func() time.Time { return noon }}
}

// move moves everything, as the command does.
func move(ctx context.Context, o sqldb.MoveOptions) (out *sqldb.Moved, err error) {
	m, err := sqldb.NewMove(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	if _, err := m.Ahead(ctx); err != nil {
		return nil, err
	}
	return m.Finish(ctx)
}

// moveFromEnv is the mover's process.
func moveFromEnv(text string) error {
	w := strings.Split(text, "|")
	o := moveOptions(sqldb.Config{Driver: w[0], DSN: w[1]}, sqldb.Config{Driver: w[2], DSN: w[3]})
	o.Said = func(s sqldb.Moving) { fmt.Println("moving", s.Table, s.Done) }
	_, err := move(context.Background(), o)
	return err
}

// eachWay runs f for moves between the engines, each database fresh.
func eachWay(t *testing.T, f func(t *testing.T, from, to sqldb.Config)) {
	t.Helper()
	pg := func() sqldb.Config { return sqldb.Config{Driver: sqldb.Postgres, DSN: parttest.Postgres(t)} }
	t.Run("to postgres", func(t *testing.T) { f(t, sqldbtest.SQLite(t), pg()) })
	t.Run("to sqlite", func(t *testing.T) { f(t, pg(), sqldbtest.SQLite(t)) })
	if !testing.Short() {
		t.Run("postgres to postgres", func(t *testing.T) { f(t, pg(), pg()) })
	}
}

// full fills every table: the log and the ledger with what is true, all others with rows of every kind of value, absent ones among them.
func full(t *testing.T, c sqldb.Config, batches int) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	f, d := demoFarm(t)
	_, err = appendAll(t.Context(), db, mustChain(t, "gw-ao"), batches)
	for _, err := range []error{
		err, db.SaveFarm(t.Context(), f, byAt(noon)), db.SaveProduct(t.Context(), d.Product, byAt(noon)), db.SaveLot(t.Context(), d.Lot, byAt(noon)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		if _, err := db.Enter(t.Context(), ledger.Entry{Kind: ledger.Changed, Subject: fmt.Sprint("x/", i), Body: []byte(`{}`), By: byAt(noon)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.EraseLedgerBody(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	sqldbtest.FillEmpty(t, c)
}

// alike compares every table of two databases, the marks of moves aside.
func alike(t *testing.T, a, b sqldb.Config) (rows int) {
	t.Helper()
	all := sqldbtest.AllRows(t, b)
	for table, was := range sqldbtest.AllRows(t, a) {
		theirs := func(s string) bool { return strings.HasPrefix(s, "name=move_") }
		is := slices.DeleteFunc(all[table], theirs)
		was = slices.DeleteFunc(was, theirs)
		if diff := cmp.Diff(was, is); diff != "" {
			t.Errorf("%s: %.2000s", table, diff)
		}
		if len(was) == 0 {
			t.Errorf("%s has no rows: the test says nothing of it", table)
		}
		rows += len(was)
	}
	return rows
}

func TestMove_TakesEveryRowOfEveryTableAndLeavesOneDatabaseThatCounts(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to sqldb.Config) {
		full(t, from, 300)
		out, err := move(t.Context(), moveOptions(from, to))
		if err != nil {
			t.Fatal(err)
		}
		rows := alike(t, from, to)
		var said int64
		for _, table := range out.Tables {
			said += table.Done
		}
		if int64(rows) != said || out.Batches != 300 || out.Leaves < 40 || out.Root == "" {
			t.Errorf("%d rows; said %d rows, %d batches, %d leaves, head %q", rows, said, out.Batches, out.Leaves, out.Root)
		}
		if _, err := sqldb.Open(t.Context(), from); !errors.Is(err, sqldb.ErrMoved) {
			t.Errorf("the old database: %v", err)
		}
		db := sqldbtest.Open(t, to)
		if size, root := head(t, db); size != out.Leaves || fmt.Sprint(root) != out.Root {
			t.Errorf("ledger of %d, %v", size, root)
		}
		if again, err := move(t.Context(), moveOptions(from, to)); err != nil || !again.Already || again.Root != out.Root {
			t.Errorf("moved again: %+v, %v", again, err)
		}
		// It goes on, in the log and in the ledger.
		if last, err := appendAll(t.Context(), db, mustChain(t, "gw-hai"), 3); err != nil || last != 303 {
			t.Errorf("appended up to %d, %v", last, err)
		}
	})
}

func TestMove_CopiesWhileOthersWriteAndFinishesWithWhatCame(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to sqldb.Config) {
		full(t, from, 50)
		db, err := sqldb.Open(t.Context(), from)
		if err != nil {
			t.Fatal(err)
		}
		m, err := sqldb.NewMove(t.Context(), moveOptions(from, to))
		if err != nil {
			t.Fatal(err)
		}
		ch := mustChain(t, "gw-hai")
		for range 4 {
			if _, err := m.Ahead(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := appendAll(t.Context(), db, ch, 25); err != nil {
				t.Fatal(err)
			}
			if err := db.RetireGateway(t.Context(), "gw-ao", byAt(noon)); err != nil && !strings.Contains(err.Error(), "gw-ao") {
				t.Fatal(err)
			}
			if _, err := db.Enter(t.Context(), ledger.Entry{Kind: ledger.Changed, Subject: "y/1", Body: fmt.Append(nil, time.Now().UnixNano()), By: byAt(noon)}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := sqldb.Open(t.Context(), to); !errors.Is(err, sqldb.ErrArriving) {
			t.Errorf("the half-filled database: %v", err)
		}
		if from.Driver == sqldb.Postgres {
			if _, err := m.Finish(t.Context()); !errors.Is(err, sqldb.ErrNotAlone) {
				t.Errorf("finished beside a server: %v", err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		out, err := m.Finish(t.Context())
		if err := errors.Join(err, m.Close()); err != nil {
			t.Fatal(err)
		}
		if out.Batches != 150 {
			t.Errorf("%d batches", out.Batches)
		}
		alike(t, from, to)
	})
}

func TestMove_WhoStillHasTheOldDatabaseOpenCannotAppend(t *testing.T) {
	from, to := sqldbtest.SQLite(t), sqldb.Config{Driver: sqldb.Postgres, DSN: parttest.Postgres(t)}
	db := sqldbtest.Open(t, from) // a command that was begun before
	if _, err := move(t.Context(), moveOptions(from, to)); err != nil {
		t.Fatal(err)
	}
	if _, err := appendAll(t.Context(), db, mustChain(t, "gw-ao"), 1); err == nil || !strings.Contains(err.Error(), "was moved") {
		t.Errorf("a batch: %v", err)
	}
	if _, err := db.Enter(t.Context(), ledger.Entry{Kind: ledger.Changed, Subject: "x", Body: []byte(`{}`), By: byAt(noon)}); err == nil || !strings.Contains(err.Error(), "was moved") {
		t.Errorf("a leaf: %v", err)
	}
}

func TestMove_RefusesWhatIsNotEmpty(t *testing.T) {
	full := func(t *testing.T, c sqldb.Config) sqldb.Config {
		db := sqldbtest.Open(t, c)
		if _, err := appendAll(t.Context(), db, mustChain(t, "gw-ao"), 3); err != nil {
			t.Fatal(err)
		}
		return c
	}
	fresh := func() sqldb.Config { return sqldb.Config{Driver: sqldb.Postgres, DSN: parttest.Postgres(t)} }
	t.Run("another server's", func(t *testing.T) {
		if _, err := move(t.Context(), moveOptions(full(t, sqldbtest.SQLite(t)), full(t, fresh()))); !errors.Is(err, sqldb.ErrNotEmpty) {
			t.Errorf("%v", err)
		}
	})
	t.Run("another program's", func(t *testing.T) {
		to := fresh()
		sqldbtest.Tamper(t, to, `CREATE TABLE ketoan (id BIGINT)`)
		if _, err := move(t.Context(), moveOptions(full(t, sqldbtest.SQLite(t)), to)); !errors.Is(err, sqldb.ErrNotEmpty) || !strings.Contains(err.Error(), "ketoan") {
			t.Errorf("%v", err)
		}
	})
	t.Run("begun by another co-op", func(t *testing.T) {
		to := fresh()
		begin(t, moveOptions(full(t, sqldbtest.SQLite(t)), to))
		o := moveOptions(full(t, sqldbtest.SQLite(t)), to)
		o.Origin = "htx-khac"
		if _, err := move(t.Context(), o); !errors.Is(err, sqldb.ErrNotEmpty) || !strings.Contains(err.Error(), "htx-thu") {
			t.Errorf("%v", err)
		}
	})
	t.Run("begun from another copy", func(t *testing.T) {
		to := fresh()
		begin(t, moveOptions(full(t, sqldbtest.SQLite(t)), to))
		if _, err := move(t.Context(), moveOptions(full(t, sqldbtest.SQLite(t)), to)); err == nil || !strings.Contains(err.Error(), "not the same in both") {
			t.Errorf("%v", err)
		}
	})
	t.Run("arrived in, and the old one restored", func(t *testing.T) {
		from, to := full(t, sqldbtest.SQLite(t)), fresh()
		copied := filepath.Join(t.TempDir(), "server.db")
		if err := sqldb.Snapshot(t.Context(), from.DSN, copied); err != nil {
			t.Fatal(err)
		}
		if _, err := move(t.Context(), moveOptions(from, to)); err != nil {
			t.Fatal(err)
		}
		if _, err := move(t.Context(), moveOptions(sqldb.Config{Driver: sqldb.SQLite, DSN: copied}, to)); !errors.Is(err, sqldb.ErrNotEmpty) {
			t.Errorf("%v", err)
		}
	})
	t.Run("tables of a server that was never used", func(t *testing.T) {
		to := fresh()
		if err := sqldbtest.Open(t, to).Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := move(t.Context(), moveOptions(full(t, sqldbtest.SQLite(t)), to)); err != nil {
			t.Errorf("%v", err)
		}
	})
}

// begin copies ahead and ends.
func begin(t *testing.T, o sqldb.MoveOptions) {
	t.Helper()
	m, err := sqldb.NewMove(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Ahead(t.Context())
	if err := errors.Join(err, m.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestMove_SaysWhichRowPostgresCannotKeep(t *testing.T) {
	from, to := sqldbtest.SQLite(t), sqldb.Config{Driver: sqldb.Postgres, DSN: parttest.Postgres(t)}
	if err := sqldbtest.Open(t, from).Close(); err != nil {
		t.Fatal(err)
	}
	sqldbtest.Tamper(t, from, `INSERT INTO gateway_state (gateway, state, state_ms) VALUES ('gw-ao', $1, 1)`, "a\x00b")
	_, err := move(t.Context(), moveOptions(from, to))
	if err == nil || !strings.Contains(err.Error(), "gateway_state") || !strings.Contains(err.Error(), "gw-ao") || !strings.Contains(err.Error(), "column state") {
		t.Fatalf("%v", err)
	}
	sqldbtest.Open(t, from) // it counts as before
	sqldbtest.Tamper(t, from, `UPDATE gateway_state SET state = 'ab'`)
	if _, err := move(t.Context(), moveOptions(from, to)); err != nil {
		t.Error(err)
	}
}

func TestMove_FindsAHoleInTheLog(t *testing.T) {
	from, to := sqldbtest.SQLite(t), sqldb.Config{Driver: sqldb.Postgres, DSN: parttest.Postgres(t)}
	full(t, from, 20)
	sqldbtest.Tamper(t, from, `DELETE FROM batch WHERE position = 7`)
	if _, err := move(t.Context(), moveOptions(from, to)); err == nil || !strings.Contains(err.Error(), "hole") {
		t.Errorf("%v", err)
	}
}

func TestMove_UndoGivesTheOldOneBackOnlyWhereTheNewOneNeverCounted(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to sqldb.Config) {
		full(t, from, 5)
		if _, err := move(t.Context(), moveOptions(from, to)); err != nil {
			t.Fatal(err)
		}
		if err := sqldb.Undo(t.Context(), moveOptions(from, to)); err == nil || !strings.Contains(err.Error(), "counts already") {
			t.Errorf("undone though the new one counts: %v", err)
		}
		// As if it had been cut off after the old one was left.
		sqldbtest.Tamper(t, to, `UPDATE meta SET value = REPLACE(value, '"arrived"', '"whole"') WHERE name = 'move_arrival'`)
		if err := sqldb.Undo(t.Context(), moveOptions(from, to)); err != nil {
			t.Fatal(err)
		}
		if _, err := sqldb.Open(t.Context(), to); !errors.Is(err, sqldb.ErrArriving) {
			t.Errorf("the new one: %v", err)
		}
		db, err := sqldb.Open(t.Context(), from)
		if err != nil {
			t.Fatal(err)
		}
		_, err = appendAll(t.Context(), db, mustChain(t, "gw-hai"), 2)
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		if err := sqldb.Undo(t.Context(), moveOptions(from, to)); err == nil {
			t.Error("undone twice")
		}
		if out, err := move(t.Context(), moveOptions(from, to)); err != nil || out.Batches != 7 {
			t.Errorf("%+v, %v", out, err)
		}
		alike(t, from, to)
	})
}
