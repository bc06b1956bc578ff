package flow_test

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// killEnv names the database of a process that is to be killed.
const killEnv = "AOVUON_FLOW_KILLED"

// TestKilled kills a process that packs, boxes, ships and takes back, again and again. Whatever it had told to be kept is there, whole, and
// everything that is there agrees.
func TestKilled(t *testing.T) {
	if dsn := os.Getenv(killEnv); dsn != "" {
		toBeKilled(t, dsn)
		return
	}
	c := sqldbtest.Fresh(t)
	r := newRig(t, sqldbtest.Open(t, c))
	r.take(minh, trace.Goods{Kind: trace.Issue, In: part(r.lot, 0)})
	told := 0
	for round := range parttest.Effort(t, 3, 10, 60, 60) {
		for _, id := range runAndKill(t, c.DSN, 3+7*round%40) {
			told++
			if _, ok, err := r.db.GoodsEvent(t.Context(), id); err != nil || !ok {
				t.Fatalf("event %s was told to be kept: %v %v", id, ok, err)
			}
			if list, err := r.db.LedgerFind(t.Context(), id, ledger.GoodsMoved); err != nil || len(list) != 1 {
				t.Fatalf("event %s has leaves %v, %v", id, list, err)
			}
		}
		books, err := r.db.GoodsBooks(t.Context())
		if err != nil || len(books.Faults()) > 0 || len(books.Events) < told {
			t.Fatalf("round %d: %d events of %d that were told: %+v, %v", round, len(books.Events), told, books.Faults(), err)
		}
	}
	if a := r.account(r.lot); a.Over() {
		t.Errorf("account %+v", a)
	}
	t.Logf("%d events were told to be kept before a kill", told)
}

// runAndKill runs a process until it has told of n events, kills it, and returns what it told.
func runAndKill(t *testing.T, dsn string, n int) (ids []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), killEnv+"="+dsn)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var id string
		if _, err := fmt.Sscanf(lines.Text(), "kept %s", &id); err != nil {
			t.Fatalf("%q", lines.Text())
		}
		if ids = append(ids, id); len(ids) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err == nil {
		t.Fatal("it ended by itself")
	}
	return ids
}

// toBeKilled takes orders for ever.
func toBeKilled(t *testing.T, dsn string) {
	t.Helper()
	db := sqldbtest.Open(t, sqldbtest.Chosen(dsn))
	d := flow.New(db, db, flow.Defaults(), rand.Reader, time.Now, slog.New(slog.DiscardHandler))
	take := func(g trace.Goods) trace.Goods {
		out, err := d.Take(t.Context(), minh, g)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("kept", out.ID) // what the parent reads
		return out
	}
	lot := lotOf(fish, "AO1-261124")
	for {
		take(trace.Goods{Kind: trace.Pack, In: part(lot, 0), Out: []trace.Part{{Count: 20}}, NetG: 10})
		box := take(trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: lot, Count: 15}, {Ref: lot, KG: 0.1}}}).Out
		ship := take(trace.Goods{Kind: trace.Ship, In: box, Buyer: "bep"})
		take(trace.Goods{Kind: trace.Amend, Voids: ship.ID, Reason: "x"})
		take(trace.Goods{Kind: trace.EmptyBox, In: box})
		take(trace.Goods{Kind: trace.Destroy, Step: trace.StepLabels, In: []trace.Part{{Ref: lot, Count: 20}}, Reason: "x"})
	}
}
