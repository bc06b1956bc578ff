package spool_test

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aovuon/gateway/spool"
)

func sum(b []byte) [32]byte { return sha256.Sum256(b) }

func upTo(n uint64) (out []uint64) {
	for i := uint64(1); i <= n; i++ {
		out = append(out, i)
	}
	return out
}

func TestSpool_KeepsOrderAndChainOverRestarts(t *testing.T) {
	path := newPath(t)
	s, o := mustOpen(t, path)
	if !o.Fresh || o.SetAside != "" || len(s.Epoch()) != 16 {
		t.Fatalf("opening %+v, epoch %q", o, s.Epoch())
	}
	mustAdd(t, s, 1, 10)
	mustSeal(t, s, 4)
	mustAdd(t, s, 11, 15)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	epoch := s.Epoch()
	s, o = mustOpen(t, path)
	if o.Fresh || s.Epoch() != epoch {
		t.Fatalf("opened again: %+v, epoch %q, want %q", o, s.Epoch(), epoch)
	}
	st, err := s.Stats(t.Context())
	want := spool.Stats{Epoch: epoch, Pending: 5, Sealed: 3, FirstSeq: 1, NextSeq: 4, Bytes: st.Bytes}
	if err != nil || st != want {
		t.Errorf("stats %+v, %v; want %+v", st, err, want)
	}
	if ro, err := spool.ReadStats(t.Context(), path); err != nil || ro != st {
		t.Errorf("ReadStats beside an open spool: %+v, %v", ro, err)
	}
	if d := cmp.Diff(upTo(15), everything(t, s)); d != "" {
		t.Error(d)
	}
}

func TestSpool_ReadStatsOfAStoppedGateway(t *testing.T) {
	path := newPath(t)
	if _, err := spool.ReadStats(t.Context(), path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	s, _ := mustOpen(t, path)
	mustAdd(t, s, 1, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if st, err := spool.ReadStats(t.Context(), path); err != nil || st.Pending != 3 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestSpool_SealUsesWhatItIsTold(t *testing.T) {
	s, _ := mustOpen(t, newPath(t))
	mustAdd(t, s, 1, 10)
	boom := errors.New("boom")
	if _, err := s.Seal(t.Context(), 5, func(spool.Next, [][]byte) ([]byte, int, error) { return nil, 0, boom }); !errors.Is(err, boom) {
		t.Errorf("error of f: %v", err)
	}
	if n, err := s.Seal(t.Context(), 5, func(spool.Next, [][]byte) ([]byte, int, error) { return nil, 0, nil }); n != 0 || err != nil {
		t.Errorf("nothing used: %d, %v", n, err)
	}
	if _, err := s.Seal(t.Context(), 5, func(spool.Next, [][]byte) ([]byte, int, error) { return []byte("x"), 6, nil }); err == nil {
		t.Error("more used than given: no error")
	}
	// Two are dropped, then three are sealed.
	if n, err := s.Seal(t.Context(), 5, func(spool.Next, [][]byte) ([]byte, int, error) { return nil, 2, nil }); n != 2 || err != nil {
		t.Errorf("dropped: %d, %v", n, err)
	}
	if n, err := s.Seal(t.Context(), 5, func(n spool.Next, r [][]byte) ([]byte, int, error) { return join(n, r[:3]), 3, nil }); n != 3 || err != nil {
		t.Errorf("sealed: %d, %v", n, err)
	}
	if d := cmp.Diff(upTo(10)[2:], everything(t, s)); d != "" {
		t.Error(d)
	}
}

func TestSpool_ReleasesOnlyWhatWasSealed(t *testing.T) {
	s, _ := mustOpen(t, newPath(t))
	mustAdd(t, s, 1, 10)
	mustSeal(t, s, 2)
	for _, tc := range []struct {
		upto uint64
		left int
		err  error
	}{{2, 3, nil}, {1, 3, nil}, {0, 3, nil}, {6, 3, spool.ErrAhead}, {5, 0, nil}, {5, 0, nil}} {
		if err := s.Release(t.Context(), s.Epoch(), tc.upto); !errors.Is(err, tc.err) {
			t.Errorf("Release(%d) = %v, want %v", tc.upto, err, tc.err)
		}
		got, err := s.After(t.Context(), s.Epoch(), 0, 100)
		if err != nil || len(got) != tc.left {
			t.Errorf("after Release(%d): %d batches, %v; want %d", tc.upto, len(got), err, tc.left)
		}
	}
	mustAdd(t, s, 11, 11)
	mustSeal(t, s, 1)
	if got, err := s.After(t.Context(), s.Epoch(), 5, 1); err != nil || len(got) != 1 || got[0].Seq != 6 {
		t.Errorf("the numbering does not go on: %+v, %v", got, err)
	}
}

func TestSpool_ShrinksAgainAfterALongTimeOffline(t *testing.T) {
	path := newPath(t)
	s, _ := mustOpen(t, path)
	body := make([]byte, 20_000)
	for range 300 {
		mustAdd(t, s, 1, 1)
		if _, err := s.Seal(t.Context(), 1, func(spool.Next, [][]byte) ([]byte, int, error) { return body, 1, nil }); err != nil {
			t.Fatal(err)
		}
	}
	full, err := s.Stats(t.Context())
	if err != nil || full.Bytes < 300*20_000 {
		t.Fatalf("%+v, %v", full, err)
	}
	for upto := uint64(10); upto <= 300; upto += 10 {
		if err := s.Release(t.Context(), s.Epoch(), upto); err != nil {
			t.Fatal(err)
		}
	}
	empty, err := s.Stats(t.Context())
	if err != nil || empty.Bytes > 2<<20 {
		t.Errorf("%d bytes after everything was released, %d before: %v", empty.Bytes, full.Bytes, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 2<<20 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}

func TestSpool_SealsWhatIsAddedWhileOthersRead(t *testing.T) {
	s, _ := mustOpen(t, newPath(t))
	const writers, each = 4, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				mustAdd(t, s, uint64(w*each+i+1), uint64(w*each+i+1))
			}
		})
	}
	var got []uint64
	prev := [32]byte{}
	for upto := uint64(0); len(got) < writers*each; {
		mustSeal(t, s, 16)
		batches, err := s.After(t.Context(), s.Epoch(), upto, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			seq, p, records := split(b.Body)
			if seq != upto+1 || p != prev {
				t.Fatalf("batch %d after %d, chain good: %v", seq, upto, p == prev)
			}
			upto, prev = seq, sum(b.Body)
			got = append(got, numbers(records)...)
		}
		if err := s.Release(t.Context(), s.Epoch(), upto); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	slices.Sort(got)
	if d := cmp.Diff(upTo(writers*each), got); d != "" {
		t.Error(d)
	}
}

// TestSpool_BehavesLikeTwoSlices compares the spool with the plainest model of it, over random actions.
func TestSpool_BehavesLikeTwoSlices(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		path := filepath.Join(dir, string(rune('a'+runs%26))+"-"+rapid.StringMatching(`[a-z]{12}`).Draw(rt, "name")+".db")
		s, _, err := spool.Open(t.Context(), path, at(noon))
		if err != nil {
			rt.Fatal(err)
		}
		var pending, sealed [][]byte // the model; sealed[i] is batch i+1
		var released, next uint64
		prev := [32]byte{}
		level := 0
		rt.Repeat(map[string]func(*rapid.T){
			"add": func(rt *rapid.T) {
				var records [][]byte
				for range rapid.IntRange(1, 9).Draw(rt, "n") {
					next++
					records = append(records, number(next))
				}
				if err := s.Add(t.Context(), records); err != nil {
					rt.Fatal(err)
				}
				pending = append(pending, records...)
			},
			"seal": func(rt *rapid.T) {
				limit := rapid.IntRange(1, 12).Draw(rt, "limit")
				use := rapid.IntRange(1, limit).Draw(rt, "use")
				n, err := s.Seal(t.Context(), limit, func(n spool.Next, r [][]byte) ([]byte, int, error) {
					if n.Seq != uint64(len(sealed))+1 || n.Prev != prev || n.Damaged != 0 {
						rt.Fatalf("next is %+v", n)
					}
					if d := cmp.Diff(pending[:min(limit, len(pending))], r); d != "" {
						rt.Fatal(d)
					}
					use = min(use, len(r))
					return join(n, r[:use]), use, nil
				})
				if err != nil {
					rt.Fatal(err)
				}
				if n == 0 {
					if len(pending) > 0 {
						rt.Fatal("nothing sealed")
					}
					return
				}
				body := join(spool.Next{Seq: uint64(len(sealed)) + 1, Prev: prev}, pending[:n])
				sealed, pending, prev = append(sealed, body), pending[n:], sum(body)
			},
			"release": func(rt *rapid.T) {
				upto := rapid.Uint64Range(0, uint64(len(sealed))+1).Draw(rt, "upto")
				err := s.Release(t.Context(), s.Epoch(), upto)
				if (upto > uint64(len(sealed)) && upto > released) != errors.Is(err, spool.ErrAhead) {
					rt.Fatalf("Release(%d) of %d: %v", upto, len(sealed), err)
				}
				if err == nil {
					released = max(released, upto)
				}
			},
			"thin": func(rt *rapid.T) {
				level++
				if _, err := s.Thin(t.Context(), level, 0, oddOnly); err != nil {
					rt.Fatal(err)
				}
				pending = slices.DeleteFunc(pending, func(r []byte) bool { return numbers([][]byte{r})[0]%2 == 0 })
			},
			"renew": func(rt *rapid.T) {
				got, err := s.Renew(t.Context(), func(p spool.Piece) ([][]byte, error) { return salvage(p, new(int)) })
				if err != nil || got.Batches != len(sealed)-int(released) || got.Holes != 0 {
					rt.Fatalf("%+v, %v", got, err)
				}
				var back [][]byte
				for _, b := range sealed[released:] {
					_, _, records := split(b)
					back = append(back, records...)
				}
				pending, sealed, released, prev = append(back, pending...), nil, 0, [32]byte{}
			},
			"reopen": func(rt *rapid.T) {
				epoch := s.Epoch()
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
				var o spool.Opening
				if s, o, err = spool.Open(t.Context(), path, at(noon)); err != nil || o != (spool.Opening{}) || s.Epoch() != epoch {
					rt.Fatalf("%+v, %v", o, err)
				}
			},
			"": func(rt *rapid.T) {
				got, err := s.After(t.Context(), s.Epoch(), 0, 1000)
				if err != nil || len(got) != len(sealed)-int(released) {
					rt.Fatalf("%d batches, %v; want %d", len(got), err, len(sealed)-int(released))
				}
				for i, b := range got {
					if d := cmp.Diff(sealed[int(released)+i], b.Body); d != "" {
						rt.Fatal(d)
					}
				}
				st, err := s.Stats(t.Context())
				if err != nil || st.Pending != uint64(len(pending)) || st.NextSeq != uint64(len(sealed))+1 || st.Released != released {
					rt.Fatalf("%+v, %v", st, err)
				}
			},
		})
		if err := s.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestSpool_RefusesAnEmptyRecord(t *testing.T) {
	s, _ := mustOpen(t, newPath(t))
	if err := s.Add(t.Context(), [][]byte{{1}, {}}); err == nil {
		t.Error("stored")
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Pending != 0 {
		t.Errorf("%+v, %v", st, err)
	}
}
