package spool_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/spool"
)

// oddOnly keeps every record of an odd number.
func oddOnly(records [][]byte) (keep [][]byte, err error) {
	for i, n := range numbers(records) {
		if n%2 == 1 {
			keep = append(keep, records[i])
		}
	}
	return keep, nil
}

// fillTo adds records of 8 bytes until the quota is reached, and returns how many there are.
func fillTo(t *testing.T, s *spool.Spool, from uint64) uint64 {
	t.Helper()
	for n := from; ; n += 500 {
		var records [][]byte
		for i := range uint64(500) {
			records = append(records, number(n+i))
		}
		err := s.Add(t.Context(), records)
		if errors.Is(err, spool.ErrQuota) {
			return n - 1
		}
		if err != nil || n > 1_000_000 {
			t.Fatal(n, err)
		}
	}
}

func TestSpool_QuotaIsReachedAndThinningMakesRoom(t *testing.T) {
	s, _ := mustOpen(t, newPath(t))
	mustAdd(t, s, 1, 100)
	mustSeal(t, s, 10)
	const quota = 1 << 20
	s.SetQuota(quota)
	n := fillTo(t, s, 101)
	st, err := s.Stats(t.Context())
	if err != nil || st.Bytes > quota || st.Bytes < quota/2 {
		t.Fatalf("%+v, %v", st, err)
	}
	got, err := s.Thin(t.Context(), 0, quota*3/4, oddOnly)
	if err != nil || !got.Enough || got.After*2 != got.Before || got.Before == 0 || got.Used > quota*3/4 {
		t.Fatalf("%+v, %v", got, err)
	}
	if n2 := fillTo(t, s, n+1); n2 <= n {
		t.Fatal("no room was made")
	} else {
		n = n2
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Bytes > quota {
		t.Errorf("%+v, %v", st, err)
	}
	s.SetQuota(0)
	thinned := uint64(got.Before)
	for i, have := range everything(t, s) {
		want := uint64(i + 1) // 1 to 100 are sealed, and no thinner sees them
		if want > 100 {
			want = 101 + 2*(uint64(i)-100)
		}
		if want > 100+thinned {
			want = 100 + thinned + uint64(i) + 1 - 100 - thinned/2
		}
		if have != want {
			t.Fatalf("record %d stands where %d belongs", have, want)
		}
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Pending != 0 || n == 0 {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestSpool_ThinsEachLevelOnce: what one level has seen it is not shown again, another level and what came since are.
func TestSpool_ThinsEachLevelOnce(t *testing.T) {
	s, _ := mustOpen(t, newPath(t))
	mustAdd(t, s, 1, 50)
	var seen []uint64
	look := func(records [][]byte) ([][]byte, error) {
		seen = append(seen, numbers(records)...)
		return oddOnly(records)
	}
	for _, tc := range []struct {
		level int
		want  []uint64
	}{{0, upTo(50)}, {0, nil}, {1, odd(50)}, {1, nil}, {0, nil}} {
		seen = nil
		got, err := s.Thin(t.Context(), tc.level, 0, look)
		if err != nil || got.Enough || cmp.Diff(tc.want, seen) != "" {
			t.Errorf("level %d: %+v, %v, was shown %v", tc.level, got, err, seen)
		}
	}
	mustAdd(t, s, 51, 52)
	seen = nil
	if _, err := s.Thin(t.Context(), 0, 0, look); err != nil || cmp.Diff([]uint64{51, 52}, seen) != "" {
		t.Errorf("%v: was shown %v", err, seen)
	}
	if got, err := s.Thin(t.Context(), 0, math.MaxUint64, nil); err != nil || !got.Enough || got.Used == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if d := cmp.Diff(odd(52), everything(t, s)); d != "" {
		t.Error(d)
	}
}

func odd(upto uint64) (out []uint64) {
	for n := uint64(1); n <= upto; n += 2 {
		out = append(out, n)
	}
	return out
}

func TestSpool_ThinningLeavesDamageToWhoeverSeals(t *testing.T) {
	path := newPath(t)
	s, _ := mustOpen(t, path)
	mustAdd(t, s, 1, 10)
	mustAdd(t, s, 11, 20)
	mustAdd(t, s, 21, 30)
	tamper(t, path, `UPDATE pending SET crc = crc + 1 WHERE id = 2`)
	if _, err := s.Thin(t.Context(), 0, 0, oddOnly); err != nil {
		t.Fatal(err)
	}
	damaged := 0
	var got []uint64
	for {
		n, err := s.Seal(t.Context(), 100, func(n spool.Next, r [][]byte) ([]byte, int, error) {
			damaged += n.Damaged
			got = append(got, numbers(r)...)
			return join(n, r), len(r), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	if d := cmp.Diff([]uint64{1, 3, 5, 7, 9, 21, 23, 25, 27, 29}, got); d != "" || damaged != 1 {
		t.Errorf("%d damaged rows, %s", damaged, d)
	}
}

func TestSpool_AThinnerThatFailsChangesNothing(t *testing.T) {
	s, _ := mustOpen(t, newPath(t))
	mustAdd(t, s, 1, 10)
	boom := errors.New("boom")
	if _, err := s.Thin(t.Context(), 0, 0, func([][]byte) ([][]byte, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Error(err)
	}
	if d := cmp.Diff(upTo(10), everything(t, s)); d != "" {
		t.Error(d)
	}
}
