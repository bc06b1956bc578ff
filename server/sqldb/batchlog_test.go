package sqldb_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// asWriter makes the test binary append to the database it names until it is killed.
const asWriter = "AOVUON_TEST_APPEND_TO"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(asWriter); dsn != "" {
		fmt.Fprintln(os.Stderr, appendForEver(sqldb.Config{Driver: os.Getenv(asWriter + "_DRIVER"), DSN: dsn}))
		os.Exit(1)
	}
	if dsn := os.Getenv(asRecorder); dsn != "" {
		if err := recordRounds(sqldb.Config{Driver: sqldb.SQLite, DSN: dsn}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if text := os.Getenv(asMover); text != "" {
		if err := moveFromEnv(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(parttest.Sharing(m))
}

// chain seals batches of one gateway.
type chain struct {
	signer note.Signer
	seq    uint64
	prev   wire.Hash
	key    ingest.Chain
}

func newChain(gateway string) (*chain, error) {
	skey, _, err := note.GenerateKey(rand.Reader, gateway)
	if err != nil {
		return nil, err
	}
	s, err := note.NewSigner(skey)
	return &chain{signer: s, key: ingest.Chain{Gateway: gateway, Epoch: "00000000000000e1"}}, err
}

func (c *chain) next() ([]byte, error) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	b := &wire.Batch{
		Gateway: c.key.Gateway, Epoch: c.key.Epoch, Seq: c.seq + 1, Prev: c.prev, Boot: "00112233",
		Readings: []measure.Reading{{
			Sensor: "ao1-temp", Quantity: measure.WaterTemperature, Value: float64(c.seq % 30),
			Time: measure.Instant{Wall: at.Add(time.Duration(c.seq) * time.Second), Boot: "00112233"},
		}},
	}
	sealed, err := wire.Seal(b, c.signer)
	c.seq, c.prev = c.seq+1, wire.HashOf(sealed)
	return sealed, err
}

// appendAll appends n batches of c in one transaction.
func appendAll(ctx context.Context, db *sqldb.DB, c *chain, n int) (last int64, err error) {
	var rows []ingest.Row
	for range n {
		sealed, err := c.next()
		if err != nil {
			return 0, err
		}
		rows = append(rows, ingest.Row{
			Chain: c.key, Seq: c.seq, Hash: c.prev, Received: time.UnixMilli(1_800_000_000_000 + int64(c.seq)), Body: db.Pack(sealed),
		})
	}
	return db.Append(ctx, []ingest.Chain{c.key}, func(map[ingest.Chain]ingest.Head, ingest.HashAt) ([]ingest.Row, error) { return rows, nil })
}

func mustChain(t *testing.T, gateway string) *chain {
	t.Helper()
	c, err := newChain(gateway)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCountChains_CountsRowsAndNotNumbers(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		one, two := mustChain(t, "gw-one"), mustChain(t, "gw-two")
		for range 4 { // never stored, as if they were missing: Append leaves what is right to whoever decides
			if _, err := two.next(); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []*chain{two, one, one} {
			if _, err := appendAll(ctx, db, c, 3); err != nil {
				t.Fatal(err)
			}
		}
		got, err := db.CountChains(ctx)
		want := []sqldb.ChainCount{{Chain: one.key, Batches: 6, Seq: 6}, {Chain: two.key, Batches: 3, Seq: 7}}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
	})
}

func TestAppend_PositionsRunWithoutHoles(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		one, two := mustChain(t, "gw-one"), mustChain(t, "gw-two")
		want := int64(0)
		for i, n := range []int{1, 300, 7, 128, 129} {
			c := one
			if i%2 == 1 {
				c = two
			}
			last, err := appendAll(ctx, db, c, n)
			want += int64(n)
			if err != nil || last != want {
				t.Fatalf("append %d: last %d, %v; want %d", n, last, err, want)
			}
		}
		refused := errors.New("no")
		if _, err := db.Append(ctx, nil, func(map[ingest.Chain]ingest.Head, ingest.HashAt) ([]ingest.Row, error) { return nil, refused }); !errors.Is(err, refused) {
			t.Fatalf("error of decide: %v", err)
		}
		checkTail(t, db, want)
	})
}

// checkTail reads the log in bites and checks that nothing is missing and every chain holds.
func checkTail(t *testing.T, db *sqldb.DB, want int64) {
	t.Helper()
	heads := map[string]uint64{}
	at := int64(0)
	for {
		records, err := db.After(t.Context(), at, 50, 40)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			break
		}
		if len(records) > 40 {
			t.Fatalf("%d records where 40 readings were asked for", len(records))
		}
		for _, r := range records {
			if r.Position != at+1 {
				t.Fatalf("position %d after %d", r.Position, at)
			}
			at = r.Position
			if r.Batch.Seq != heads[r.Batch.Gateway]+1 {
				t.Fatalf("%s: seq %d after %d", r.Batch.Gateway, r.Batch.Seq, heads[r.Batch.Gateway])
			}
			heads[r.Batch.Gateway] = r.Batch.Seq
		}
	}
	if end, err := db.LogEnd(t.Context()); err != nil || end != at || (want > 0 && at != want) {
		t.Fatalf("log ends at %d, %v; read up to %d, want %d", end, err, at, want)
	}
}

// TestAfter_GapsCountLikeReadings: batches that hold nothing but gaps must not fill the memory of who reads the log.
func TestAfter_GapsCountLikeReadings(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		c := mustChain(t, "gw-one")
		at := measure.Instant{Wall: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Boot: "00112233"}
		var rows []ingest.Row
		for seq := range uint64(10) {
			b := &wire.Batch{Gateway: "gw-one", Epoch: c.key.Epoch, Seq: seq + 1, Prev: c.prev, Boot: at.Boot}
			for range 100 {
				b.Gaps = append(b.Gaps, wire.Gap{From: at, To: at, Lost: 1, Reason: wire.GapDiskFailed})
			}
			sealed, err := wire.Seal(b, c.signer)
			if err != nil {
				t.Fatal(err)
			}
			c.prev = wire.HashOf(sealed)
			rows = append(rows, ingest.Row{Chain: c.key, Seq: seq + 1, Hash: c.prev, Received: at.Wall, Body: db.Pack(sealed)})
		}
		if _, err := db.Append(t.Context(), []ingest.Chain{c.key}, func(map[ingest.Chain]ingest.Head, ingest.HashAt) ([]ingest.Row, error) { return rows, nil }); err != nil {
			t.Fatal(err)
		}
		if got, err := db.After(t.Context(), 0, 10, 150); err != nil || len(got) != 2 {
			t.Errorf("%d records of 100 gaps where 150 were asked for, %v", len(got), err)
		}
	})
}

func TestAppend_SameNumberTwiceIsImpossible(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		c := mustChain(t, "gw-one")
		if _, err := appendAll(t.Context(), db, c, 3); err != nil {
			t.Fatal(err)
		}
		again := *c
		again.seq--
		if _, err := appendAll(t.Context(), db, &again, 1); err == nil {
			t.Fatal("a second batch of the same number was stored")
		}
		checkTail(t, db, 3)
		if _, err := appendAll(t.Context(), db, c, 1); err != nil {
			t.Fatalf("after the failure: %v", err)
		}
		checkTail(t, db, 4)
	})
}

func TestAppend_HeadsAndHashes(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		ctx := t.Context()
		c := mustChain(t, "gw-one")
		db := sqldbtest.Open(t, cfg)
		if _, err := appendAll(ctx, db, c, 5); err != nil {
			t.Fatal(err)
		}
		for range 2 { // from memory, and from the table
			_, err := db.Append(ctx, []ingest.Chain{c.key, {Gateway: "gw-two", Epoch: "e"}}, func(heads map[ingest.Chain]ingest.Head, at ingest.HashAt) ([]ingest.Row, error) {
				if want := (ingest.Head{Seq: 5, Hash: c.prev}); len(heads) != 1 || heads[c.key] != want {
					t.Errorf("heads %v, want %v", heads, want)
				}
				h, ok, err := at(ctx, c.key, 5)
				if err != nil || !ok || h != c.prev {
					t.Errorf("hash at 5: %v %v %v", h, ok, err)
				}
				if _, ok, err := at(ctx, c.key, 6); ok || err != nil {
					t.Errorf("hash at 6: %v %v", ok, err)
				}
				return nil, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			db = sqldbtest.Open(t, cfg)
		}
		sealed, err := db.Sealed(ctx, c.key, 5)
		if err != nil || wire.HashOf(sealed) != c.prev {
			t.Errorf("sealed bytes came back changed: %v", err)
		}
	})
}

func TestAppend_TwoProcessesTakeTurns(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		ctx := t.Context()
		const writers, rounds = 4, 25
		done := make(chan struct{})
		var wg, readers sync.WaitGroup
		for i := range writers {
			db := sqldbtest.Open(t, cfg) // a pool of its own, as another process has
			c := mustChain(t, fmt.Sprintf("gw-%d", i))
			wg.Go(func() {
				for range rounds {
					if _, err := appendAll(ctx, db, c, 3); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		db := sqldbtest.Open(t, cfg)
		readers.Go(func() { // a tail reader must never be overtaken
			at := int64(0)
			for {
				records, err := db.After(ctx, at, 1000, 0)
				if err != nil {
					t.Error(err)
					return
				}
				for _, r := range records {
					if r.Position != at+1 {
						t.Errorf("position %d after %d", r.Position, at)
					}
					at = r.Position
				}
				select {
				case <-done:
					if len(records) == 0 {
						return
					}
				default:
				}
			}
		})
		wg.Wait()
		close(done)
		readers.Wait()
		checkTail(t, db, writers*rounds*3)
	})
}

// appendForEver appends and prints each position once it is committed.
func appendForEver(c sqldb.Config) error {
	ctx := context.Background()
	db, err := sqldb.Open(ctx, c)
	if err != nil {
		return err
	}
	ch, err := newChain(fmt.Sprintf("gw-%d", os.Getpid()))
	if err != nil {
		return err
	}
	for {
		last, err := appendAll(ctx, db, ch, 4)
		if err != nil {
			return err
		}
		if _, err := fmt.Println(last); err != nil {
			return err
		}
	}
}

func TestAppend_WhatWasCommittedSurvivesKill(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, cfg sqldb.Config) {
		sqldbtest.Open(t, cfg)
		reported := int64(0)
		for range 8 {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), asWriter+"="+cfg.DSN, asWriter+"_DRIVER="+cfg.Driver)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for range 20 { // the load runs before the fault, else the run says nothing
				var p int64
				if _, err := fmt.Fscanln(out, &p); err != nil {
					t.Fatal(err)
				}
				reported = max(reported, p)
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			for {
				var p int64
				if _, err := fmt.Fscanln(out, &p); err != nil {
					break
				}
				reported = max(reported, p)
			}
			if err := cmd.Wait(); err == nil {
				t.Fatal("the writer ended by itself")
			}
			db := sqldbtest.Open(t, cfg)
			end, err := db.LogEnd(t.Context())
			if err != nil || end < reported {
				t.Fatalf("log ends at %d, %v; %d was reported committed", end, err, reported)
			}
			checkTail(t, db, end)
		}
	})
}

func TestPack_RoundTripsThroughTheLog(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.SQLite(t))
	c := mustChain(t, "gw-one")
	sealed, err := c.next()
	if err != nil {
		t.Fatal(err)
	}
	packed := db.Pack(sealed)
	if len(packed) > len(sealed)+1 {
		t.Errorf("packed %d bytes into %d", len(sealed), len(packed))
	}
	noise := make([]byte, 400)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	if p := db.Pack(noise); len(p) != 401 || p[0] != 0 || !slices.Equal(p[1:], noise) {
		t.Errorf("what cannot be packed is stored as it is, after a 0; got %d bytes, first %d", len(p), p[0])
	}
}

func TestLastBatches_AreThoseOfTheNewestEpoch(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		one, two := mustChain(t, "gw-one"), mustChain(t, "gw-two")
		for _, n := range []int{5, 4} {
			for _, c := range []*chain{one, two} {
				if _, err := appendAll(ctx, db, c, n); err != nil {
					t.Fatal(err)
				}
			}
		}
		for limit, want := range map[int][]uint64{3: {9, 8, 7}, 100: {9, 8, 7, 6, 5, 4, 3, 2, 1}, 0: nil} {
			list, err := db.LastBatches(ctx, "gw-one", limit)
			if err != nil {
				t.Fatal(err)
			}
			var got []uint64
			for _, r := range list {
				if r.Batch.Gateway != "gw-one" {
					t.Errorf("a batch of %s", r.Batch.Gateway)
				}
				got = append(got, r.Batch.Seq)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d: got %v, want %v", limit, got, want)
			}
		}
		if list, err := db.LastBatches(ctx, "gw-nobody", 3); len(list) != 0 || err != nil {
			t.Errorf("of nobody: %d, %v", len(list), err)
		}
	})
}
