package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"go.uber.org/goleak"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/history/historytest"
	"aovuon/server/history/sqlite"
)

// childEnv makes the test binary a writer that is going to be killed.
const childEnv = "AOVUON_TEST_HISTORY_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		if err := writer(path); err != nil {
			io.WriteString(os.Stderr, err.Error()) //nolint:errcheck // about to end
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore_KeepsTheContract(t *testing.T) {
	paths := map[history.Store]string{}
	historytest.Run(t, historytest.Engine{
		Open: func(t *testing.T) history.Store {
			path := filepath.Join(t.TempDir(), "lịch sử 100%?#.db")
			s := open(t, path)
			if _, err := os.Stat(path); err != nil {
				t.Fatalf("the file is not where it was asked for: %v", err)
			}
			paths[s] = path
			return s
		},
		Reopen: func(t *testing.T, closed history.Store) history.Store {
			s := open(t, paths[closed])
			paths[s] = paths[closed]
			return s
		},
	})
}

func series(i int) history.Series {
	return history.Series{Place: "AO1", Quantity: measure.DissolvedOxygen, Gateway: "gw", Sensor: "s" + strconv.Itoa(i)}
}

func at(i int) history.Point {
	return history.Point{Series: series(i % 3), Time: time.UnixMilli(1_780_000_000_000 + int64(i)*1000).UTC(), Value: float64(i)}
}

// writer writes points 0, 1, 2 … in calls of ten and says after each call how many are acknowledged.
func writer(path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	n := 0
	for i := range 3 { // go on after what is there
		if err := s.Each(ctx, series(i), time.Time{}, time.Unix(1<<33, 0), func(history.Point) error { n++; return nil }); err != nil {
			return err
		}
	}
	n -= n % 10
	for {
		points := make([]history.Point, 10)
		for i := range points {
			points[i] = at(n + i)
		}
		if err := s.Write(ctx, points); err != nil {
			return err
		}
		n += 10
		if _, err := fmt.Fprintln(os.Stdout, n); err != nil {
			return err
		}
	}
}

func TestStore_AcknowledgedSurvivesKill9(t *testing.T) {
	kills := 25
	if testing.Short() {
		kills = 3
	}
	path := filepath.Join(t.TempDir(), "history.db")
	acked := 0
	for kill := range kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+path)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for i := 0; lines.Scan(); i++ {
			if acked, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
			if i == 20+7*kill%31 { // under load, at another moment each time
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
			t.Fatalf("writer ended by itself: %v %s", err, stderr.String())
		}
		s := open(t, path)
		n := 0
		for i := range 3 {
			want := i
			if err := s.Each(t.Context(), series(i), time.Time{}, time.Unix(1<<33, 0), func(p history.Point) error {
				if p.Value != float64(want) {
					return fmt.Errorf("found %v where %d belongs", p.Value, want)
				}
				want += 3
				n++
				return nil
			}); err != nil {
				t.Fatalf("kill %d: %v", kill, err)
			}
		}
		if n < acked || n%10 != 0 {
			t.Fatalf("kill %d: %d points there, %d acknowledged: want all of these, and whole calls", kill, n, acked)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d points acknowledged, none lost", kills, acked)
}

func TestOpen_RefusesWhatIsNoHistoryFile(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.db")
	exec1(t, other, "CREATE TABLE batch (id BIGINT)")
	newer := filepath.Join(dir, "newer.db")
	s := open(t, newer)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	exec1(t, newer, "PRAGMA user_version = 4")
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ path, says string }{
		"another database": {other, "no history file"},
		"newer version":    {newer, "version 4"},
		"no database":      {text, "damaged"},
		"no folder":        {filepath.Join(dir, "missing", "x.db"), "folder exists"},
		"a folder":         {dir, "cannot be written"},
		"no name":          {"", "no file named"},
	} {
		s, err := sqlite.Open(t.Context(), tc.path)
		if !errors.Is(err, history.ErrConfiguration) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v: want ErrConfiguration that says %q", name, err, tc.says)
		}
		if s != nil {
			t.Errorf("%s: a store beside the error", name)
		}
	}
	if got := exec1(t, other, "SELECT count(*) FROM sqlite_schema"); got != "1" {
		t.Errorf("the other database now has %s tables", got)
	}
}

// exec1 runs a statement past the store and returns the first column of its first row.
func exec1(t *testing.T, path, q string) (got string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRowContext(t.Context(), q).Scan(&got); err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestStore_IsDurableByItsSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	s := open(t, path)
	defer closed(t, s)
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2" /* FULL */, "temp_store": "2" /* memory */} {
		if got, err := s.Pragma(t.Context(), name); err != nil || got != want {
			t.Errorf("%s = %s, %v: want %s", name, got, err, want)
		}
	}
	if err := s.Write(t.Context(), []history.Point{at(0)}); err != nil {
		t.Fatal(err)
	}
	// They are not checked with each point: a point is written in the transaction that looked its series up.
	if got := exec1(t, path, "SELECT count(*) FROM pragma_foreign_key_check"); got != "0" {
		t.Errorf("%s rows refer to nothing", got)
	}
	if got := exec1(t, path, "PRAGMA application_id"); got != strconv.Itoa(0x416F4856) {
		t.Errorf("application_id = %s", got)
	}
}

func closed(t testing.TB, s *sqlite.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestStore_LockedFileIsUnavailableAndHeals(t *testing.T) {
	if testing.Short() {
		t.Skip("waits out the busy timeout of 5 s")
	}
	path := filepath.Join(t.TempDir(), "h.db")
	s := open(t, path)
	defer closed(t, s)
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), []history.Point{at(0)}); !errors.Is(err, history.ErrUnavailable) {
		t.Errorf("Write to a locked file = %v: want ErrUnavailable", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), []history.Point{at(0)}); err != nil {
		t.Errorf("Write after it = %v", err)
	}
}

func TestStore_TwoProcessesShareOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	a, b := open(t, path), open(t, path)
	defer closed(t, a)
	defer closed(t, b)
	for i := range 6 {
		w, r := a, b
		if i%2 == 1 {
			w, r = b, a
		}
		if err := w.Write(t.Context(), []history.Point{at(i)}); err != nil {
			t.Fatal(err)
		}
		got, err := r.Latest(t.Context(), []history.Series{series(i % 3)})
		if err != nil || len(got) != 1 || got[0] != at(i) {
			t.Errorf("the other reads %v, %v, want %v", got, err, at(i))
		}
	}
}

// A series that a failed Write would have created must not be remembered.
func TestStore_ForgetsTheSeriesOfAWriteThatFailed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	s := open(t, path)
	defer closed(t, s)
	exec1(t, path, "CREATE TRIGGER no BEFORE INSERT ON point BEGIN SELECT raise(ABORT, 'not now'); END")
	if err := s.Write(t.Context(), []history.Point{at(0)}); err == nil {
		t.Fatal("Write succeeded")
	}
	exec1(t, path, "DROP TRIGGER no")
	if got := exec1(t, path, "SELECT count(*) FROM series"); got != "0" {
		t.Errorf("%s series are left of a failed write", got)
	}
	if err := s.Write(t.Context(), []history.Point{at(1), at(0)}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Latest(t.Context(), []history.Series{series(0)}); err != nil || len(got) != 1 || got[0] != at(0) {
		t.Errorf("Latest = %v, %v", got, err)
	}
}

// A command has the new file open while a server starts on a machine that is slow: the server waits for longer than SQLite's timeout.
func TestOpen_OutwaitsTheBusyTimeout(t *testing.T) {
	if testing.Short() {
		t.Skip("waits out the busy timeout of 5 s")
	}
	path := filepath.Join(t.TempDir(), "h.db")
	other, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // the test is over
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRowContext(t.Context(), `SELECT count(*) FROM sqlite_schema`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		s, err := sqlite.Open(t.Context(), path)
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("opened while somebody else held it: %v", err)
	case <-time.After(5500 * time.Millisecond):
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}
