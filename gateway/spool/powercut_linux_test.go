package spool_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"aovuon/gateway/spool"
	"aovuon/server/parttest"
)

// TestTorture_PowerCuts runs the spool on an ext4 image, cuts the power at random moments, and looks at what was on the
// disk. The cut: the program is killed and the image is copied while it is still mounted, so that nothing of the page
// cache that was not synchronised is in the copy; the copy is mounted (ext4 plays its journal) and the spool opened there.
// It models a machine that loses its memory, not a card that lies about having written.
func TestTorture_PowerCuts(t *testing.T) {
	if os.Getuid() != 0 {
		parttest.Missing(t, "root", "the test mounts an ext4 image: run it as root")
	}
	dir := t.TempDir()
	image, disk := filepath.Join(dir, "card.img"), filepath.Join(dir, "card")
	after, seen := filepath.Join(dir, "after.img"), filepath.Join(dir, "after")
	for _, d := range []string{disk, seen} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "truncate", "-s", "24M", image)
	run(t, parttest.Tool(t, "mkfs.ext4"), "-q", image)
	mountImage(t, image, disk)
	path := filepath.Join(disk, "spool.db")
	cuts := parttest.Effort(t, 3, 10, 100, 1000)
	var x steps
	acknowledged := 0
	for cut := range cuts {
		lines := runAndKill(t, path, 20+rand.IntN(300))
		run(t, "cp", "--sparse=always", image, after)
		mountImage(t, after, seen)
		acknowledged += x.listen(lines)
		if n := len(lines); n < 20 {
			t.Fatalf("cut %d: only %d steps before it", cut, n)
		}
		settleCut(t, filepath.Join(seen, "spool.db"), fmt.Sprintf("cut %d", cut), x)
		if err := syscall.Unmount(seen, 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d power cuts, %d commits acknowledged, 0 lost, 0 twice", cuts, acknowledged)
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// mountImage mounts an ext4 image, and unmounts it when the test ends if it is still mounted.
func mountImage(t *testing.T, image, at string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "loop", image, at).CombinedOutput(); err != nil {
		parttest.Missing(t, "a loop device", "mounting an image failed ("+string(out)+"): run the test where root may do that")
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			t.Error(err)
		}
	})
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
