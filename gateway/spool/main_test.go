package spool_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"aovuon/gateway/spool"
)

// asChild makes the test binary a program that adds records and says which are acknowledged, until it is killed.
const asChild = "AOVUON_SPOOL_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(asChild); path != "" {
		work := child
		if os.Getenv(asChild+"_ROUNDS") != "" {
			work = rounds
		}
		if err := work(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// child adds numbered records, seals some of them and releases some batches, and prints a line for each step that was
// acknowledged: "a N" record N was added, "s N" batch N was sealed, "r N" batches to N were released.
func child(path string) error {
	ctx := context.Background()
	s, _, err := spool.Open(ctx, path, time.Now)
	if err != nil {
		return err
	}
	st, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	say := func(kind string, n uint64) error {
		if _, err := fmt.Fprintln(out, kind, n); err != nil {
			return err
		}
		return out.Flush()
	}
	next := uint64(time.Now().UnixNano()) // numbers grow over restarts
	for {
		var records [][]byte
		for range 1 + next%7 {
			next++
			records = append(records, number(next))
		}
		if err := s.Add(ctx, records); err != nil {
			return err
		}
		if err := say("a", next); err != nil {
			return err
		}
		if next%3 == 0 {
			var seq uint64
			if _, err := s.Seal(ctx, 20, func(n spool.Next, r [][]byte) ([]byte, int, error) {
				seq = n.Seq
				return join(n, r), len(r), nil
			}); err != nil {
				return err
			}
			if err := say("s", seq); err != nil {
				return err
			}
			if seq > st.Released+10 {
				st.Released = seq - 10
				if err := s.Release(ctx, s.Epoch(), st.Released); err != nil {
					return err
				}
				if err := say("r", st.Released); err != nil {
					return err
				}
			}
		}
	}
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// join is a batch as these tests know it: seq, the hash before, and the records.
func join(n spool.Next, records [][]byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, n.Seq)
	b = append(b, n.Prev[:]...)
	for _, r := range records {
		b = append(b, r...)
	}
	return b
}

// split is the inverse of join.
func split(b []byte) (seq uint64, prev [32]byte, records [][]byte) {
	seq = binary.BigEndian.Uint64(b)
	copy(prev[:], b[8:])
	for b = b[40:]; len(b) > 0; b = b[8:] {
		records = append(records, b[:8])
	}
	return seq, prev, records
}

func numbers(records [][]byte) (out []uint64) {
	for _, r := range records {
		out = append(out, binary.BigEndian.Uint64(r))
	}
	return out
}

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

var noon = time.Date(2025, 11, 20, 5, 0, 0, 0, time.UTC)

func mustOpen(tb testing.TB, path string) (*spool.Spool, spool.Opening) {
	tb.Helper()
	s, o, err := spool.Open(tb.Context(), path, at(noon))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s, o
}

func newPath(tb testing.TB) string { return filepath.Join(tb.TempDir(), "spool.db") }

func mustAdd(tb testing.TB, s *spool.Spool, from, to uint64) {
	tb.Helper()
	var records [][]byte
	for n := from; n <= to; n++ {
		records = append(records, number(n))
	}
	if err := s.Add(tb.Context(), records); err != nil {
		tb.Fatal(err)
	}
}

// mustSeal seals everything into batches of size records.
func mustSeal(tb testing.TB, s *spool.Spool, size int) {
	tb.Helper()
	for {
		n, err := s.Seal(tb.Context(), size, func(n spool.Next, r [][]byte) ([]byte, int, error) { return join(n, r), len(r), nil })
		if err != nil {
			tb.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// everything returns the numbers of all records held, sealed and pending, and checks order and chain on the way.
func everything(tb testing.TB, s *spool.Spool) (out []uint64) {
	tb.Helper()
	st, err := s.Stats(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	mustSeal(tb, s, 1000)
	var prev [32]byte
	for after := st.Released; ; {
		got, err := s.After(tb.Context(), s.Epoch(), after, 7)
		if err != nil {
			tb.Fatal(err)
		}
		if len(got) == 0 {
			return out
		}
		for _, b := range got {
			seq, p, records := split(b.Body)
			if b.Seq != after+1 || seq != b.Seq || b.Epoch != s.Epoch() {
				tb.Fatalf("batch %d of %s comes after %d", b.Seq, b.Epoch, after)
			}
			if prev != [32]byte{} && p != prev {
				tb.Fatalf("batch %d: the chain is broken", seq)
			}
			prev = sum(b.Body)
			after = seq
			out = append(out, numbers(records)...)
		}
	}
}

// tamper runs SQL on a closed spool file.
func tamper(tb testing.TB, path, query string, args ...any) {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := db.ExecContext(tb.Context(), query, args...); err != nil {
		tb.Fatal(err)
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
}
