package spool_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"aovuon/gateway/spool"
	"aovuon/server/parttest"
)

// TestTorture_PowerCuts runs the spool on a disk of its own, cuts the power at random moments, and looks at what was on the disk.
func TestTorture_PowerCuts(t *testing.T) {
	image := parttest.NewImage(t, "24M")
	path := filepath.Join(image.Dir, "spool.db")
	cuts := parttest.Effort(t, 3, 10, 100, 1000)
	var x steps
	acknowledged := 0
	for cut := range cuts {
		lines := runAndKill(t, path, 20+rand.IntN(300))
		seen := image.Cut()
		acknowledged += x.listen(lines)
		if n := len(lines); n < 20 {
			t.Fatalf("cut %d: only %d steps before it", cut, n)
		}
		settleCut(t, filepath.Join(seen, "spool.db"), fmt.Sprintf("cut %d", cut), x)
		image.Heal()
	}
	t.Logf("%d power cuts, %d commits acknowledged, 0 lost, 0 twice", cuts, acknowledged)
}

// TestTorture_OneMegabyteDisk fills a disk of 1 MB, makes room, and fills it again: what was acknowledged is there, once,
// and nothing panics. There the reserve is a twentieth of the disk, so that the kernel's ENOSPC is met too.
func TestTorture_OneMegabyteDisk(t *testing.T) {
	dir := t.TempDir()
	parttest.Disk(t, dir, "1")
	s, _, err := spool.Open(t.Context(), filepath.Join(dir, "spool.db"), at(noon))
	if err != nil {
		t.Fatal(err)
	}
	n, refused := uint64(0), 0
	for round := range 3 {
		ballast := filepath.Join(dir, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 100<<10), 0o600); err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		for failures := 0; failures < 20; {
			if err := s.Add(t.Context(), [][]byte{number(n + 1), number(n + 2)}); err != nil {
				failures++
				refused++
				continue
			}
			n += 2
			if n > 200_000 {
				t.Fatal("the disk is never full")
			}
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if err := s.Add(t.Context(), [][]byte{number(n + 1)}); err != nil {
			t.Fatalf("round %d: there is room again: %v", round, err)
		}
		n++
		if round == 1 { // and after a restart
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, _, err = spool.Open(t.Context(), filepath.Join(dir, "spool.db"), at(noon)); err != nil {
				t.Fatal(err)
			}
		}
		got, _ := takeOut(t, s, new(int))
		if uint64(len(got)) != n || got[0] != 1 || got[n-1] != n {
			t.Fatalf("round %d: %d records held, %d acknowledged", round, len(got), n)
		}
		n = 0
	}
	t.Logf("filled 3 times, %d times refused; 0 lost, 0 twice", refused)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
