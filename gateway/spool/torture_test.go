package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/spool"
	"aovuon/server/parttest"
)

// rounds is a life of a spool in the same steps every time: it adds five records a round, seals every third, releases
// every sixth, thins every ninth, and prints a line for each step that was acknowledged: "a N" record N was added, "s SEQ N"
// the batch holds records up to N, "r SEQ" it was released. A step that fails is tried again. All of it happens on one
// thread, so that "the n-th system call" is always the same one.
func rounds(path string) error {
	runtime.LockOSThread()
	ctx := context.Background()
	n, err := strconv.Atoi(os.Getenv(asChild + "_ROUNDS"))
	if err != nil {
		return err
	}
	var s *spool.Spool
	refused := 0
	insist := func(f func() error) (err error) { // what a failing disk refuses is tried again a few times
		for range 40 {
			if err = f(); err == nil || errors.Is(err, spool.ErrCorrupt) {
				return err
			}
			refused++
		}
		return err
	}
	if err := insist(func() (err error) {
		s, _, err = spool.Open(ctx, path, time.Now)
		return err
	}); err != nil {
		return err
	}
	next, last := uint64(0), uint64(0)
	var seq uint64
	for round := range n {
		var records [][]byte
		for range 5 {
			next++
			records = append(records, number(next))
		}
		steps := []func() error{func() error { return s.Add(ctx, records) }}
		say := []func(){func() { fmt.Println("a", next) }}
		if round%3 == 2 {
			steps = append(steps, func() error {
				_, err := s.Seal(ctx, 10, func(x spool.Next, r [][]byte) ([]byte, int, error) {
					all := numbers(r)
					seq, last = x.Seq, all[len(all)-1]
					return join(x, r), len(r), nil
				})
				return err
			})
			say = append(say, func() { fmt.Println("s", seq, last) })
		}
		if round%6 == 5 && seq > 1 {
			steps = append(steps, func() error { return s.Release(ctx, s.Epoch(), seq-1) })
			say = append(say, func() { fmt.Println("r", seq-1) })
		}
		if round%9 == 8 {
			steps = append(steps, func() error {
				_, err := s.Thin(ctx, round, 0, oddOnly)
				return err
			})
			say = append(say, func() { fmt.Println("t") })
		}
		for i, step := range steps {
			if err := insist(step); err != nil {
				return err
			}
			say[i]()
		}
	}
	if err := s.Close(); err != nil {
		return err
	}
	fmt.Println("done", next, refused)
	return nil
}

// told is what a life of a spool acknowledged.
type told struct {
	added    uint64
	sealed   map[uint64]uint64 // by batch, its last record
	seq      uint64
	released uint64
	done     bool
	refused  uint64 // steps that had to be tried again
}

func listen(out []byte) told {
	x := told{sealed: map[uint64]uint64{}}
	lines := bytes.Split(out, []byte("\n"))
	for _, l := range lines[:len(lines)-1] { // the last one may be cut off
		var a, b uint64
		_, rest, _ := bytes.Cut(l, []byte(" "))
		switch n, _ := fmt.Sscanf(string(rest), "%d %d", &a, &b); { //nolint:errcheck // n says how far it went
		case n == 0:
		case bytes.HasPrefix(l, []byte("done")):
			x.done, x.refused = true, b
		case l[0] == 'a':
			x.added = a
		case l[0] == 's':
			x.seq, x.sealed[a] = a, b
		case l[0] == 'r':
			x.released = a
		}
	}
	return x
}

// settle opens what a life left behind and counts it against what was acknowledged: every odd record that was added and
// not released must be there, every even one at most once (it may have been thinned), all in order, the chain whole.
func settle(t *testing.T, path string, x told, what string) (records int) {
	t.Helper()
	s, o, err := spool.Open(t.Context(), path, at(noon))
	if err != nil || o.SetAside != "" {
		t.Fatalf("%s: %+v, %v", what, o, err)
	}
	st, err := s.Stats(t.Context())
	if err != nil || st.NextSeq <= x.seq || st.Released < x.released {
		t.Fatalf("%s: %+v, %v; acknowledged were batch %d and release %d", what, st, err, x.seq, x.released)
	}
	held := everything(t, s)
	for i := 1; i < len(held); i++ {
		if held[i] <= held[i-1] {
			t.Fatalf("%s: record %d stands after %d", what, held[i], held[i-1])
		}
	}
	from := uint64(1)
	if st.Released > 0 {
		from = x.sealed[st.Released] + 1
	}
	for n := from; n <= x.added; n++ {
		if _, there := slices.BinarySearch(held, n); !there && n%2 == 1 {
			t.Fatalf("%s: record %d was acknowledged and is lost; held %v", what, n, held)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return int(x.added)
}

// live runs a life of so many rounds in a process of its own, under the command before it (strace, for example).
func live(t *testing.T, path string, rounds int, before ...string) (told, error) {
	t.Helper()
	args := append(slices.Clone(before), os.Args[0])
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), asChild+"="+path, asChild+"_ROUNDS="+strconv.Itoa(rounds))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil && errs.Len() > 0 && !strings.Contains(errs.String(), "killed by SIGKILL") {
		err = fmt.Errorf("%w: %s", err, errs.String()[max(0, errs.Len()-2000):])
	}
	return listen(out), err
}

// fastDir is a folder in memory where there is one: these tests open thousands of spools and prove nothing about the disk.
func fastDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "aovuon-spool-") //nolint:usetesting // elsewhere than t.TempDir
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// writing are the system calls through which a spool changes what is on the disk.
const writing = "pwrite64,write,ftruncate,fsync,fdatasync,renameat,rename,unlinkat,unlink,openat"

// TestTorture_KilledAtEveryWrite kills the program with SIGKILL on entering its first system call that writes, then its
// second, and so on to the last: whatever was acknowledged before is there. In CI every so many of them.
func TestTorture_KilledAtEveryWrite(t *testing.T) {
	strace := parttest.Tool(t, "strace")
	dir := fastDir(t)
	const n = 18
	step := parttest.Effort(t, 20, 3, 1, 1)
	kills, records := 0, 0
	for at := 1; ; at += step {
		path := filepath.Join(dir, fmt.Sprintf("%d.db", at))
		x, err := live(t, path, n, strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace="+writing, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", writing, at))
		if err == nil && x.done { // it has no such call
			if kills < 5 {
				t.Fatalf("only %d kills", kills)
			}
			t.Logf("%d kills at every %d. of %d system calls that write: %d records acknowledged, 0 lost, 0 twice", kills, step, at, records)
			return
		}
		kills++
		records += settle(t, path, x, fmt.Sprintf("killed at call %d", at))
		removeSpool(t, path)
		if at > 5000 {
			t.Fatal("it never ends by itself")
		}
	}
}

func removeSpool(t *testing.T, path string) {
	t.Helper()
	for _, p := range []string{path, path + "-wal", path + "-shm", path + ".new", path + ".new-journal"} {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// TestTorture_DiskErrors lets the kernel answer EIO to fsync and writes, and ENOSPC to writes, for six calls from the n-th
// on: the program goes on, and what it was told is stored is stored, once.
func TestTorture_DiskErrors(t *testing.T) {
	strace := parttest.Tool(t, "strace")
	dir := fastDir(t)
	for _, fault := range []string{"fsync,fdatasync:error=EIO", "pwrite64:error=EIO", "pwrite64:error=ENOSPC", "ftruncate:error=EIO"} {
		calls, _, _ := strings.Cut(fault, ":")
		step := parttest.Effort(t, 60, 25, 3, 1)
		runs, records, refused := 0, 0, uint64(0)
		for from := 1; from < 220; from += step {
			path := filepath.Join(dir, fmt.Sprintf("%s-%d.db", calls, from))
			x, err := live(t, path, 18, strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace="+calls,
				"-e", fmt.Sprintf("inject=%s:when=%d..%d", fault, from, from+5))
			if err != nil || !x.done {
				t.Fatalf("%s from call %d on: %v, done: %v", fault, from, err, x.done)
			}
			runs++
			refused += x.refused
			records += settle(t, path, x, fmt.Sprintf("%s from call %d on", fault, from))
			removeSpool(t, path)
		}
		t.Logf("%s: %d runs, %d steps refused and tried again, %d records acknowledged, 0 lost, 0 twice", fault, runs, refused, records)
		if refused == 0 && calls != "ftruncate" { // a log that cannot be cut short is no error
			t.Error("no step was refused: the fault did not strike")
		}
	}
}
