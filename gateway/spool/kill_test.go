package spool_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"aovuon/gateway/spool"
	"aovuon/server/parttest"
)

// steps is what the program acknowledged over its lives: the last record added, batch sealed and batch released.
type steps struct{ added, sealed, released uint64 }

// listen takes what one life said, and returns how many records were added in it.
func (x *steps) listen(lines []string) (adds int) {
	for _, l := range lines {
		var kind string
		var n uint64
		if _, err := fmt.Sscan(l, &kind, &n); err != nil {
			continue // cut off by the kill
		}
		switch kind {
		case "a":
			x.added = n
			adds++
		case "s":
			x.sealed = n
		case "r":
			x.released = n
		}
	}
	return adds
}

// TestSpool_SurvivesKill kills a program that adds, seals and releases, at random moments, over and over on one file:
// everything it was told is stored must be there.
func TestSpool_SurvivesKill(t *testing.T) {
	path := newPath(t)
	kills := parttest.Effort(t, 5, 20, 300, 3000)
	var x steps
	for kill := range kills {
		lines := runAndKill(t, path, 50+rand.IntN(400))
		if len(lines) == 0 {
			t.Fatalf("kill %d: the program did nothing before it was killed", kill)
		}
		x.listen(lines)
		settleCut(t, path, fmt.Sprintf("kill %d", kill), x)
	}
	t.Logf("%d kills, %d batches sealed, %d released", kills, x.sealed, x.released)
}

// settleCut counts what is on the disk after a cut against what was acknowledged.
func settleCut(t *testing.T, path, what string, x steps) {
	t.Helper()
	s, o, err := spool.Open(t.Context(), path, at(noon))
	if err != nil || o.SetAside != "" {
		t.Fatalf("%s: %+v, %v", what, o, err)
	}
	st, err := s.Stats(t.Context())
	if err != nil || st.NextSeq <= x.sealed || st.Released < x.released {
		t.Fatalf("%s: %+v, %v; acknowledged were batch %d and release %d", what, st, err, x.sealed, x.released)
	}
	held := everything(t, s)
	if len(held) == 0 || held[len(held)-1] < x.added {
		t.Fatalf("%s: record %d was acknowledged and is lost", what, x.added)
	}
	for i := 1; i < len(held); i++ { // numbers are consecutive within a run and jump ahead between runs
		if step := held[i] - held[i-1]; step != 1 && step < 1_000_000 {
			t.Fatalf("%s: record %d stands after %d", what, held[i], held[i-1])
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// runAndKill runs this test binary as a program on path, kills it some time after its first word, and returns what it
// had acknowledged.
func runAndKill(t *testing.T, path string, afterLines int) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asChild+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	in := bufio.NewScanner(out)
	for in.Scan() {
		lines = append(lines, in.Text())
		if len(lines) == afterLines {
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the program ended by itself: %v", err)
	}
	return lines
}
