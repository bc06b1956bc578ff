package spool_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"aovuon/gateway/spool"
	"aovuon/server/parttest"
)

// files are a spool as it lies on the disk: the database, and the log of what was not moved into it yet.
type files struct{ db, log []byte }

// cutOff makes a spool of 30 records, some sealed, some waiting, as a power cut leaves it: the last 20 are in the log. With
// closed it was closed well, and there is no log.
func cutOff(t *testing.T, closed bool) files {
	t.Helper()
	path := newPath(t)
	s, _ := mustOpen(t, path)
	mustAdd(t, s, 1, 10)
	mustSeal(t, s, 5)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, _ = mustOpen(t, path)
	mustAdd(t, s, 11, 20)
	mustSeal(t, s, 5)
	mustAdd(t, s, 21, 30)
	if closed {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var f files
	var err error
	if f.db, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if f.log, err = os.ReadFile(path + "-wal"); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if closed == (len(f.log) > 0) {
		t.Fatalf("%d bytes of log", len(f.log))
	}
	return f
}

// start opens a damaged spool, takes everything out of it and says what was lost and whether that was told. It must always
// open, take new records, and give back nothing that was not put in.
func (f files) start(t *testing.T, path, what string) (held []uint64, told bool) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, f.db, 0o600), os.WriteFile(path+"-wal", f.log, 0o600)); err != nil {
		t.Fatal(err)
	}
	s, o, err := spool.Open(t.Context(), path, at(noon))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	holes := 0
	if o.SetAside != "" {
		if _, err := s.Salvage(t.Context(), func(p spool.Piece) ([][]byte, error) { return salvage(p, &holes) }); err != nil {
			t.Fatalf("%s: salvage: %v", what, err)
		}
	}
	mustAdd(t, s, 101, 101)
	st, err := s.Stats(t.Context())
	if counted, err2 := spool.ReadStats(t.Context(), path); err != nil || err2 != nil || st != counted {
		t.Fatalf("%s: counts %+v, and looking at each row %+v: %v %v", what, st, counted, err, err2)
	}
	held, damaged := takeOut(t, s, &holes)
	last := uint64(0)
	for _, n := range held {
		if n <= last || (n > 30 && n != 101) {
			t.Fatalf("%s: gave %v", what, held)
		}
		last = n
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Pending != 0 {
		t.Fatalf("%s: %+v, %v", what, st, err)
	}
	if last != 101 {
		t.Fatalf("%s: the new record is not there: %v", what, held)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, p := range append([]string{path, path + "-wal", path + "-shm"}, o.SetAside, o.SetAside+"-wal") {
		if err := os.Remove(p); err != nil && p != "" && p != "-wal" && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return held[:len(held)-1], holes+damaged > 0
}

// takeOut seals, reads and releases everything, renewing over damage.
func takeOut(t *testing.T, s *spool.Spool, holes *int) (out []uint64, damaged int) {
	t.Helper()
	for {
		for {
			n, err := s.Seal(t.Context(), 100, func(n spool.Next, r [][]byte) ([]byte, int, error) {
				damaged += n.Damaged
				return join(n, r), len(r), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		got, err := s.After(t.Context(), s.Epoch(), 0, 1000)
		if errors.Is(err, spool.ErrDamaged) {
			if _, err := s.Renew(t.Context(), func(p spool.Piece) ([][]byte, error) { return salvage(p, holes) }); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			return out, damaged
		}
		for _, b := range got {
			_, _, records := split(b.Body)
			out = append(out, numbers(records)...)
		}
		if err := s.Release(t.Context(), s.Epoch(), got[len(got)-1].Seq); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTorture_CutAtEveryLength cuts the database and its log off at every length. What a torn log held last is gone, as if
// it had never been acknowledged; what was before it is there, in order. A shortened database tells what it lost.
func TestTorture_CutAtEveryLength(t *testing.T) {
	dir := fastDir(t)
	path := filepath.Join(dir, "spool.db")
	step := parttest.Effort(t, 2011, 199, 1, 1)
	open, closed := cutOff(t, false), cutOff(t, true)
	tries, before := 0, 0
	for n := 0; n <= len(open.log); n += step {
		held, _ := files{open.db, open.log[:n]}.start(t, path, fmt.Sprintf("log of %d bytes", n))
		if len(held) < max(10, before) || !slices.Equal(held, upTo(uint64(len(held)))) {
			t.Fatalf("log of %d bytes: %v", n, held)
		}
		before = len(held)
		tries++
	}
	if held, _ := open.start(t, path, "the whole log"); len(held) != 30 {
		t.Fatalf("the whole log: %v", held)
	}
	for n := 0; n < len(closed.db); n += step {
		what := fmt.Sprintf("database of %d bytes", n)
		if held, told := (files{closed.db[:n], nil}).start(t, path, what); len(held) < 30 && !told {
			t.Fatalf("%s: %d records of 30, and the loss is not told", what, len(held))
		}
		tries++
	}
	t.Logf("%d lengths of %d: it always started, every loss was told", tries, len(open.log)+len(closed.db))
}

// TestTorture_EveryBitFlipped flips one bit of each byte (each bit with AOVUON_TORTURE=all) of the database and of its log;
// in CI of each byte of their headers and some of the rest.
func TestTorture_EveryBitFlipped(t *testing.T) {
	dir := fastDir(t)
	path := filepath.Join(dir, "spool.db")
	step, bits := parttest.Effort(t, 2011, 149, 1, 1), parttest.Effort(t, 1, 1, 1, 8)
	open, closed := cutOff(t, false), cutOff(t, true)
	tries, lossy := 0, 0
	for i := 0; i < len(closed.db); i = after(i, step) {
		for b := range bits {
			raw := slices.Clone(closed.db)
			raw[i] ^= 1 << ((i + b) % 8)
			what := fmt.Sprintf("bit %d of byte %d of the database", (i+b)%8, i)
			held, told := files{raw, nil}.start(t, path, what)
			if len(held) < 30 {
				lossy++
				if !told {
					t.Fatalf("%s: %d records of 30, and the loss is not told", what, len(held))
				}
			}
			tries++
		}
	}
	for i := 0; i < len(open.log); i = after(i, step) {
		for b := range bits {
			raw := slices.Clone(open.log)
			raw[i] ^= 1 << ((i + b) % 8)
			what := fmt.Sprintf("bit %d of byte %d of the log", (i+b)%8, i)
			if held, _ := (files{open.db, raw}).start(t, path, what); len(held) < 10 || !slices.Equal(held, upTo(uint64(len(held)))) {
				t.Fatalf("%s: %v", what, held)
			}
			tries++
		}
	}
	t.Logf("%d bits of %d bytes: it always started; %d cost records of the database, each told", tries, len(open.log)+len(closed.db), lossy)
}

// after is the next byte to damage: the headers' all, of the rest every so many.
func after(i, step int) int {
	if i < 100 {
		return i + 1
	}
	return i + step
}

// TestTorture_ZeroTail is what ext4 leaves where a file had grown and its data had not been written.
func TestTorture_ZeroTail(t *testing.T) {
	path := filepath.Join(fastDir(t), "spool.db")
	open, closed := cutOff(t, false), cutOff(t, true)
	for _, zeroes := range []int{1, 64, 4096, 4096 + 24, 1 << 20} {
		for what, f := range map[string]files{
			"log":      {open.db, append(slices.Clone(open.log), make([]byte, zeroes)...)},
			"database": {append(slices.Clone(closed.db), make([]byte, zeroes)...), nil},
			"empty":    {closed.db, make([]byte, zeroes)},
		} {
			if held, _ := f.start(t, path, fmt.Sprintf("%d zeroes after the %s", zeroes, what)); len(held) != 30 {
				t.Errorf("%d zeroes after the %s: %v", zeroes, what, held)
			}
		}
	}
	half := len(open.log) / 2
	for i := half; i < len(open.log); i++ {
		open.log[i] = 0
	}
	if held, _ := open.start(t, path, "a log whose second half is zeroes"); len(held) < 10 || !slices.Equal(held, upTo(uint64(len(held)))) {
		t.Errorf("a log whose second half is zeroes: %v", held)
	}
}
