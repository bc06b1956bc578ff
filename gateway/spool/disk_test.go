package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"aovuon/gateway/spool"
	"aovuon/server/parttest"
)

// TestSpool_FullDisk fills a file system and makes room again: what was acknowledged is there, and it works again.
func TestSpool_FullDisk(t *testing.T) {
	dir := t.TempDir()
	parttest.Disk(t, dir, "64")
	s, _, err := spool.Open(t.Context(), filepath.Join(dir, "spool.db"), at(noon))
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	defer func() {
		if !closed {
			t.Log(s.Close())
		}
	}()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 56<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	n, failures := uint64(0), 0
	for failures < 5 && n < 1_000_000 {
		var records [][]byte
		for i := range uint64(500) {
			records = append(records, number(n+1+i))
		}
		if err := s.Add(t.Context(), records); err != nil {
			if !errors.Is(err, spool.ErrFull) {
				t.Errorf("on a full disk: %v", err)
			}
			failures++
			continue
		}
		n += 500
	}
	if failures < 5 || n == 0 {
		t.Fatalf("%d records fit into 64 MB, %d failures", n, failures)
	}
	if _, err := s.Seal(t.Context(), 1000, func(n spool.Next, r [][]byte) ([]byte, int, error) { return join(n, r), len(r), nil }); err != nil {
		t.Errorf("the reserve does not suffice to seal: %v", err)
	}
	if err := s.Release(t.Context(), s.Epoch(), 1); err != nil {
		t.Errorf("the reserve does not suffice to release: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, n+1, n+50)
	held := mostOf(t, s)
	if uint64(len(held)) != n+50-1000 || held[0] != 1001 || held[len(held)-1] != n+50 {
		t.Errorf("%d records held, %d acknowledged", len(held), n+50)
	}
	closed = true
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSpool_ReadOnlyDisk: a file system that turned read-only gives errors, no panic, and nothing is set aside.
func TestSpool_ReadOnlyDisk(t *testing.T) {
	dir := t.TempDir()
	parttest.Disk(t, dir, "4")
	path := filepath.Join(dir, "spool.db")
	s, _, err := spool.Open(t.Context(), path, at(noon))
	if err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, 1, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	parttest.SetReadOnly(t, dir, true)
	if s, _, err := spool.Open(t.Context(), path, at(noon)); err == nil {
		if err := s.Add(t.Context(), [][]byte{{1}}); err == nil || errors.Is(err, spool.ErrCorrupt) {
			t.Errorf("add on a read-only disk: %v", err)
		}
		t.Log(s.Close())
	} else {
		t.Log(err)
	}
	parttest.SetReadOnly(t, dir, false)
	s, o, err := spool.Open(t.Context(), path, at(noon))
	if err != nil || o != (spool.Opening{}) {
		t.Fatalf("writable again: %+v, %v", o, err)
	}
	if got := everything(t, s); len(got) != 3 {
		t.Errorf("held %v", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
