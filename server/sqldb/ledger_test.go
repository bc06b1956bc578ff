package sqldb_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
)

func byAt(t time.Time) ledger.By { return ledger.By{Actor: ledger.Operator, At: t} }

// head recomputes the tree from the leaves alone and compares it with the one made of the stored hashes.
func head(t *testing.T, db *sqldb.DB) (size int64, root tlog.Hash) {
	t.Helper()
	size, err := db.LedgerSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if root, err = tlog.TreeHash(size, db.LedgerHashes(t.Context())); err != nil {
		t.Fatal(err)
	}
	leaves, err := db.LedgerLeaves(t.Context(), 0, size+10)
	if err != nil || int64(len(leaves)) != size {
		t.Fatalf("%d leaves of %d, %v", len(leaves), size, err)
	}
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, x := range at {
			out[i] = stored[x]
		}
		return out, nil
	})
	for n, raw := range leaves {
		hashes, err := tlog.StoredHashes(int64(n), raw, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
	}
	again, err := tlog.TreeHash(size, read)
	if err != nil || again != root {
		t.Fatalf("the tree of the leaves is %v, of the stored hashes %v; %v", again, root, err)
	}
	return size, root
}

func TestLedger_SpeaksOfEveryTraceRow(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, d := demoFarm(t)
		for range 2 { // the second time says nothing new, so the tree says nothing new
			for _, err := range []error{
				db.SaveFarm(t.Context(), f, byAt(noon)), db.SaveProduct(t.Context(), d.Product, byAt(noon)),
				db.SaveLot(t.Context(), d.Lot, byAt(noon)), db.SaveCertificate(t.Context(), d.Certificate, byAt(noon)),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		d.Lot.KG += 20
		if err := db.SaveLot(t.Context(), d.Lot, byAt(noon.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		if size, _ := head(t, db); size != 12 {
			t.Fatalf("%d leaves, want seven of land, farm, product, lot, certificate and the lot changed", size)
		}
		at, err := db.LedgerFind(t.Context(), d.Lot.Link().Path(), ledger.LotSaved)
		if err != nil || fmt.Sprint(at) != "[9 11]" {
			t.Fatalf("leaves of the lot: %v, %v", at, err)
		}
		leaves, err := db.LedgerLeaves(t.Context(), 0, 12)
		if err != nil {
			t.Fatal(err)
		}
		first, err := ledger.ParseLeaf(leaves[9])
		if err != nil {
			t.Fatal(err)
		}
		second, err := ledger.ParseLeaf(leaves[11])
		if err != nil || second.Previous == nil || *second.Previous != first.Hash() || first.Previous != nil {
			t.Errorf("the second leaf does not name the first: %+v, %v", second, err)
		}
		salt, body, err := db.LedgerBody(t.Context(), 11)
		if err != nil || second.Content != ledger.ContentHash(salt, body) {
			t.Fatalf("body %s does not hash to the leaf; %v", body, err)
		}
		var told trace.Lot
		if err := json.Unmarshal(body, &told); err != nil || told.KG != d.Lot.KG {
			t.Errorf("body tells %+v, %v", told, err)
		}
	})
}

func TestLedger_WhatFailsIsNotSaid(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, d := demoFarm(t)
		if err := db.SaveFarm(t.Context(), f, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		size, root := head(t, db)
		if err := db.SaveLot(t.Context(), d.Lot, byAt(noon)); err == nil {
			t.Fatal("a lot of no product was saved")
		}
		if err := db.SaveProduct(t.Context(), d.Product, ledger.By{Actor: "chị Hoa", At: noon}); err == nil {
			t.Fatal("a person's name went into the tree")
		}
		if s, r := head(t, db); s != size || r != root {
			t.Errorf("a tree of %d leaves became one of %d", size, s)
		}
	})
}

func TestLedger_ErasedBodyLeavesTheTreeWhole(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f, _ := demoFarm(t)
		if err := db.SaveFarm(t.Context(), f, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		n, root := head(t, db) // the farm's leaf is the last
		if err := db.EraseLedgerBody(t.Context(), n-1); err != nil {
			t.Fatal(err)
		}
		if err := db.EraseLedgerBody(t.Context(), n); !errors.Is(err, ledger.ErrNoLeaf) {
			t.Errorf("erasing what is not there: %v", err)
		}
		salt, body, err := db.LedgerBody(t.Context(), n-1)
		if err != nil || salt != nil || body != nil {
			t.Errorf("after erasing: salt %x, body %s, %v", salt, body, err)
		}
		if _, again := head(t, db); again != root {
			t.Error("erasing changed the tree")
		}
		if err := db.SaveFarm(t.Context(), f, byAt(noon)); err != nil { // what was erased may be said again
			t.Fatal(err)
		}
		if size, _ := head(t, db); size != n+1 {
			t.Errorf("%d leaves", size)
		}
	})
}

func TestLedger_WritersTakeTurns(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, c sqldb.Config) {
		db := sqldbtest.Open(t, c)
		const writers, each = 8, 10
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					p := trace.Product{GTIN: fmt.Sprintf("%014d", w*each+i), Name: farm.Text{VI: "rau", EN: "greens"}}
					if err := db.SaveProduct(t.Context(), p, byAt(noon)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if size, _ := head(t, db); size != writers*each {
			t.Errorf("%d leaves, want %d", size, writers*each)
		}
	})
}

func TestLedger_KeepsTheNewestHead(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if note, err := db.Checkpoint(t.Context(), 0); err != nil || note != nil {
			t.Fatalf("head of an empty tree: %q, %v", note, err)
		}
		for _, c := range []struct {
			size int64
			note string
		}{{1, "one"}, {3, "three"}, {3, "three, witnessed"}} {
			if err := db.SaveCheckpoint(t.Context(), c.size, []byte(c.note), noon); err != nil {
				t.Fatal(err)
			}
		}
		if note, err := db.Checkpoint(t.Context(), 2); err != nil || !bytes.Equal(note, []byte("three, witnessed")) {
			t.Errorf("%q, %v", note, err)
		}
		if note, err := db.Checkpoint(t.Context(), 4); err != nil || note != nil {
			t.Errorf("a head of 4 leaves: %q, %v", note, err)
		}
	})
}

func BenchmarkLedger_Enter(b *testing.B) {
	db := sqldbtest.Open(b, sqldbtest.SQLite(b))
	for i := 0; b.Loop(); i++ {
		p := trace.Product{GTIN: fmt.Sprintf("%014d", i), Name: farm.Text{VI: "rau", EN: "greens"}}
		if err := db.SaveProduct(b.Context(), p, byAt(noon)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
}
