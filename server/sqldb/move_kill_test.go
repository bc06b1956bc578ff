package sqldb_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// A mover is killed at every table that it comes to, and starts again.
func TestMove_KilledAtAnyMomentLeavesOneDatabaseThatCounts(t *testing.T) {
	kills := parttest.Effort(t, 3, 8, 60, 300)
	eachWay(t, func(t *testing.T, from, to sqldb.Config) {
		full(t, from, 2000)
		done, killed := false, 0
		for after := 0; !done; after++ {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), asMover+"="+strings.Join([]string{from.Driver, from.DSN, to.Driver, to.DSN}, "|"))
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var complaints strings.Builder
			cmd.Stderr = &complaints
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// It is killed while it copies the table that it has come to, further on each time; the last one may finish.
			lines := linesUntil(t, out, after*80/kills)
			if after < kills && lines {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				killed++
			}
			err = cmd.Wait()
			done = err == nil
			if !done && complaints.Len() > 0 && !strings.Contains(complaints.String(), "in use") {
				t.Fatalf("mover: %v: %s", err, complaints.String())
			}
			if !done && after > kills+5 {
				t.Fatalf("it does not end: %v %s", err, complaints.String())
			}
			one(t, from, to, done)
		}
		alike(t, from, to)
		t.Logf("%d kills", killed)
	})
}

// linesUntil reads n lines; false where there were less.
func linesUntil(t *testing.T, r interface{ Read([]byte) (int, error) }, n int) bool {
	t.Helper()
	buf := make([]byte, 1)
	for n > 0 {
		if _, err := r.Read(buf); err != nil {
			return false
		}
		if buf[0] == '\n' {
			n--
		}
	}
	return true
}

// one checks that exactly one of both databases can be opened, or none where the next run hands over.
func one(t *testing.T, from, to sqldb.Config, done bool) {
	t.Helper()
	var opened []string
	for _, c := range []sqldb.Config{from, to} {
		db, err := sqldb.Open(t.Context(), c)
		if err == nil {
			opened = append(opened, c.Driver)
			err = db.Close()
		}
		if err != nil && !errors.Is(err, sqldb.ErrMoved) && !errors.Is(err, sqldb.ErrArriving) {
			t.Fatal(err)
		}
	}
	if len(opened) == 2 && !done && !sqldbtest.HasRows(t, to, "meta") {
		return // it was killed before the move was written down: the new one is empty
	}
	if len(opened) > 1 || done && len(opened) != 1 {
		t.Fatalf("%v can be opened", opened)
	}
}
