package spool_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aovuon/gateway/spool"
)

func TestInspect_SeesWhatWaitsWhileAnotherWritesAndFindsDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool.db")
	if _, err := spool.Inspect(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	s, _, err := spool.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if in, err := spool.Inspect(t.Context(), path); err != nil || in.Oldest != nil || in.Epoch != s.Epoch() {
		t.Errorf("empty: %+v, %v", in, err)
	}
	if err := s.Add(t.Context(), [][]byte{[]byte("one"), []byte("two")}); err != nil {
		t.Fatal(err)
	}
	if in, err := spool.Inspect(t.Context(), path); err != nil || in.Pending != 2 || in.Oldest != nil {
		t.Errorf("two records: %+v, %v", in, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("SQLite format 3\x00 and then something else, long enough to be a page or so"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.Inspect(t.Context(), path); !errors.Is(err, spool.ErrCorrupt) {
		t.Errorf("damaged: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.Inspect(t.Context(), path); !errors.Is(err, spool.ErrCorrupt) {
		t.Errorf("empty file: %v", err)
	}
}
