package spool_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/spool"
)

func newKeeper(t *testing.T, path string) *spool.Keeper {
	t.Helper()
	k := spool.NewKeeper(path, 0, at(noon), slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// addUntil adds a record again and again until the keeper takes it, and returns how often it did not.
func addUntil(t *testing.T, k *spool.Keeper, n uint64) (refused int) {
	t.Helper()
	for {
		err := k.Add(t.Context(), [][]byte{number(n)})
		if err == nil {
			return refused
		}
		if refused++; refused > 20 {
			t.Fatalf("it never tries again: %v", err)
		}
	}
}

func TestKeeper_OpensAsSoonAsTheDiskAllows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "card")
	k := newKeeper(t, filepath.Join(dir, "spool.db"))
	if _, err := k.Stats(t.Context()); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("before anything: %v", err)
	}
	for range 50 {
		if err := k.Add(t.Context(), [][]byte{number(1)}); err == nil {
			t.Fatal("there is no disk, and it took a record")
		}
	}
	if _, err := k.After(t.Context(), "", 0, 1); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("after: %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	addUntil(t, k, 1)
	if st, err := k.Stats(t.Context()); err != nil || st.Pending != 1 || st.Epoch == "" {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestKeeper_SetsACorruptFileAsideAndGoesOn: whoever seals is told to salvage first; what was set aside comes before what
// came since, and nobody who still thinks in the old epoch releases anything of the new one.
func TestKeeper_SetsACorruptFileAsideAndGoesOn(t *testing.T) {
	path := newPath(t)
	k := newKeeper(t, path)
	for n := range uint64(3) {
		addUntil(t, k, n+1)
	}
	take := func(n spool.Next, r [][]byte) ([]byte, int, error) { return join(n, r), len(r), nil }
	if n, err := k.Seal(t.Context(), 2, take); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	old, err := k.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tamper(t, path, `UPDATE state SET crc = 0`)
	if _, err := k.After(t.Context(), old.Epoch, 0, 1); !errors.Is(err, spool.ErrCorrupt) {
		t.Fatalf("after: %v", err)
	}
	addUntil(t, k, 4)
	if _, err := k.Seal(t.Context(), 10, take); !errors.Is(err, spool.ErrAside) {
		t.Fatalf("seal: %v", err)
	}
	holes := 0
	if _, err := k.Salvage(t.Context(), func(p spool.Piece) ([][]byte, error) { return salvage(p, &holes) }); err != nil || holes == 0 {
		t.Fatalf("%d holes, %v", holes, err)
	}
	var got []uint64
	if _, err := k.Seal(t.Context(), 10, func(n spool.Next, r [][]byte) ([]byte, int, error) {
		got = numbers(r)
		return take(n, r)
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]uint64{1, 2, 3, 4}, got); d != "" {
		t.Error(d)
	}
	if err := k.Release(t.Context(), old.Epoch, 1); !errors.Is(err, spool.ErrEpoch) {
		t.Errorf("release of the old epoch: %v", err)
	}
	if _, err := k.After(t.Context(), old.Epoch, 0, 1); !errors.Is(err, spool.ErrEpoch) {
		t.Errorf("after of the old epoch: %v", err)
	}
	if st, err := k.Stats(t.Context()); err != nil || st.Sealed != 1 || st.Epoch == old.Epoch {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestKeeper_InterruptedOpeningIsNoFailedDisk: a program told to stop while it opens its spool still writes its last
// readings.
func TestKeeper_InterruptedOpeningIsNoFailedDisk(t *testing.T) {
	k := newKeeper(t, newPath(t))
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		if err := k.Add(stopped, [][]byte{{1}}); !errors.Is(err, context.Canceled) {
			t.Fatalf("Add = %v", err)
		}
	}
	if err := k.Add(t.Context(), [][]byte{{1}}); err != nil {
		t.Errorf("the last readings: %v", err)
	}
}

// TestKeeper_CondemnsAFileThatOnlyLooksWell: it opens and checks well, and turns out corrupt each time it is used.
func TestKeeper_CondemnsAFileThatOnlyLooksWell(t *testing.T) {
	path := newPath(t)
	k := newKeeper(t, path)
	addUntil(t, k, 1)
	for range 3 {
		if aside, err := filepath.Glob(path + ".corrupt-*"); err != nil || len(aside) != 0 {
			t.Fatalf("set aside too early: %v, %v", aside, err)
		}
		_, err := k.Seal(t.Context(), 1, func(spool.Next, [][]byte) ([]byte, int, error) { return nil, 0, spool.ErrCorrupt })
		if !errors.Is(err, spool.ErrCorrupt) {
			t.Fatal(err)
		}
		addUntil(t, k, 2)
	}
	if aside, err := filepath.Glob(path + ".corrupt-*"); err != nil || len(aside) != 1 {
		t.Errorf("set aside: %v, %v", aside, err)
	}
}
