package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A gateway that started on a read-only disk has no gateway.lock. When the disk takes files again a second one must still
// find the folder taken.
func TestLockFolder_HoldsWithAndWithoutItsFile(t *testing.T) {
	dir := t.TempDir()
	first, err := lockBoth(dir, nil) // what is left on a disk that takes no file
	if err != nil {
		t.Fatal(err)
	}
	if l, err := lockFolder(dir); err == nil {
		t.Fatal("two gateways in one folder", l.Close())
	}
	if _, err := takeFolder(dir); !errors.Is(err, errRuns) {
		t.Errorf("asked by hand beside it: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := lockFolder(dir)
	if err != nil || len(second) != 2 {
		t.Fatalf("%v, %v", second, err)
	}
	f, err := os.Open(filepath.Join(dir, "gateway.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if l, err := lockBoth(t.TempDir(), f); err == nil { // a gateway from before, which locks the file alone
		t.Error("the file is not locked", l.Close())
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	free, err := takeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := free(); err != nil {
		t.Fatal(err)
	}
}

func TestPersist_TriesUntilItWorksAndSaysEachErrorOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		readOnly := errors.New("read-only")
		answers := []error{fmt.Errorf("tmp-1: %w", readOnly), fmt.Errorf("tmp-2: %w", readOnly), errors.New("taken"), nil}
		var said []string
		calls, start := 0, time.Now()
		persist(t.Context(), func(context.Context) error { calls++; return answers[calls-1] }, func(err error) { said = append(said, err.Error()) })
		if calls != 4 || time.Since(start) != 3*againEvery || !slices.Equal(said, []string{"tmp-1: read-only", "taken"}) {
			t.Errorf("%d calls in %v, said %q", calls, time.Since(start), said)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(againEvery / 2); cancel() }()
		persist(ctx, func(context.Context) error { return errors.New("for ever") }, func(error) {})
	})
}
